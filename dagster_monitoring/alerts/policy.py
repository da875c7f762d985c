"""Which verdicts open an incident, keep it open, make it worse, and close it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pydantic import Field

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.evaluation import Evaluation, Severity, Status, worst_first
from dagster_monitoring.incident import Incident, IncidentStatus, Transition
from dagster_monitoring.partitions import Partitions

# An incident carries what a message and a page show, not every red column of a wide model.
MAX_WORST = 20
_RANK = {None: 0, Severity.WARN: 1, Severity.ERROR: 2}
_DAYS = Partitions(start=date.min)


class AlertPolicy(Declaration):
    """What opens and closes an incident.

    Example:
        >>> AlertPolicy().severity
        <Severity.ERROR: 'ERROR'>
    """

    severity: Severity = Field(
        Severity.ERROR, description="The least severity that opens an incident."
    )
    max_age_days: float | None = Field(
        14,
        ge=0,
        allow_inf_nan=False,
        description="Partitions that ended longer ago (a backfill) are recorded, and nobody is "
        "told; null tells about all.",
    )
    resolve_after: int = Field(
        3,
        ge=1,
        description="Healthy slices after the last bad one that close an incident: so many hours, "
        "days or weeks.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    """What the verdicts of one partition come to."""

    model: str
    partition: str
    trouble: tuple[Evaluation, ...]
    bad: tuple[Evaluation, ...]
    fresh: bool
    verdicts: Sequence[Evaluation]


def advance(
    current: Incident | None,
    evaluations: Sequence[Evaluation],
    *,
    now: datetime,
    policy: AlertPolicy,
    declared: Collection[str] | None = None,
    expected_delay_days: float = 0.0,
    partitions: Partitions = _DAYS,
) -> list[tuple[Transition | None, Incident]]:
    """What the verdicts of one partition do to a model's incident.

    Pure: the same arguments give the same incidents with the same ids. The caller saves each
    incident given back, and announces it when there is a transition and it is not historical.
    Announce first and save after: if saving fails, the same announcement comes again with the
    same deduplication key.

    Trouble is a TRIGGERED or overdue NO_DATA evaluation of at least ``policy.severity``. An
    incident closes when, from its last bad partition on, ``resolve_after`` partitions passed and
    in the judged one every monitor that took part gave a HEALTHY verdict and none in trouble. A
    monitor without a verdict is not healthy, so labels that are still to come keep an incident
    open. Partitions older than its last bad one can't close it.

    Args:
        current: the model's open incident, if there is one.
        evaluations: all current verdicts of one model for one partition; may be empty.
        now: the moment of judging, with a time zone.
        policy: what opens and closes.
        declared: names of the monitors that the model has; one that was since taken away does
            not keep an incident open. ``None``: all of them are still there.
        expected_delay_days: how late labels are expected; verdicts that rest on labels count
            their age from then.
        partitions: the model's, in whose slices ``resolve_after`` counts; days if left out.

    Returns:
        At most one pair. A transition of ``None``: save it, tell nobody. Empty: nothing changed.

    Raises:
        ValueError: verdicts of more than one model or partition, or of another model's incident.
    """
    if not evaluations:
        return []
    _check_one_judgement(current, evaluations)
    if current is not None and current.status is IncidentStatus.RESOLVED:
        current = None
    found = _find(evaluations, now=now, policy=policy, delay_days=expected_delay_days)
    if not found.trouble:
        return _calm(current, found, now=now, policy=policy, declared=declared, keys=partitions)
    if current is None:
        return [(Transition.OPENED, _opened(found, now=now))]
    return _worsened(current, found, now=now)


def _check_one_judgement(current: Incident | None, evaluations: Sequence[Evaluation]) -> None:
    subjects = {(e.model, e.partition) for e in evaluations}
    if len(subjects) > 1:
        raise ValueError(f"verdicts of one model and partition at a time, not {sorted(subjects)}")
    model = evaluations[0].model
    if current is not None and current.model != model:
        raise ValueError(f"incident {current.id} is of {current.model}, the verdicts of {model}")


def _find(
    evaluations: Sequence[Evaluation], *, now: datetime, policy: AlertPolicy, delay_days: float
) -> _Findings:
    bad = [e for e in evaluations if e.severity is not None]
    trouble = [e for e in bad if _RANK[e.severity] >= _RANK[policy.severity]]
    return _Findings(
        model=evaluations[0].model,
        partition=evaluations[0].partition,
        trouble=tuple(trouble),
        bad=tuple(bad),
        fresh=any(_fresh(e, now, policy, delay_days) for e in trouble),
        verdicts=evaluations,
    )


def _fresh(evaluation: Evaluation, now: datetime, policy: AlertPolicy, delay_days: float) -> bool:
    if policy.max_age_days is None:
        return True
    # A verdict that waits for labels can't be younger than their delay.
    waits = delay_days if evaluation.n_labelled is not None else 0.0
    return now - evaluation.window_end <= timedelta(days=policy.max_age_days + waits)


def _opened(found: _Findings, *, now: datetime) -> Incident:
    monitors = tuple(sorted({e.monitor for e in found.trouble}))
    return Incident(
        id=_incident_id(found),
        model=found.model,
        status=IncidentStatus.OPEN,
        severity=_top_severity(found.trouble),
        opened_partition=found.partition,
        last_partition=found.partition,
        resolved_partition=None,
        monitors=monitors,
        worst=_bounded(found.bad, monitors),
        historical=not found.fresh,
        opened_at=now,
        updated_at=now,
    )


def _worsened(
    current: Incident, found: _Findings, *, now: datetime
) -> list[tuple[Transition | None, Incident]]:
    if not current.historical and not found.fresh:
        # A backfill of long ago says nothing about the incident people are working on.
        return []
    joined = _joined(current, found, now=now)
    if current.historical and found.fresh:
        return [(Transition.OPENED, joined)]
    if _escalates(current, joined, found):
        return [(Transition.ESCALATED, joined)]
    return [] if replace(joined, updated_at=current.updated_at) == current else [(None, joined)]


def _joined(current: Incident, found: _Findings, *, now: datetime) -> Incident:
    names = tuple(sorted({*current.monitors, *(e.monitor for e in found.trouble)}))
    return replace(
        current,
        severity=max(current.severity, _top_severity(found.trouble), key=lambda s: _RANK[s]),
        opened_partition=min(current.opened_partition, found.partition),
        last_partition=max(current.last_partition, found.partition),
        monitors=names,
        worst=_bounded(_newest_of_each(current, found), names),
        historical=current.historical and not found.fresh,
        updated_at=now,
    )


def _newest_of_each(current: Incident, found: _Findings) -> list[Evaluation]:
    """The bad rows of each member from its own newest partition in trouble.

    So that trouble that shows late, when labels come, is not hidden by another monitor's of
    today. Rows of monitors that take no part are context, of the newest partition alone.
    """
    # What was kept of the judged partition itself is superseded.
    kept = [e for e in current.worst if e.partition != found.partition]
    newest: dict[str, str] = {}
    for e in kept:
        if e.monitor in current.monitors:
            newest[e.monitor] = max(e.partition, newest.get(e.monitor, ""))
    for e in found.trouble:
        newest[e.monitor] = max(e.partition, newest.get(e.monitor, ""))
    last = max(current.last_partition, found.partition)
    return [e for e in [*kept, *found.bad] if e.partition == newest.get(e.monitor, last)]


def _bounded(bad: Sequence[Evaluation], members: Collection[str]) -> tuple[Evaluation, ...]:
    """The worst row of each member, then the worst of all others, at most ``MAX_WORST``."""
    ranked = worst_first(bad)
    heads: dict[str, Evaluation] = {}
    for evaluation in ranked:
        if evaluation.monitor in members:
            heads.setdefault(evaluation.monitor, evaluation)
    first = {evaluation.key for evaluation in heads.values()}
    others = [evaluation for evaluation in ranked if evaluation.key not in first]
    return (*heads.values(), *others)[:MAX_WORST]


def _escalates(current: Incident, joined: Incident, found: _Findings) -> bool:
    if _RANK[joined.severity] > _RANK[current.severity]:
        return True
    known = {e.monitor_kind for e in current.worst if e.monitor in current.monitors}
    known |= {e.monitor_kind for e in found.verdicts if e.monitor in current.monitors}
    new = [e for e in found.trouble if e.monitor not in current.monitors]
    return any(e.monitor_kind not in known for e in new)


def _calm(
    current: Incident | None,
    found: _Findings,
    *,
    now: datetime,
    policy: AlertPolicy,
    declared: Collection[str] | None,
    keys: Partitions,
) -> list[tuple[Transition | None, Incident]]:
    if current is None or found.partition < current.last_partition:
        return []
    try:
        passed = keys.distance(current.last_partition, found.partition)
    except DeclarationError:
        # The incident is of slices of another length, which can't be counted in these.
        passed = policy.resolve_after
    # The last bad partition itself may turn healthy, when labels are corrected.
    if max(passed, 1) < policy.resolve_after or not _all_clear(current, found, declared):
        return []
    resolved = replace(
        current,
        status=IncidentStatus.RESOLVED,
        resolved_partition=found.partition,
        updated_at=now,
    )
    return [(Transition.RESOLVED, resolved)]


def _all_clear(current: Incident, found: _Findings, declared: Collection[str] | None) -> bool:
    holding = {name for name in current.monitors if declared is None or name in declared}
    healthy = {e.monitor for e in found.verdicts if e.status is Status.HEALTHY}
    return holding <= healthy - {e.monitor for e in found.bad}


def _top_severity(trouble: Sequence[Evaluation]) -> Severity:
    is_error = any(e.severity is Severity.ERROR for e in trouble)
    return Severity.ERROR if is_error else Severity.WARN


def _incident_id(found: _Findings) -> str:
    # The verdicts' own moment, not the judge's clock: judging again after a crash is the same
    # incident, while a partition that turned bad again after a recomputation is another.
    latest = max(e.evaluated_at for e in found.trouble)
    state = f"{found.model}|{found.partition}|{latest.timestamp()}"
    return f"inc-{hashlib.blake2b(state.encode(), digest_size=6).hexdigest()}"
