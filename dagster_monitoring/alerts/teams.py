"""Alerts to Microsoft Teams through a workflow's webhook, as an Adaptive Card."""

from __future__ import annotations

import json
from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._adaptive_card import card
from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._http import Letter, deliver, refusal, secret_url
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable


class TeamsChannel(Channel):
    """Posts to a workflow ("Post to a channel when a webhook request is received").

    A workflow knows no threads: each message stands by itself and names the incident.
    """

    type: Literal["teams"] = "teams"
    url: EnvironmentVariable = Field(
        description="The workflow's URL, as {env: NAME}: it holds a secret."
    )
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - a workflow knows no threads
        """Post the card.

        Raises:
            DeliveryError: the workflow could not be reached, or did not take it.
            DeclarationError: the environment variable is not set.
        """
        content = {
            "type": "message",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": None,
                    "content": card(message),
                }
            ],
        }
        letter = Letter(
            channel=self.name,
            url=secret_url(self.url, channel=self.name),
            # Not in ASCII: an escape is six bytes, and there are 28,000.
            body=json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"),
            headers={"Content-Type": "application/json; charset=utf-8"},
            timeout_seconds=self.timeout_seconds,
        )
        answer = deliver(letter)
        if not answer.is_success:
            advice = f"Check the workflow, and its URL in environment variable {self.url.env}."
            raise refusal(letter, answer, advice if answer.status in {400, 401, 403, 404} else None)
        if "failed" in answer.text.lower():
            # Connectors of old answer 200 to a message that Teams refused, and say so in words.
            raise ChannelError(
                self.name,
                f"{letter.host} took the request, and Teams refused the message",
                next_step="Make a workflow's webhook in place of the connector.",
            )
