"""Performance as it would have been judged with the labels known at a moment.

The record of evaluations tells what was said when. Where days were judged long after, as in a
backfill, this tells what could have been said: labels are read from the ledger as of the moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dagster_monitoring.errors import DataError, SliceNotFoundError
from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.evaluator import Evaluator
from dagster_monitoring.orchestration.judging import ON_LABELS
from dagster_monitoring.orchestration.performance_profiles import performance_as_of
from dagster_monitoring.orchestration.slices import profile_slice
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.delays import Arrivals
from dagster_monitoring.profiles.performance_profile import PerformanceProfile
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.window import (
    PerformanceWindow,
    PerformanceWindows,
    ProfileWindows,
    Window,
)


def evaluate_as_of(
    model: MonitoredModel,
    labels: datetime | timedelta,
    *,
    monitor: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[Evaluation]:
    """The performance monitors' evaluations with the labels known at a moment; nothing is kept.

    Labels are those that were available by then, and of each the highest revision among them.
    Slices, baselines and settings are those that judge each partition now.

    Args:
        model: what is monitored.
        labels: the moment, with a time zone; or how long after each partition's end, in calendar
            days of the model's time zone where it is whole days: 0 is the end itself.
        monitor: only of this monitor.
        since: from this partition on.
        until: to this partition, included.

    Returns:
        By partition and monitor, ``evaluated_at`` the moment. Partitions that had not ended then,
        and those that no run joined with labels yet, are left out.

    Raises:
        BaselineError: no baseline was built yet.
        StoreError: the store can't be reached.
    """
    with open_backend(model) as backend:
        known = [day for day in backend.judged_days() if model.partitions.holds(day)]
        days = [day for day in known if (since or day) <= day <= (until or day)]
        asked = _Asked(backend, monitor)
        found = [asked.at(day, _moment(model, day, labels)) for day in days]
    return [evaluation for some in found for evaluation in some]


def _moment(model: MonitoredModel, partition: str, labels: datetime | timedelta) -> datetime:
    if isinstance(labels, datetime):
        return labels
    end = model.partitions.bounds(partition)[1]
    # Added to the clock on the wall: so a day later is a calendar day later.
    return (end.astimezone(ZoneInfo(model.partitions.timezone)) + labels).astimezone(UTC)


class _Asked:
    """Evaluates partitions, each as of a moment; one object serves one question."""

    def __init__(self, backend: Backend, monitor: str | None) -> None:
        self._backend = backend
        self._monitors = [
            m
            for m in backend.model.active_monitors
            if m.asset == ON_LABELS and monitor in {None, m.name}
        ]
        self._now: datetime | None = None

    def at(self, partition: str, moment: datetime) -> list[Evaluation]:
        """The evaluations of a partition; none where it had not ended."""
        backend = self._backend
        if backend.model.partitions.bounds(partition)[1] > moment:
            return []
        if moment != self._now:
            self._now = moment
            slices = SlicesAsOf(backend, now=moment)
            self._evaluator = Evaluator(backend, slices, run_id=None, now=moment)
            self._declarations = Declarations(backend=backend, now=moment, keeps=False)
        rules = self._declarations.rules(partition, self._monitors)
        found = self._evaluator.evaluate(rules, partition)
        return [evaluation for some in found.by_monitor.values() for evaluation in some]


class SlicesAsOf:
    """Windows over a model's slices with the labels known at a moment; nothing is written."""

    def __init__(self, backend: Backend, *, now: datetime) -> None:
        self._reader = _Reader(backend, now)
        self._backend = backend
        model = backend.model
        self._by_version: dict[str, ProfileWindows] = {}
        self._performance = PerformanceWindows(
            self._reader, model=model.model, task=model.task, partitions=model.partitions
        )

    def window(self, baseline: Baseline, *, last: str, length: int) -> Window:
        """The profile of the ``length`` slices that end with ``last``, on a baseline's bins."""
        if baseline.version not in self._by_version:
            self._by_version[baseline.version] = ProfileWindows(
                self._reader,
                model=self._backend.model.model,
                baseline_version=baseline.version,
                partitions=self._backend.model.partitions,
            )
        return self._by_version[baseline.version].window(last, length)

    def performance_window(self, *, last: str, length: int) -> PerformanceWindow:
        """Predictions against labels over the ``length`` slices that end with ``last``."""
        return self._performance.window(last, length)

    def arrivals(self, *, last: str, length: int) -> Arrivals:
        """When the labels of these slices came."""
        return self._performance.arrivals(last, length)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Stored profiles, and slices joined anew with the labels of a moment."""

    backend: Backend
    now: datetime

    def read(self, model: str, baseline_version: str, partition: str) -> Profile:
        storage = self.backend.storage
        try:
            return storage.read(model, baseline_version, partition)
        except SliceNotFoundError:
            found = profile_slice(self.backend, partition, self.backend.baseline(baseline_version))
            if found.is_empty:
                raise
            return found

    def read_performance(self, model: str, partition: str) -> PerformanceProfile:
        try:
            return performance_as_of(self.backend, partition, as_of=self.now)
        except DataError as error:
            raise SliceNotFoundError(f"{model}, partition {partition}: {error}") from error
