"""Slices put together: a window's profile is the sum of its slices'."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from dagster_monitoring.errors import SliceNotFoundError
from dagster_monitoring.profiles.performance_profile import PerformanceProfile, merge_performance
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.storage import ProfileStorage
from dagster_monitoring.schema import Partitions, Task

T = TypeVar("T")

_KEPT = 64
"""Slices that are kept in memory: two rolling windows of 28 days."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """Slices evaluated together.

    Attributes:
        profile: their sum.
        partitions: the slices that are in it and have rows, oldest first.
        missing: slices that should be in it and have no profile, or no row.
    """

    profile: Profile
    partitions: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PerformanceWindow:
    """Labelled predictions of slices evaluated together; the fields are as in ``Window``."""

    profile: PerformanceProfile
    partitions: tuple[str, ...]
    missing: tuple[str, ...] = ()


class ProfileWindows:
    """Windows over the stored profiles of one model and baseline; slices are read once.

    Args:
        storage: where the profiles are.
        model: the model's name.
        baseline_version: the baseline on whose bins they were counted.
        partitions: the model's days; a window never begins before the first one.
    """

    def __init__(
        self,
        storage: ProfileStorage,
        *,
        model: str,
        baseline_version: str,
        partitions: Partitions,
    ) -> None:
        self._partitions = partitions
        self._slices = _Recent[Profile](lambda day: storage.read(model, baseline_version, day))

    def slice(self, partition: str) -> Profile | None:
        """A slice's profile; ``None`` when it has none."""
        return self._slices.get(partition)

    def window(self, last: str, length: int) -> Window:
        """The ``length`` slices up to and with ``last``, as far as there are any."""
        days = _days(self._partitions, last, length)
        found = {day: profile for day in days if (profile := self.slice(day)) is not None}
        return Window(
            profile=merge(found.values()),
            partitions=tuple(day for day, profile in found.items() if profile.rows),
            missing=tuple(day for day in days if day not in found or not found[day].rows),
        )


class PerformanceWindows:
    """Windows over the stored performance profiles of one model; slices are read once."""

    def __init__(
        self, storage: ProfileStorage, *, model: str, task: Task, partitions: Partitions
    ) -> None:
        self._partitions, self._task = partitions, task
        self._slices = _Recent[PerformanceProfile](lambda day: storage.read_performance(model, day))

    def slice(self, partition: str) -> PerformanceProfile | None:
        """A slice's performance profile; ``None`` when it has none."""
        return self._slices.get(partition)

    def window(self, last: str, length: int) -> PerformanceWindow:
        """The ``length`` slices up to and with ``last``, as far as there are any."""
        days = _days(self._partitions, last, length)
        found = {day: profile for day in days if (profile := self.slice(day)) is not None}
        return PerformanceWindow(
            profile=merge_performance(found.values(), task=self._task),
            partitions=tuple(day for day, profile in found.items() if profile.n),
            missing=tuple(day for day in days if day not in found or not found[day].n),
        )


class _Recent(Generic[T]):
    """What was read last, up to a number of slices."""

    def __init__(self, read: Callable[[str], T]) -> None:
        self._read = read
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, partition: str) -> T | None:
        if partition in self._kept:
            self._kept.move_to_end(partition)
            return self._kept[partition]
        try:
            found = self._read(partition)
        except SliceNotFoundError:
            return None
        self._kept[partition] = found
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found


def _days(partitions: Partitions, last: str, length: int) -> list[str]:
    return partitions.between(partitions.shift(last, 1 - length), last)
