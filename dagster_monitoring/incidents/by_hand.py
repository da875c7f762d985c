"""What people do about an incident: each gives the incident as it is from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dagster_monitoring.errors import IncidentError
from dagster_monitoring.incidents.incident import Incident, IncidentStatus


def acknowledge(incident: Incident, *, by: str, now: datetime) -> Incident:
    """Somebody works on it: it is not escalated any more for want of an answer.

    Raises:
        IncidentError: it is resolved.
    """
    _require_open(incident, "acknowledged")
    return replace(
        incident,
        status=IncidentStatus.ACKNOWLEDGED,
        owner=by,
        acknowledged_at=now,
        updated_at=now,
    )


def snooze(incident: Incident, *, until: datetime, now: datetime) -> Incident:
    """Nobody is paged or reminded before a moment; its end is told all the same.

    Then, if it is still open, it is told once, with what became of it meanwhile.

    Raises:
        IncidentError: it is resolved, or the moment has passed.
    """
    _require_open(incident, "snoozed")
    if until <= now:
        raise IncidentError(
            f"incident {incident.id} can't be snoozed until {until:%Y-%m-%d %H:%M %Z}: that has "
            "passed. Name a later moment"
        )
    return replace(incident, snoozed_until=until, updated_at=now)


def resolve(incident: Incident, *, latest: str, now: datetime) -> Incident:
    """It is over, whatever the verdicts say; only trouble of later partitions opens another.

    Args:
        incident: an open one.
        latest: the latest partition that was judged.
        now: the clock.

    Raises:
        IncidentError: it is resolved already.
    """
    _require_open(incident, "resolved")
    return replace(
        incident,
        status=IncidentStatus.RESOLVED,
        resolved_partition=max(latest, incident.last_partition),
        closed_by_hand=True,
        updated_at=now,
    )


def assign(incident: Incident, *, owner: str, now: datetime) -> Incident:
    """It is somebody's."""
    return replace(incident, owner=owner, updated_at=now)


def _require_open(incident: Incident, what: str) -> None:
    if not incident.is_open:
        raise IncidentError(
            f"incident {incident.id} can't be {what}: it was resolved on "
            f"{incident.resolved_partition}"
        )
