"""Alerts to a Slack channel, as blocks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._http import retry_after_seconds, transport_problem
from dagster_monitoring.alerts._slack_blocks import blocks, fallback
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.errors import MissingExtraError
from dagster_monitoring.incidents import Transition

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError


class SlackChannel(Channel):
    """Posts as an app's bot (scope ``chat:write``) that was invited to the channel."""

    type: Literal["slack"] = "slack"
    channel: str = Field(min_length=1, description="Channel, such as #ml-alerts, or its id.")
    token: EnvironmentVariable = Field(description="The bot's token (xoxb-…), as {env: NAME}.")
    base_url: str = Field(
        "https://slack.com/api/",
        pattern=r"^https?://[^/@]+/(.*/)?$",
        description="Slack's Web API; another one for a proxy. Ends in a slash.",
    )
    timeout_seconds: int = Field(10, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True
    updates_quietly: ClassVar[bool] = True

    def send(self, message: AlertMessage, *, thread: str | None = None) -> str | None:
        """Post the message; what follows it about the same incident goes into its thread.

        Raises:
            DeliveryError: Slack could not be reached, or refused.
            DeclarationError: the token's environment variable is not set.
            MissingExtraError: slack-sdk is not installed.
        """
        client = self._client()
        from slack_sdk.errors import SlackApiError

        try:
            answer = client.chat_postMessage(
                channel=self.channel,
                thread_ts=thread,
                # The end of an incident is told to the whole channel too, not only in its thread.
                reply_broadcast=thread is not None and message.transition is Transition.RESOLVED,
                text=fallback(message),
                blocks=json.dumps(blocks(message, in_thread=thread is not None)),
                unfurl_links=False,
                unfurl_media=False,
                link_names=False,
                parse="none",
            )
        except SlackApiError as error:
            raise self._refusal(error) from None
        except Exception as error:  # noqa: BLE001 - slack-sdk passes on whatever its transport raises
            host = urlsplit(self.base_url).hostname or "Slack"
            problem = transport_problem(error, host=host, timeout_seconds=self.timeout_seconds)
            raise ChannelError(
                self.name,
                problem,
                next_step="Check the network and Slack's status page; it is tried again.",
            ) from None
        return str(answer["ts"]) if answer.get("ts") else None

    def _client(self) -> WebClient:
        try:
            from slack_sdk import WebClient
        except ImportError:
            raise MissingExtraError("the Slack channel", "slack") from None
        # The outbox tries again, and says so; a client that does it in secret would hide it.
        return WebClient(
            token=self.token.read(),
            base_url=self.base_url,
            timeout=self.timeout_seconds,
            retry_handlers=[],
        )

    def _refusal(self, error: SlackApiError) -> ChannelError:
        answer = error.response
        code = str(answer.get("error") or f"HTTP {answer.status_code}")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        header = headers.get("retry-after")
        return ChannelError(
            self.name,
            f"Slack refused the message for {self.channel} ({code})",
            next_step=self._advice(code),
            retry_after_seconds=retry_after_seconds(header if isinstance(header, str) else None),
        )

    def _advice(self, code: str) -> str:
        known = {
            "channel_not_found": f"Check the channel's name, or give its id; a private channel "
            f"needs the app in it: /invite it in {self.channel}.",
            "not_in_channel": f"Invite the app: type /invite and its name in {self.channel}.",
            "is_archived": "The channel is archived: name another.",
            "missing_scope": "Give the app the scope chat:write and install it again.",
            "ratelimited": "It is tried again when Slack allows.",
        }
        if code in {"invalid_auth", "not_authed", "token_revoked", "token_expired",
                    "account_inactive"}:  # fmt: skip
            return f"Check the token in environment variable {self.token.env}."
        return known.get(
            code, "It is tried again; see https://api.slack.com/methods/chat.postMessage"
        )
