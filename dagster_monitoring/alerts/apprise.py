"""Alerts to everything else, through the library Apprise."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._http import unlogged_transport
from dagster_monitoring.alerts._plain import plain_text
from dagster_monitoring.alerts._text import one_line
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.errors import MissingExtraError
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition

if TYPE_CHECKING:
    import apprise

_STATUS = re.compile(r"error=(\d{3})\b")


class AppriseChannel(Channel):
    """Sends plain text to any of the services that Apprise knows, by its URL.

    Such as Discord, Telegram, Google Chat, Mattermost, Matrix, ntfy, Pushover and Amazon SNS
    (https://appriseit.com/services/). One URL a channel: of two in one, one could fail and the
    other would get its message twice. How long a receiver asks to be left alone is not passed on.
    """

    type: Literal["apprise"] = "apprise"
    url: EnvironmentVariable = Field(
        description="Apprise's URL of one service (discord://…), as {env: NAME}."
    )
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - Apprise knows no threads
        """Send the message.

        Raises:
            DeliveryError: the URL is none of Apprise's, or the service did not take it.
            DeclarationError: the environment variable is not set.
            MissingExtraError: apprise is not installed.
        """
        service = self._service()
        with _heard() as records, unlogged_transport(), _without_warnings():
            try:
                is_sent = _notify(service, message)
            except Exception as error:  # noqa: BLE001 - a service's own code raises whatever it likes
                records.append(type(error).__name__)
                is_sent = False
        # Apprise logs what went wrong, and gives False.
        if not is_sent:
            raise ChannelError(
                self.name,
                f"{service.service_name} did not take the message ({_why(records)})",
                next_step=f"Check the service, and the URL in environment variable {self.url.env}.",
            )

    def _service(self) -> apprise.NotifyBase:
        try:
            with _without_warnings():
                import apprise
        except ImportError:
            raise MissingExtraError("the Apprise channel", "apprise") from None
        url = self.url.read()
        # A service of its own loads no file of settings, follows no redirect, keeps no file.
        asset = apprise.AppriseAsset(async_mode=False, http_redirects=False)
        with _heard(), _without_warnings():
            service = apprise.Apprise.instantiate(url, asset=asset)
        if service is None:
            raise ChannelError(
                self.name,
                f"environment variable {self.url.env} holds no URL that Apprise knows",
                next_step="See https://appriseit.com/services/ for how a service is written.",
            )
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
        service.socket_connect_timeout = self.timeout_seconds
        service.socket_read_timeout = self.timeout_seconds
        return service


def _notify(service: apprise.NotifyBase, message: AlertMessage) -> bool:
    import apprise

    kind = {Severity.ERROR: apprise.NotifyType.FAILURE, Severity.WARN: apprise.NotifyType.WARNING}
    calm = {
        Transition.RESOLVED: apprise.NotifyType.SUCCESS,
        Transition.UPDATED: apprise.NotifyType.INFO,
        Transition.DIGEST: apprise.NotifyType.INFO,
    }
    return bool(
        service.notify(
            title=_without_calls(one_line(message.title, 250)),
            body=_without_calls(plain_text(message, limit=8_000)),
            notify_type=calm.get(message.transition, kind[message.severity]),
            body_format=apprise.NotifyFormat.TEXT,
        )
    )


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise logs meanwhile; it goes nowhere else, for it may hold the URL."""
    logger = logging.getLogger("apprise")
    records: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record.getMessage())

    listener = Listener(logging.WARNING)
    propagates = logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    try:
        yield records
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagates


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Apprise imports all its services, and what some of those import is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _why(records: list[str]) -> str:
    """The reason in words of our own: what was logged is not quoted."""
    said = " ".join(records)
    if status := _STATUS.search(said):
        return f"it answered {status[1]}"
    if "onnection" in said:
        return "no connection, or no answer in time"
    return "it gave no reason"


def _without_calls(text: str) -> str:
    """Text that calls nobody: services read ``@everyone`` and ``<!channel>`` in what is sent."""
    return re.sub(r"([@<])(?=\S)", "\\1\u2060", text)
