"""What HTTP says when it fails, in words without addresses that may hold a secret."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# A receiver that asks for more is asked again after an hour all the same.
_LONGEST_WAIT_SECONDS = 3600.0


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
