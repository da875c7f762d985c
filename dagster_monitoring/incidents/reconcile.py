"""From what the verdicts say now to what changes about the incidents that are known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents.episodes import RANK, Episode
from dagster_monitoring.incidents.grouping import Group
from dagster_monitoring.incidents.incident import Incident, IncidentStatus, Transition
from dagster_monitoring.incidents.policy import AlertPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An incident as it is from now on, and what people are told of it; ``None``: nothing."""

    transition: Transition | None
    incident: Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the judgement depends on beside the verdicts.

    Args:
        now: with a time zone.
        latest: the latest partition that was judged.
        policy: how old is too old to tell.
        delay: how late labels are expected; verdicts that rest on labels count from then.
    """

    now: datetime
    latest: str
    policy: AlertPolicy
    delay: timedelta = timedelta()

    def is_fresh(self, episodes: Iterable[Episode]) -> bool:
        """Whether some of the trouble is so young that people are told."""
        age = self.policy.max_age_days
        if age is None:
            return True
        least = self.now - timedelta(days=age)
        return any(
            max(e.ends) + (self.delay if e.on_labels else timedelta()) >= least for e in episodes
        )


def reconcile(
    model: str, known: Sequence[Incident], groups: Sequence[Group], moment: Moment
) -> list[Change]:
    """What becomes of a model's incidents, given all trouble there is and was.

    Pure, and the same however the verdicts came: day by day, in a backfill, late or corrected. What
    is derived is matched with the known incidents of the same model that it overlaps. An incident
    whose trouble was all corrected is resolved; one that a person resolved stays so, and only what
    came after it opens another; one that closed by itself is opened again when its trouble turns
    out to go on.

    Args:
        model: the model's name.
        known: its incidents, resolved ones among them, oldest first.
        groups: from :func:`group`.
        moment: now.

    Returns:
        Changes in the order in which they are to be told. Save each; tell those with a transition,
        unless the incident is historical. The same verdicts again give none.
    """
    found: list[Change] = []
    left = list(known)
    for derived in groups:
        found += _of_group(model, left, derived, moment)
    matched = {change.incident.id for change in found} | {i.id for i in known if i not in left}
    found += [
        _withdrawn(incident, moment)
        for incident in left
        if incident.is_open and incident.id not in matched
    ]
    return found


def _of_group(model: str, left: list[Incident], derived: Group, moment: Moment) -> list[Change]:
    rest: Group | None = derived
    while rest is not None and (incident := _match(left, rest)) is not None:
        left.remove(incident)
        if incident.is_open:
            return _updated(incident, rest, moment)
        if _reopens(incident, rest, moment):
            return _reopened(incident, rest, moment)
        closed = incident.resolved_partition or incident.last_partition
        rest = rest.after(closed)
    return [] if rest is None else _opened(model, rest, moment)


def _match(left: Sequence[Incident], derived: Group) -> Incident | None:
    """The earliest known incident that the group overlaps; of several, an open one last."""
    overlapping = [
        incident
        for incident in left
        if incident.cause is derived.cause
        and incident.opened_partition <= (derived.resolved or "~")
        and (incident.resolved_partition or "~") >= derived.first
    ]
    if not overlapping:
        return None
    return min(overlapping, key=lambda i: (i.is_open, i.opened_partition))


def _opened(model: str, derived: Group, moment: Moment) -> list[Change]:
    # What is over when it is first seen needs nobody any more.
    fresh = derived.resolved is None and moment.is_fresh(derived.episodes)
    incident = Incident(
        id=_new_id(model, derived, moment),
        model=model,
        cause=derived.cause,
        status=IncidentStatus.OPEN,
        severity=derived.severity,
        opened_partition=derived.first,
        last_partition=derived.last,
        resolved_partition=None,
        members=derived.members,
        worst=(),
        historical=not fresh,
        opened_at=moment.now,
        updated_at=moment.now,
    )
    opened = Change(transition=Transition.OPENED if fresh else None, incident=incident)
    return [opened, *_closed(incident, derived, moment)]


def _updated(incident: Incident, derived: Group, moment: Moment) -> list[Change]:
    fresh = moment.is_fresh(derived.episodes)
    after = replace(
        incident,
        severity=max(incident.severity, derived.severity, key=RANK.__getitem__),
        opened_partition=derived.first,
        last_partition=derived.last,
        members=derived.members,
        historical=incident.historical and not fresh,
        updated_at=moment.now,
    )
    closing = _closed(after, derived, moment)
    if closing:
        return closing
    if replace(after, updated_at=incident.updated_at) == incident:
        return []
    return [Change(transition=_worse(incident, after, derived, moment), incident=after)]


def _worse(before: Incident, after: Incident, derived: Group, moment: Moment) -> Transition | None:
    if before.historical and not after.historical:
        return Transition.OPENED
    if RANK[after.severity] > RANK[before.severity]:
        return Transition.ESCALATED
    new = [e for e in derived.episodes if e.monitor not in before.monitors]
    of_a_new_kind = [e for e in new if e.kind not in before.kinds]
    return Transition.ESCALATED if of_a_new_kind and moment.is_fresh(of_a_new_kind) else None


def _closed(incident: Incident, derived: Group, moment: Moment) -> list[Change]:
    if derived.resolved is None:
        return []
    over = replace(
        incident,
        status=IncidentStatus.RESOLVED,
        resolved_partition=derived.resolved,
        updated_at=moment.now,
    )
    told = None if incident.historical else Transition.RESOLVED
    return [Change(transition=told, incident=over)]


def _reopens(incident: Incident, derived: Group, moment: Moment) -> bool:
    """Whether what closed by itself turns out to go on: after the day that had closed it."""
    if derived.resolved is not None or incident.closed_by_hand:
        return False
    closed = incident.resolved_partition or incident.last_partition
    later = derived.after(closed)
    return later is not None and moment.is_fresh(later.episodes)


def _reopened(incident: Incident, derived: Group, moment: Moment) -> list[Change]:
    again = replace(
        incident,
        status=IncidentStatus.OPEN,
        severity=max(incident.severity, derived.severity, key=RANK.__getitem__),
        opened_partition=derived.first,
        last_partition=derived.last,
        resolved_partition=None,
        members=derived.members,
        historical=False,
        acknowledged_at=None,
        updated_at=moment.now,
    )
    return [Change(transition=Transition.REOPENED, incident=again)]


def _withdrawn(incident: Incident, moment: Moment) -> Change:
    """All of its trouble was corrected, or its monitors were taken away."""
    over = replace(
        incident,
        status=IncidentStatus.RESOLVED,
        resolved_partition=max(moment.latest, incident.last_partition),
        updated_at=moment.now,
    )
    told = None if incident.historical else Transition.RESOLVED
    return Change(transition=told, incident=over)


def _new_id(model: str, derived: Group, moment: Moment) -> str:
    state = f"{model}|{derived.cause}|{derived.first}|{moment.now.timestamp()}"
    return f"inc-{hashlib.blake2b(state.encode(), digest_size=6).hexdigest()}"


def due_by_time(incident: Incident, policy: AlertPolicy, *, now: datetime) -> Transition | None:
    """What the passing of time asks for: an escalation, or a reminder; ``None``: nothing.

    Only an open ERROR that people were told of, and that nobody snoozed. It is escalated once, when
    nobody acknowledged it in time; reminders come at the policy's pace, also of one that somebody
    works on.
    """
    silent = incident.historical or not incident.is_open or incident.announced_at is None
    if silent or incident.severity is not Severity.ERROR:
        return None
    if incident.snoozed_until is not None and now < incident.snoozed_until:
        return None
    assert incident.announced_at is not None  # noqa: S101 - checked above
    wait = policy.escalate_after_hours
    is_new = incident.status is IncidentStatus.OPEN and incident.escalated_at is None
    if wait is not None and is_new and now - incident.opened_at >= timedelta(hours=wait):
        return Transition.ESCALATED
    pace = policy.repeat_every_hours
    if pace is not None and now - incident.announced_at >= timedelta(hours=pace):
        return Transition.REMINDED
    return None
