"""A model's day in one message: what is open, what closed, what warned; the worst first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, span_text

# A page, not a book.
MOST_OPEN, MOST_CLOSED, MOST_WARNED = 10, 5, 10
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestIncident:
    """An incident in a digest; ``is_new``: it opened since the last one."""

    id: str
    severity: Severity
    cause: Cause
    opened_partition: str
    last_partition: str
    opened_at: datetime
    owner: str | None
    monitors: tuple[str, ...]
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestWarning:
    """The warnings of a monitor since the last digest: how many, on which columns, worst first."""

    monitor: str
    count: int
    columns: tuple[str, ...]
    n_more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDigest:
    """What a digest tells; lists are cut, and the ``n_more`` count what is left out.

    ``n_open`` counts the open incidents by severity, ``n_opened`` and ``n_closed`` those since the
    last digest, ``n_warnings`` single verdicts.
    """

    since: datetime
    n_open: dict[Severity, int]
    n_opened: int
    n_closed: int
    n_warnings: int
    open: tuple[DigestIncident, ...]
    closed: tuple[DigestIncident, ...]
    warned: tuple[DigestWarning, ...]
    n_more_open: int = 0
    n_more_closed: int = 0
    n_more_warned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLine:
    """A line of a digest: how bad, and in words; ``mark`` is short, such as an id."""

    severity: Severity | None
    mark: str
    text: str


def digest_sections(digest: AlertDigest, *, now: datetime) -> list[tuple[str, list[DigestLine]]]:
    """Headings with their lines; of what there is nothing, there is no heading."""
    found = [
        (
            "Open",
            _lines(digest.open, digest.n_more_open, lambda one: _open(one, now=now)),
        ),
        ("Closed", _lines(digest.closed, digest.n_more_closed, _closed)),
        ("Warnings", _lines(digest.warned, digest.n_more_warned, _warned)),
    ]
    return [(heading, lines) for heading, lines in found if lines]


def age_text(one: DigestIncident, *, now: datetime) -> str:
    """How long ago it was opened."""
    return span_text(now - one.opened_at)


def _lines(found: Sequence[T], n_more: int, line: Callable[[T], DigestLine]) -> list[DigestLine]:
    lines = [line(one) for one in found]
    more = DigestLine(severity=None, mark="", text=f"and {n_more:,} more")
    return [*lines, more] if n_more else lines


def _open(one: DigestIncident, *, now: datetime) -> DigestLine:
    new = "new, " if one.is_new else ""
    owner = f"{one.owner} has it" if one.owner else "nobody has it"
    text = (
        f"{new}{one.cause}, since {one.opened_partition}, open for {age_text(one, now=now)}, "
        f"{owner}: {', '.join(one.monitors)}"
    )
    return DigestLine(severity=one.severity, mark=one.id, text=text)


def _closed(one: DigestIncident) -> DigestLine:
    text = f"{one.cause}, {one.opened_partition} to {one.last_partition}: {', '.join(one.monitors)}"
    return DigestLine(severity=None, mark=one.id, text=text)


def _warned(one: DigestWarning) -> DigestLine:
    more = f" and {one.n_more:,} more" if one.n_more else ""
    on = f" on {', '.join(one.columns)}{more}" if one.columns else ""
    return DigestLine(severity=Severity.WARN, mark=one.monitor, text=f"{one.count:,}{on}")
