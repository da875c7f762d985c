"""What is told of an incident when the time that it sleeps is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from dagster_monitoring.incidents.episodes import RANK
from dagster_monitoring.incidents.incident import Incident, IncidentStatus, Transition


def is_awake(incident: Incident, *, now: datetime) -> bool:
    """Whether an open incident slept, and people are to be told that it is still there."""
    until = incident.snoozed_until
    return until is not None and now >= until and incident.is_open and not incident.historical


def woken(incident: Incident, states: Sequence[Incident], *, now: datetime) -> Transition | None:
    """What people are told of an incident that slept; ``None`` of one that did not, or still does.

    What happened meanwhile was told to nobody: that it opened again, or got worse, is told now. Of
    one that is as it was, they are reminded. Its end would have been told at once.

    Args:
        incident: as it is.
        states: those it went through, oldest first, itself among them.
        now: the clock.
    """
    if not is_awake(incident, now=now):
        return None
    asleep = list(takewhile(lambda one: one.snoozed_until is not None, reversed(states)))
    if any(one.status is IncidentStatus.RESOLVED for one in asleep):
        return Transition.REOPENED
    began = asleep[-1] if asleep else incident
    is_worse = RANK[incident.severity] > RANK[began.severity] or not incident.kinds <= began.kinds
    return Transition.ESCALATED if is_worse else Transition.REMINDED
