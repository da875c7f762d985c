"""A monitor set for a model: the default one, made as patient as its own history asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Rule, Verdict, episodes
from dagster_monitoring.monitors import Monitor, default_monitors, with_shares
from dagster_monitoring.monitors.impact import ImpactMonitor
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.replay import DAYS_A_MONTH, replay_verdicts
from dagster_monitoring.schema import Ranking
from dagster_monitoring.stores import MarkKind

PATIENCE = (1, 2, 3, 5)
"""How many slices in a row are tried, from quick to patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A monitor and why it is so.

    Args:
        monitor: with the ``for`` and the severity that are suggested.
        fired: how often it would have fired in the history.
        of_bad: how many of these times were marked bad.
        reason: in a line.
    """

    monitor: Monitor
    fired: int
    of_bad: int
    reason: str


def suggest(
    backend: Backend,
    *,
    first: str,
    last: str,
    alarms_a_month: float,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Suggestion]:
    """The default monitors and that of impact, each with a ``for`` that keeps it within its share.

    The ``for`` is the least that does, of a share of the alarms that all may cost together.
    A monitor that would page more often than its share even when it waits for five slices in a row
    is suggested with severity WARN: recorded, and nobody is paged. Alarms in times that are marked
    bad are what it is for, and count as none.

    Args:
        backend: the model's.
        first: the first partition of the history to learn from.
        last: the last one.
        alarms_a_month: what all monitors together may cost in 30 days.
        now: labels are those known then.
        progress: is told of each partition that is done.
    """
    model = backend.model
    monitors = _candidates(backend, last)
    can_be_tried = backend.baseline_in_force(first).losses is not None
    verdicts = replay_verdicts(
        backend,
        [m for m in monitors if can_be_tried or not m.needs_losses()],
        first=first,
        last=last,
        now=now,
        progress=progress,
    )
    said = {name: list(own) for name, own in groupby(verdicts, key=lambda v: v.monitor)}
    begin, end = model.partitions.bounds(first)[0], model.partitions.bounds(last)[1]
    months = (end - begin).total_seconds() / 86_400 / DAYS_A_MONTH
    paging = [m for m in monitors if m.severity is Severity.ERROR]
    share = alarms_a_month * months / max(len(paging), 1)
    return [
        _suggestion(backend, m, said[m.name], share) if m.name in said else _untried(backend, m)
        for m in monitors
    ]


def _candidates(backend: Backend, last: str) -> Sequence[Monitor]:
    """The default monitors, and that of impact where labels of the baseline tell of errors."""
    model = backend.model
    every = model.partitions.every
    labels = model.ground_truth is not None
    monitors = default_monitors(model.task, model.columns, labels=labels, every=every)
    is_labelled = backend.baseline_in_force(last).reference is not None
    if is_labelled and not isinstance(model.task, Ranking):
        monitors.append(ImpactMonitor().counted_in(every))
    return with_shares(monitors, model.alert_policy, every=every)


def _untried(backend: Backend, monitor: Monitor) -> Suggestion:
    reason = (
        "not tried, for the baseline has no rows with losses: the next one has them (job "
        f"{backend.model.model}_setup)"
    )
    return Suggestion(monitor=monitor, fired=0, of_bad=0, reason=reason)


def _suggestion(
    backend: Backend, monitor: Monitor, said: Sequence[Verdict], share: float
) -> Suggestion:
    if monitor.severity is Severity.WARN:
        reason = "recorded; by default it pages nobody"
        return Suggestion(monitor=monitor, fired=0, of_bad=0, reason=reason)
    keep = monitor.keep_firing_for or backend.model.alert_policy.keep_firing_for
    for patience in PATIENCE:
        rule = Rule(severity=Severity.ERROR, partitions=patience, keep=keep)
        found = episodes(said, rule, cause=monitor.cause)
        bad = sum(_is_marked(backend, e.first, e.last) for e in found)
        if len(found) - bad <= share:
            return Suggestion(
                monitor=monitor.model_copy(update={"for_": patience}),
                fired=len(found),
                of_bad=bad,
                reason=f"fired {len(found)} times, {bad} of them in times marked bad",
            )
    return Suggestion(
        monitor=monitor.model_copy(update={"severity": Severity.WARN}),
        fired=len(found),
        of_bad=bad,
        reason=f"fired {len(found)} times even when it waits for {PATIENCE[-1]} slices: recorded "
        "only. Look at its limits, or mark the times that were bad",
    )


def _is_marked(backend: Backend, first: str, last: str) -> bool:
    marks = backend.store.marks.list(backend.model.model, kind=MarkKind.BAD)
    return any(mark.first <= last and mark.last >= first for mark in marks)
