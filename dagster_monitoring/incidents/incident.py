"""What opens when a model needs a person, and closes by itself when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dagster_monitoring.evaluation import Evaluation, Severity


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


class Transition(StrEnum):
    """What just happened to an incident; each is announced once on each channel.

    ``UPDATED``: something was done about it, such as a retraining. ``DIGEST`` is of no single one:
    the day of a model in one message.
    """

    OPENED = "OPENED"
    ESCALATED = "ESCALATED"
    REOPENED = "REOPENED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    REMINDED = "REMINDED"
    UPDATED = "UPDATED"
    RESOLVED = "RESOLVED"
    DIGEST = "DIGEST"


class Cause(StrEnum):
    """What kind of thing went wrong, from furthest upstream down.

    ``PIPELINE``: a slice did not come, or what makes it failed. ``DATA``: the rows are not what
    they should be. ``LABELS``: ground truth does not come, or can't be read. ``MODEL``: inputs,
    predictions or performance went from the baseline's. ``RETRAINING``: a challenger could not be
    trained. ``ALERTING``: a channel does not take messages.
    """

    PIPELINE = "pipeline"
    DATA = "data"
    LABELS = "labels"
    MODEL = "model"
    RETRAINING = "retraining"
    ALERTING = "alerting"

    def explains(self, other: Cause) -> bool:
        """Whether trouble of another kind at the same time is likely to come of this one."""
        return other in _CONSEQUENCES[self]


_CONSEQUENCES = {
    Cause.PIPELINE: {Cause.DATA, Cause.LABELS, Cause.MODEL},
    Cause.DATA: {Cause.MODEL},
    Cause.LABELS: set(),
    Cause.MODEL: set(),
    Cause.RETRAINING: set(),
    Cause.ALERTING: set(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A monitor, or another watcher, that takes part in an incident.

    Args:
        monitor: its name.
        kind: its type, as written in YAML.
        severity: the worst it said.
        first: the first partition in trouble.
        last: the last one.
        detail: what is wrong, where no evaluation says it.
        resolved: the partition at which it was over; ``None`` while it lasts.
    """

    monitor: str
    kind: str
    severity: Severity
    first: str
    last: str
    detail: str = ""
    resolved: str | None = None

    @property
    def trouble(self) -> str:
        """Its detail, which says so when it is over; empty without one."""
        over = self.detail and self.resolved is not None
        return f"{self.detail} (over since {self.resolved})" if over else self.detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One cause for concern about one model, from its first partition to its last.

    Args:
        id: the same for its whole life.
        members: who is in trouble, the earliest first.
        worst: bad evaluations of each member's own last partition in trouble, bounded; the worst
            of each member first.
        changes: what changed upstream about when it began, a line each.
        resolved_partition: the partition that closed it; ``None`` while it is not resolved.
        historical: nobody is told: it was found long after the fact, or when it was over.
        owner: who works on it.
        acknowledged_at: when a person took it on.
        snoozed_until: nobody is reminded or paged again before this moment; ``None`` again once
            people were told that it is over.
        escalated_at: when it was escalated because nobody acknowledged it.
        announced_at: when people were last told.
        closed_by_hand: whether a person resolved it.
    """

    id: str
    model: str
    cause: Cause
    status: IncidentStatus
    severity: Severity
    opened_partition: str
    last_partition: str
    resolved_partition: str | None
    members: tuple[Member, ...]
    worst: tuple[Evaluation, ...]
    changes: tuple[str, ...] = ()
    historical: bool
    opened_at: datetime
    updated_at: datetime
    owner: str | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    escalated_at: datetime | None = None
    announced_at: datetime | None = None
    closed_by_hand: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is not resolved."""
        return self.status is not IncidentStatus.RESOLVED

    @property
    def monitors(self) -> tuple[str, ...]:
        """The members' names, sorted."""
        return tuple(sorted({member.monitor for member in self.members}))

    @property
    def kinds(self) -> frozenset[str]:
        """The members' kinds."""
        return frozenset(member.kind for member in self.members)


def span_text(span: timedelta) -> str:
    """A time span in its two largest units, at least a minute.

    Example:
        >>> span_text(timedelta(days=2, hours=4, minutes=50)), span_text(timedelta(seconds=5))
        ('2 d 4 h', '1 min')
    """
    minutes = max(int(span.total_seconds() // 60), 1)
    sizes = (("d", minutes // 1440), ("h", minutes // 60 % 24), ("min", minutes % 60))
    told = [f"{count} {unit}" for unit, count in sizes if count]
    return " ".join(told[:2])
