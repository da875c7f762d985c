"""Messages over HTTP, and what it says when it fails: without addresses that may hold a secret."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from dagster_monitoring.alerts._channel import ChannelError
from dagster_monitoring.declaration import EnvironmentVariable

if TYPE_CHECKING:
    import requests

# A receiver that asks for more is asked again after an hour all the same.
_LONGEST_WAIT_SECONDS = 3600.0
# An answer is a sentence; what is longer is not read.
_LONGEST_ANSWER = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent, and for whom.

    Args:
        channel: the channel's name, for errors.
        url: whole.
        body: the bytes.
        headers: beside the length.
        timeout_seconds: for connecting, and for each read.
        method: PUT where a receiver's interface asks for it.
    """

    channel: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    timeout_seconds: float
    method: Literal["POST", "PUT"] = "POST"

    @property
    def host(self) -> str:
        """The receiver's host, which is no secret."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A receiver's answer: its status, the start of its text, how long it asks to be left alone."""

    status: int
    text: str
    retry_after: float | None

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's success


def deliver(letter: Letter) -> Answer:
    """Sends a letter once, follows no redirect, and gives the answer, whatever it is.

    Raises:
        ChannelError: no answer came.
    """
    import requests

    try:
        with (
            unlogged_transport(),
            requests.request(
                letter.method,
                letter.url,
                data=letter.body,
                headers={"User-Agent": "dagster-monitoring", **letter.headers},
                timeout=letter.timeout_seconds,
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            text = _beginning(answer, until=time.monotonic() + letter.timeout_seconds)
            return Answer(
                status=answer.status_code,
                text=text,
                retry_after=retry_after_seconds(answer.headers.get("Retry-After")),
            )
    except requests.RequestException as error:
        raise ChannelError(
            letter.channel,
            transport_problem(error, host=letter.host, timeout_seconds=letter.timeout_seconds),
            next_step="Check that the receiver runs and can be reached from here.",
        ) from None


@contextmanager
def unlogged_transport() -> Iterator[None]:
    """Keeps the HTTP library's own lines of this thread out of logs: they hold whole addresses."""
    logger = logging.getLogger("urllib3.connectionpool")
    thread = threading.get_ident()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger.addFilter(of_others)
    try:
        yield
    finally:
        logger.removeFilter(of_others)


def refusal(letter: Letter, answer: Answer, advice: str | None = None) -> ChannelError:
    """The error of an answer that is not the one that means taken; it quotes nothing of it."""
    return ChannelError(
        letter.channel,
        f"{letter.host} answered {answer.status}",
        next_step=advice or _advice(answer.status),
        retry_after_seconds=answer.retry_after,
    )


def check_url(url: str) -> None:
    """Raise ``ValueError`` unless it is a web address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it starts with http:// or https:// and names a host")


def secret_url(variable: EnvironmentVariable, *, channel: str) -> str:
    """The address that an environment variable holds.

    Raises:
        DeclarationError: it is not set.
        ChannelError: it holds no address, which is not shown.
    """
    url = variable.read()
    try:
        check_url(url)
    except ValueError:
        raise ChannelError(
            channel,
            f"environment variable {variable.env} holds no URL "
            "(it starts with http:// or https:// and names a host)",
            next_step=f"Set {variable.env} to the receiver's whole URL.",
        ) from None
    return url


def header_secret(variable: EnvironmentVariable, *, channel: str) -> str:
    """A secret that goes into a header, which holds one line of ASCII.

    Raises:
        DeclarationError: it is not set.
        ChannelError: it is no such line; it is not shown.
    """
    value = variable.read()
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise ChannelError(
            channel,
            f"environment variable {variable.env} holds line breaks, blanks at an end or letters "
            "beyond ASCII",
            next_step=f"Set {variable.env} to the secret alone.",
        )
    return value


def retry_after_seconds(header: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (a number or a date), 0 to 3600, or ``None``.

    Source: RFC 9110, section 10.2.3.

    Example:
        >>> retry_after_seconds("30"), retry_after_seconds("soon"), retry_after_seconds(None)
        (30.0, None, None)
    """
    if header is None:
        return None
    try:
        wait = float(header)
    except ValueError:
        wait = _seconds_until(header)
    if math.isnan(wait):
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT_SECONDS)


def transport_problem(error: BaseException, *, host: str, timeout_seconds: float) -> str:
    """Why no answer came, from the error's chain of causes; never quotes it: it holds the URL."""
    names = {type(cause).__name__ for cause in _causes(error)}
    if names & {"Timeout", "ReadTimeout", "ConnectTimeout", "TimeoutError", "ReadTimeoutError"}:
        return f"no answer from {host} within {timeout_seconds:g} s"
    if names & {"ConnectionRefusedError"}:
        return f"{host} refused the connection"
    if names & {"gaierror", "NameResolutionError"}:
        return f"the name {host} can't be resolved"
    if names & {"SSLError", "SSLCertVerificationError"}:
        return f"the certificate of {host} can't be verified"
    return f"no answer from {host} ({type(error).__name__})"


def _beginning(answer: requests.Response, *, until: float) -> str:
    """The start of a body; one that trickles in is left when the time is over."""
    found = bytearray()
    for piece in answer.iter_content(1):
        found += piece
        if len(found) >= _LONGEST_ANSWER or time.monotonic() > until:
            break
    return found.decode("utf-8", "replace")


def _advice(status: int) -> str:
    if status in {401, 403}:
        return "Check the token or secret this channel is given."
    if status in {404, 410}:
        return "Check the URL this channel is given."
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP's redirects
        return "It points elsewhere: give the channel the final URL."
    return "It is tried again; look at the receiver if it stays so."


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what is behind it; libraries keep the cause in different places."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
