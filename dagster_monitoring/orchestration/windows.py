"""Windows of slices, whichever baseline they were counted on first."""

from __future__ import annotations

from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.slices import profile_slice
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.window import (
    PerformanceWindow,
    PerformanceWindows,
    ProfileWindows,
    Window,
)


class SliceProfiles:
    """Windows over a model's stored slices.

    A window that reaches back behind a change of baseline needs slices on the new bins: they are
    scanned again, once, and kept.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._by_version: dict[str, ProfileWindows] = {}
        model = backend.model
        self._performance = PerformanceWindows(
            backend.storage, model=model.model, task=model.task, partitions=model.partitions
        )

    def window(self, baseline: Baseline, *, last: str, length: int) -> Window:
        """The profile of the ``length`` slices that end with ``last``, on a baseline's bins."""
        windows = self._windows(baseline)
        found = windows.window(last, length)
        counted_elsewhere = [day for day in found.missing if self._was_counted(day)]
        if not counted_elsewhere:
            return found
        for day in counted_elsewhere:
            profile = profile_slice(self._backend, day, baseline)
            self._backend.storage.write(self._backend.model.model, baseline.version, day, profile)
        return windows.window(last, length)

    def performance_window(self, *, last: str, length: int) -> PerformanceWindow:
        """Predictions against labels over the ``length`` slices that end with ``last``."""
        return self._performance.window(last, length)

    def _windows(self, baseline: Baseline) -> ProfileWindows:
        if baseline.version not in self._by_version:
            self._by_version[baseline.version] = ProfileWindows(
                self._backend.storage,
                model=self._backend.model.model,
                baseline_version=baseline.version,
                partitions=self._backend.model.partitions,
            )
        return self._by_version[baseline.version]

    def _was_counted(self, day: str) -> bool:
        name, storage = self._backend.model.model, self._backend.storage
        versions = [b.version for b in self._backend.store.baselines.list(name)]
        return any(storage.exists(name, version, day) for version in versions)
