"""Alerts to a Slack channel through an incoming webhook, as blocks."""

from __future__ import annotations

import json
from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel
from dagster_monitoring.alerts._http import Letter, deliver, refusal, secret_url
from dagster_monitoring.alerts._slack_blocks import blocks, fallback
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable

_ADVICE = {
    "no_service": "The webhook was switched off: make another, and set {env} to it.",
    "no_active_hooks": "The webhook was switched off: make another, and set {env} to it.",
    "invalid_token": "Check the URL in environment variable {env}.",
    "channel_not_found": "Its channel is gone: make a webhook for another, and set {env} to it.",
    "channel_is_archived": "Its channel is archived: make a webhook for another.",
    "action_prohibited": "An admin of the workspace has forbidden it: ask there.",
}


class SlackWebhookChannel(Channel):
    """Posts to an incoming webhook, which needs no bot; it knows no threads, so prefer ``slack``.

    Each message of an incident stands by itself and names the incident.
    """

    type: Literal["slack_webhook"] = "slack_webhook"
    url: EnvironmentVariable = Field(
        description="The webhook (https://hooks.slack.com/services/…), as {env: NAME}."
    )
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - a webhook does not say what to answer to
        """Post the message.

        Raises:
            DeliveryError: Slack could not be reached, or answered anything but ``ok``.
            DeclarationError: the environment variable is not set.
        """
        content = {
            "text": fallback(message),
            "blocks": blocks(message),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        letter = Letter(
            channel=self.name,
            url=secret_url(self.url, channel=self.name),
            body=json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
            timeout_seconds=self.timeout_seconds,
        )
        answer = deliver(letter)
        if not (answer.is_success and answer.text.strip() == "ok"):
            advice = _ADVICE.get(answer.text.strip())
            raise refusal(letter, answer, advice.format(env=self.url.env) if advice else None)
