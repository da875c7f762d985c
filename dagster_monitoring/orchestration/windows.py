"""Windows of slices, in whichever order and on whichever baseline they were counted first."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.counting import keep_profile
from dagster_monitoring.orchestration.performance_profiles import join_if_stale
from dagster_monitoring.orchestration.slices import profile_slice
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.delays import Arrivals
from dagster_monitoring.profiles.window import (
    PerformanceWindow,
    PerformanceWindows,
    ProfileWindows,
    Window,
)


class Slices(Protocol):
    """Windows over a model's slices, as views look at them."""

    def window(self, baseline: Baseline, *, last: str, length: int) -> Window:
        """The profile of the ``length`` slices that end with ``last``, on a baseline's bins."""
        ...

    def performance_window(self, *, last: str, length: int) -> PerformanceWindow:
        """Predictions against labels over the ``length`` slices that end with ``last``."""
        ...

    def arrivals(self, *, last: str, length: int) -> Arrivals:
        """When the labels of these slices came."""
        ...


class SliceProfiles:
    """Windows over a model's stored slices.

    A window is whole whatever ran before it: a slice that was not counted yet, or on the bins of
    another baseline, is scanned now and kept; one whose labels changed is joined with them again.
    So a day's verdict is the same live, in a backfill, and in any order of days. One object serves
    one run: it looks at each slice once, with the labels available at ``now``.
    """

    def __init__(self, backend: Backend, *, now: datetime) -> None:
        self.counted: dict[str, list[str]] = {}
        """The slices that were counted for a window, by baseline version."""
        self.changes: set[int] = set()
        """The numbers of the changes of slices that this made known."""
        self._backend = backend
        self._now = now
        self._by_version: dict[str, ProfileWindows] = {}
        self._looked_for: set[tuple[str, str]] = set()
        self._joined: set[str] = set()
        model = backend.model
        self._performance = PerformanceWindows(
            backend.storage, model=model.model, task=model.task, partitions=model.partitions
        )

    def window(self, baseline: Baseline, *, last: str, length: int) -> Window:
        """The profile of the ``length`` slices that end with ``last``, on a baseline's bins."""
        windows = self._windows(baseline)
        found = windows.window(last, length)
        asked = {(baseline.version, day) for day in found.missing}
        new = sorted(asked - self._looked_for)
        self._looked_for |= asked
        counted = [self._count(baseline, day) for _, day in new]
        return windows.window(last, length) if any(counted) else found

    def performance_window(self, *, last: str, length: int) -> PerformanceWindow:
        """Predictions against labels over the ``length`` slices that end with ``last``."""
        self._join(last, length)
        return self._performance.window(last, length)

    def arrivals(self, *, last: str, length: int) -> Arrivals:
        """When the labels of these slices came."""
        self._join(last, length)
        return self._performance.arrivals(last, length)

    def knows(self, change: int | None) -> None:
        """Takes note of a slice's change, if there was one, that the windows hold already."""
        if change is not None:
            self.changes.add(change)

    def _join(self, last: str, length: int) -> None:
        days = self._backend.model.partitions
        for day in days.between(days.shift(last, 1 - length), last):
            if day not in self._joined:
                self.knows(join_if_stale(self._backend, day, as_of=self._now))
                self._joined.add(day)

    def _count(self, baseline: Baseline, day: str) -> bool:
        """Scans a slice if it is there; what can't be read now is looked for again next time."""
        profile = profile_slice(self._backend, day, baseline)
        if profile.is_empty:
            return False
        self.knows(keep_profile(self._backend, baseline.version, day, profile))
        self.counted.setdefault(baseline.version, []).append(day)
        return True

    def _windows(self, baseline: Baseline) -> ProfileWindows:
        if baseline.version not in self._by_version:
            self._by_version[baseline.version] = ProfileWindows(
                self._backend.storage,
                model=self._backend.model.model,
                baseline_version=baseline.version,
                partitions=self._backend.model.partitions,
            )
        return self._by_version[baseline.version]
