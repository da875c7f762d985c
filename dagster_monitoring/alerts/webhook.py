"""Alerts to any URL as JSON, signed if a secret is given."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from dagster_monitoring.alerts._channel import Channel
from dagster_monitoring.alerts._http import (
    Letter,
    check_url,
    deliver,
    header_secret,
    refusal,
    secret_url,
)
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable


class WebhookChannel(Channel):
    """POSTs the message as JSON; any 2xx answer means taken, redirects are not followed.

    Headers: ``Idempotency-Key`` holds the message's deduplication key. With a secret,
    ``X-Monitoring-Timestamp`` holds seconds since 1970 and ``X-Monitoring-Signature``
    ``sha256=`` and the hexadecimal HMAC of ``<timestamp>.<body>``.
    """

    type: Literal["webhook"] = "webhook"
    url: str | EnvironmentVariable = Field(
        description="Where to; as {env: NAME} where the URL itself is a secret."
    )
    secret: EnvironmentVariable | None = Field(None, description="Signs the body.")
    bearer: EnvironmentVariable | None = Field(None, description="Sent as Authorization: Bearer ….")
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True
    updates_quietly: ClassVar[bool] = True

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str | EnvironmentVariable) -> str | EnvironmentVariable:
        if isinstance(url, str):
            check_url(url)
            if urlsplit(url).username or urlsplit(url).password:
                raise ValueError("a URL with a password stands in {env: NAME}")
        return url

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - it knows no threads
        """POST the message.

        Raises:
            DeliveryError: no connection, no answer in time, or an answer that is not 2xx.
            DeclarationError: an environment variable is not set.
        """
        body = message.to_json().encode()
        letter = Letter(
            channel=self.name,
            url=self._address(),
            body=body,
            headers=self._headers(message, body),
            timeout_seconds=self.timeout_seconds,
        )
        answer = deliver(letter)
        if not answer.is_success:
            raise refusal(letter, answer)

    def _address(self) -> str:
        if isinstance(self.url, str):
            return self.url
        return secret_url(self.url, channel=self.name)

    def _headers(self, message: AlertMessage, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.dedup_key,
        }
        if self.bearer is not None:
            headers["Authorization"] = f"Bearer {header_secret(self.bearer, channel=self.name)}"
        if self.secret is not None:
            at = str(int(time.time()))
            headers["X-Monitoring-Timestamp"] = at
            headers["X-Monitoring-Signature"] = sign(body, secret=self.secret.read(), timestamp=at)
        return headers


def sign(body: bytes, *, secret: str, timestamp: str) -> str:
    """The signature of a body, to be compared with ``hmac.compare_digest`` by a receiver.

    Example:
        >>> sign(b"{}", secret="s", timestamp="0")[:15]
        'sha256=e79b1f68'
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"
