"""What a declaration would have alarmed on, from stored profiles; nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_monitoring.incidents import Cause, Episode, Group, Incident, Verdict
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors import Monitor
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.declarations import Rule, Settings, current_settings
from dagster_monitoring.orchestration.deriving import derive_groups
from dagster_monitoring.orchestration.evaluator import AHEAD, Evaluator
from dagster_monitoring.orchestration.faults import past_faults
from dagster_monitoring.orchestration.windows import SliceProfiles
from dagster_monitoring.stores import Mark, MarkKind

DAYS_A_MONTH = 30.0
# Reads all raw rows of each slice: minutes, where profiles take seconds. What it said is recorded.
TOO_SLOW = frozenset({"great_expectations"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A time that something was wrong, as far as is known, and when the replay said so.

    Args:
        first: the first partition.
        last: the last one.
        what: how it is known: ``marked bad``, or ``performance``.
        alarm: the partition at which the first alarm about it fired; ``None``: it was missed.
        delay: how many slices after the first that was; ``None`` when it was missed.
    """

    first: str
    last: str
    what: str
    alarm: str | None
    delay: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What would have been alarmed on, next to what happened.

    Args:
        first: the first partition.
        last: the last one.
        alarms: the incidents of the declaration, the earliest first.
        happened: the incidents that there were.
        troubles: what is known to have been wrong, and when the alarms said so.
        false: alarms in times that are marked normal.
        months: how long it is.
        skipped: monitors that were left out: they read raw rows, and did not judge as they are now.
    """

    first: str
    last: str
    alarms: tuple[Group, ...]
    happened: tuple[Incident, ...]
    troubles: tuple[Trouble, ...]
    false: tuple[Group, ...]
    months: float
    skipped: tuple[str, ...]

    @property
    def alarms_a_month(self) -> float:
        """Incidents that the declaration would have opened, in 30 days."""
        return len(self.alarms) / self.months

    @property
    def missed(self) -> int:
        """How many times something was wrong and no alarm said so."""
        return sum(trouble.alarm is None for trouble in self.troubles)


def replay_verdicts(
    backend: Backend,
    monitors: Sequence[Monitor],
    *,
    first: str,
    last: str,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Verdict]:
    """The verdicts of monitors on partitions, by monitor; each on the baseline in force then.

    Slices that were not counted are scanned, and kept for the next time. Labels are those known at
    ``now``.
    """
    settings = current_settings(backend.model, monitors)
    slices = SliceProfiles(backend, now=now)
    evaluator = Evaluator(backend, slices, run_id=None, now=now)
    by_monitor: dict[str, list[Verdict]] = {monitor.name: [] for monitor in monitors}
    partitions = backend.model.partitions.between(first, last)
    for place, partition in enumerate(partitions):
        if place % AHEAD == 0:
            ahead = partitions[place : place + AHEAD]
            evaluator.measure_ahead((_rules(backend, settings, key), key) for key in ahead)
        rules = _rules(backend, settings, partition)
        for name, rows in evaluator.evaluate(rules, partition).by_monitor.items():
            by_monitor[name].append(Verdict.of(rows))
        progress(partition)
    return [verdict for own in by_monitor.values() for verdict in own]


def _rules(backend: Backend, settings: Settings, partition: str) -> list[Rule]:
    version = backend.baseline_in_force(partition).version
    return [
        Rule(monitor=m, settings=settings, baseline_version=version, declared="now")
        for m in settings.monitors.values()
    ]


def replay(
    backend: Backend,
    model: MonitoredModel,
    *,
    first: str,
    last: str,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> Replay:
    """What a declaration would have alarmed on from ``first`` to ``last``, next to what happened.

    Args:
        backend: the model's, with its profiles and what happened.
        model: the declaration to replay: the model's own, or with other monitors or policy.
        first: the first partition.
        last: the last one.
        now: labels are those known then.
        progress: is told of each partition that is done.
    """
    monitors = [m for m in model.active_monitors if m.kind not in TOO_SLOW]
    verdicts = replay_verdicts(
        backend, monitors, first=first, last=last, now=now, progress=progress
    )
    recorded = _recorded(backend, model, first=first, last=last)
    groups = derive_groups(
        model,
        [*verdicts, *(verdict for own in recorded.values() for verdict in own)],
        extra=_faults(backend, first=first, last=last),
    )
    skipped = tuple(m.name for m in model.active_monitors if m.kind in TOO_SLOW)
    skipped = tuple(name for name in skipped if name not in recorded)
    return compare(backend, groups, first=first, last=last, skipped=skipped)


def _recorded(
    backend: Backend, model: MonitoredModel, *, first: str, last: str
) -> dict[str, list[Verdict]]:
    """What monitors that read raw rows said, where they were declared then as they are tried."""
    declared = {m.name: m for m in backend.model.active_monitors}
    slow = [
        m.name for m in model.active_monitors if m.kind in TOO_SLOW and m == declared.get(m.name)
    ]
    said = backend.store.verdicts.read(model.model, since=first, until=last) if slow else []
    found = {name: [v for v in said if v.monitor == name] for name in slow}
    return {name: own for name, own in found.items() if own}


def compare(
    backend: Backend,
    groups: Sequence[Group],
    *,
    first: str,
    last: str,
    skipped: tuple[str, ...] = (),
) -> Replay:
    """Alarms next to the incidents there were, marks, and realized performance."""
    name, keys = backend.model.model, backend.model.partitions
    marks = backend.store.marks.list(name)
    happened = [
        incident
        for incident in backend.store.incidents.list(name)
        if incident.opened_partition <= last
        and (incident.resolved_partition or last) >= first
        and incident.cause is not Cause.ALERTING
    ]
    troubles = [
        _found(backend, groups, mark.first, mark.last, "marked bad")
        for mark in marks
        if mark.kind is MarkKind.BAD and mark.first <= last and mark.last >= first
    ]
    troubles += [
        _found(backend, groups, begin, end, "performance")
        for begin, end in _bad_performance(backend, first=first, last=last)
        if not any(_overlap(mark, begin, end) for mark in marks)
    ]
    normal = [mark for mark in marks if mark.kind is MarkKind.NORMAL]
    begin, end = keys.bounds(first)[0], keys.bounds(last)[1]
    return Replay(
        first=first,
        last=last,
        alarms=tuple(groups),
        happened=tuple(sorted(happened, key=lambda i: i.opened_partition)),
        troubles=tuple(sorted(troubles, key=lambda trouble: trouble.first)),
        false=tuple(g for g in groups if any(m.first <= g.fired <= m.last for m in normal)),
        months=(end - begin).total_seconds() / 86_400 / DAYS_A_MONTH,
        skipped=skipped,
    )


def _faults(backend: Backend, *, first: str, last: str) -> list[Episode]:
    """What no monitor told of, as incidents keep it: it explains what came of it."""
    return [
        fault
        for fault in past_faults(backend)
        if fault.first <= last and (fault.resolved or last) >= first
    ]


def _found(backend: Backend, groups: Sequence[Group], first: str, last: str, what: str) -> Trouble:
    hits = [g.fired for g in groups if g.first <= last and g.last >= first]
    alarm = min(hits, default=None)
    delay = None
    if alarm is not None:
        delay = max(backend.model.partitions.distance(first, alarm), 0)
    return Trouble(first=first, last=last, what=what, alarm=alarm, delay=delay)


def _bad_performance(backend: Backend, *, first: str, last: str) -> list[tuple[str, str]]:
    """Times in a row at which realized performance was in ERROR, as it was recorded."""
    keys = backend.model.partitions
    bad = sorted(
        {
            verdict.partition
            for verdict in backend.store.verdicts.read(backend.model.model, since=first, until=last)
            if verdict.kind == "performance" and verdict.severity == "ERROR"
        }
    )
    spans: list[tuple[str, str]] = []
    for partition in bad:
        if spans and keys.distance(spans[-1][1], partition) == 1:
            spans[-1] = (spans[-1][0], partition)
        else:
            spans.append((partition, partition))
    return spans


def _overlap(mark: Mark, first: str, last: str) -> bool:
    return mark.first <= last and mark.last >= first
