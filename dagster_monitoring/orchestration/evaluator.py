"""Judges partitions: measures, compares with the past, and keeps the evaluations."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.monitors import Measurement, Monitor, evaluate, past_partitions
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.view import PartitionView
from dagster_monitoring.orchestration.windows import SliceProfiles

# Learned limits look at most at some weeks: what is measured for one day serves the next days too.
MEASUREMENTS_KEPT = 256


class Evaluator:
    """Evaluates monitors at partitions, in any order, with the same verdicts.

    What learned limits rest on is measured again from stored profiles, never read from earlier
    verdicts: a partition's verdict does not depend on which partitions were judged before it.

    Args:
        backend: the model's storage and store.
        run_id: the run that evaluates, for the record.
        now: the moment as of which labels are read, and due.
    """

    def __init__(self, backend: Backend, *, run_id: str | None, now: datetime) -> None:
        self._backend = backend
        self._run_id = run_id
        self._now = now
        self._profiles = SliceProfiles(backend, now=now)
        self._measured: OrderedDict[tuple[str, str, str], list[Measurement]] = OrderedDict()

    def judge(self, monitors: Sequence[Monitor], partition: str) -> dict[str, list[Evaluation]]:
        """Evaluate monitors at a partition and keep the result; evaluations by monitor."""
        view = PartitionView(
            backend=self._backend,
            profiles=self._profiles,
            baseline=self._backend.baseline_in_force(partition),
            partition=partition,
            now=self._now,
        )
        found = {monitor.name: self._evaluate(monitor, view) for monitor in monitors}
        self._backend.store.evaluations.record(
            [evaluation for rows in found.values() for evaluation in rows], complete=True
        )
        return found

    def _evaluate(self, monitor: Monitor, view: PartitionView) -> list[Evaluation]:
        past = [
            self._measure(monitor, view, partition) for partition in past_partitions(monitor, view)
        ]
        measured = self._measure(monitor, view, view.partition)
        return evaluate(monitor, view, past, measured=measured, run_id=self._run_id, now=self._now)

    def _measure(self, monitor: Monitor, view: PartitionView, partition: str) -> list[Measurement]:
        key = (monitor.name, view.baseline.version, partition)
        if key not in self._measured:
            self._measured[key] = monitor.measure(view.at(partition))
            if len(self._measured) > MEASUREMENTS_KEPT:
                self._measured.popitem(last=False)
        self._measured.move_to_end(key)
        return self._measured[key]
