"""Alerts to any URL as JSON, signed if a secret is given."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._http import retry_after_seconds, transport_problem
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

    @field_validator("url")
    @classmethod
    def _plain_url(cls, url: str | EnvironmentVariable) -> str | EnvironmentVariable:
        if isinstance(url, str):
            _check_url(url)
            if urlsplit(url).username or urlsplit(url).password:
                raise ValueError("a URL with a password stands in {env: NAME}")
        return url

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - it knows no threads
        """POST the message.

        Raises:
            DeliveryError: no connection, no answer in time, or an answer that is not 2xx.
            DeclarationError: an environment variable is not set.
        """
        import requests

        url = self._address()
        host = urlsplit(url).hostname or ""
        body = message.to_json().encode()
        try:
            with requests.post(
                url,
                data=body,
                headers=self._headers(message, body),
                timeout=self.timeout_seconds,
                allow_redirects=False,
                stream=True,
            ) as answer:
                status, headers = answer.status_code, answer.headers
        except requests.RequestException as error:
            raise ChannelError(
                self.name,
                transport_problem(error, host=host, timeout_seconds=self.timeout_seconds),
                next_step="Check that the receiver runs and can be reached from here.",
            ) from None
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
            raise ChannelError(
                self.name,
                f"{host} answered {status}",
                next_step=_advice(status),
                retry_after_seconds=retry_after_seconds(headers.get("Retry-After")),
            )

    def _address(self) -> str:
        if isinstance(self.url, str):
            return self.url
        url = self.url.read()
        try:
            _check_url(url)
        except ValueError as error:
            raise ChannelError(
                self.name,
                f"environment variable {self.url.env} holds no URL ({error})",
                next_step=f"Set {self.url.env} to the receiver's whole URL.",
            ) from None
        return url

    def _headers(self, message: AlertMessage, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "dagster-monitoring",
            "Idempotency-Key": message.dedup_key,
        }
        if self.bearer is not None:
            headers["Authorization"] = f"Bearer {self.bearer.read()}"
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


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it starts with http:// or https:// and names a host")


def _advice(status: int) -> str:
    if status in {401, 403}:
        return "Check the token or secret this channel is given."
    if status in {404, 410}:
        return "Check the URL this channel is given."
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP's redirects
        return "It points elsewhere: give the channel the final URL."
    return "It is tried again; look at the receiver if it stays so."
