"""What opens when a model needs a person, and closes by itself when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dagster_monitoring.evaluation import Evaluation, Severity


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "OPEN"
    RESOLVED = "RESOLVED"


class Transition(StrEnum):
    """What just happened to an incident; each is announced once on each channel."""

    OPENED = "OPENED"
    ESCALATED = "ESCALATED"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One cause for concern about one model, from its first partition to its last.

    ``monitors`` are the names of the monitors that took part, ``worst`` the triggered evaluations
    of each from its own newest partition in trouble (the worst of each first, bounded),
    ``historical`` says that it was found so long after the fact that nobody is told.
    """

    id: str
    model: str
    status: IncidentStatus
    severity: Severity
    opened_partition: str
    last_partition: str
    resolved_partition: str | None
    monitors: tuple[str, ...]
    worst: tuple[Evaluation, ...]
    historical: bool
    opened_at: datetime
    updated_at: datetime
