"""Judges partitions: measures, and compares with the past."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.monitors import (
    Measurement,
    Once,
    evaluate,
    limits_in_force,
    past_partitions,
    past_reach,
)
from dagster_monitoring.monitors.threshold import Levels
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.declarations import Rule
from dagster_monitoring.orchestration.view import PartitionView
from dagster_monitoring.orchestration.windows import Slices
from dagster_monitoring.partitions import Every
from dagster_monitoring.statistics.undefined import Undefined

# Learned limits look at most at some weeks: what is measured for one day serves the next days too.
MEASUREMENTS_KEPT: Mapping[Every, int] = {"hour": 6144, "day": 256, "week": 256}


AHEAD = 8
"""Partitions of a range that are measured together."""


class Evaluated(NamedTuple):
    """A partition's evaluations by monitor, and how many slices before it they look at."""

    by_monitor: dict[str, list[Evaluation]]
    back: int


class _Measured(NamedTuple):
    """A monitor's values of a partition, and how many slices before it they look at."""

    values: list[Measurement]
    back: int


def marked_partitions(backend: Backend) -> frozenset[str]:
    """Every partition of a model that somebody marked, as whatever."""
    keys, marks = backend.model.partitions, backend.store.marks.list(backend.model.model)
    return frozenset(key for mark in marks for key in keys.between(mark.first, mark.last))


class Evaluator:
    """Evaluates monitors at partitions, in any order, with the same verdicts.

    What learned limits rest on is measured again from stored profiles, never read from earlier
    verdicts: a partition's verdict does not depend on which partitions were judged before it.

    Args:
        backend: the model's storage and store.
        profiles: the slices it looks at, with the labels known at ``now``.
        run_id: the run that evaluates, for the record.
        now: the moment as of which labels are read, and due.
    """

    def __init__(
        self, backend: Backend, profiles: Slices, *, run_id: str | None, now: datetime
    ) -> None:
        self._backend = backend
        self._run_id = run_id
        self._now = now
        self._profiles = profiles
        self._left_out = marked_partitions(backend)
        self._measured: OrderedDict[tuple[str, ...], _Measured] = OrderedDict()
        self._once = Once()

    def evaluate(self, rules: Sequence[Rule], partition: str) -> Evaluated:
        """The evaluations of a partition, and how far back they look."""
        found = {rule.monitor.name: self._evaluate(rule, partition) for rule in rules}
        return Evaluated(
            by_monitor={name: rows for name, (rows, _) in found.items()},
            back=max((back for _, back in found.values()), default=0),
        )

    def limits(self, rule: Rule, partition: str) -> list[tuple[Measurement, Levels | Undefined]]:
        """Both levels that each value of a monitor is held to at a partition."""
        view = self.view(rule, partition)
        *past, own = self._measure(rule, (*past_partitions(rule.monitor, view), partition))
        return limits_in_force(rule.monitor, view, [m.values for m in past], measured=own.values)

    def measure_ahead(self, asked: Iterable[tuple[Sequence[Rule], str]]) -> None:
        """Measures at partitions that are judged next, all at once; their verdicts stay the same.

        Args:
            asked: a partition each, with the rules that will judge it.
        """
        together: dict[tuple[str, ...], tuple[Rule, list[str]]] = {}
        for rules, partition in asked:
            for rule in rules:
                together.setdefault(_key(rule), (rule, []))[1].append(partition)
        for rule, partitions in together.values():
            self._measure(rule, partitions)

    def view(self, rule: Rule, partition: str) -> PartitionView:
        """What a rule's monitor sees at a partition, and shares there with the others."""
        return PartitionView(
            backend=self._backend,
            profiles=self._profiles,
            baseline=self._backend.baseline(rule.baseline_version),
            settings=rule.settings,
            partition=partition,
            now=self._now,
            left_out=self._left_out,
            once=self._once,
        )

    def _evaluate(self, rule: Rule, partition: str) -> tuple[list[Evaluation], int]:
        monitor, view = rule.monitor, self.view(rule, partition)
        earlier = past_partitions(monitor, view)
        *past, own = self._measure(rule, (*earlier, partition))
        found = evaluate(
            monitor,
            view,
            [measured.values for measured in past],
            measured=own.values,
            run_id=self._run_id,
            now=self._now,
        )
        version, declared = rule.settings.version, rule.declared
        rows = [replace(e, declaration_version=version, declared=declared) for e in found]
        reached = [
            view.partitions.distance(day, partition) + measured.back
            for day, measured in zip(earlier, past, strict=True)
        ]
        looked_for = past_reach(monitor, view) if self._left_out else 0
        return rows, max([own.back, looked_for, *reached])

    def _measure(self, rule: Rule, partitions: Sequence[str]) -> list[_Measured]:
        """A monitor's values at partitions; those that are not known are measured together."""
        keys = [(*_key(rule), partition) for partition in partitions]
        new = [key for key in keys if key not in self._measured]
        views = [self.view(rule, partition) for *_, partition in new]
        measured = rule.monitor.measure_each(views)
        for key, view, values in zip(new, views, measured, strict=True):
            self._measured[key] = _Measured(values, max(view.looked_back, default=0))
        for key in keys:
            self._measured.move_to_end(key)
        found = [self._measured[key] for key in keys]
        while len(self._measured) > MEASUREMENTS_KEPT[self._backend.model.partitions.every]:
            self._measured.popitem(last=False)
        return found


def _key(rule: Rule) -> tuple[str, ...]:
    return rule.monitor.name, rule.settings.version, rule.baseline_version
