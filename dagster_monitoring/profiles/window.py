"""Slices put together: a window's profile is the sum of its slices'."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from operator import is_
from typing import Generic, Protocol, TypeVar

from dagster_monitoring.errors import SliceNotFoundError
from dagster_monitoring.profiles.delays import Arrivals
from dagster_monitoring.profiles.performance_profile import PerformanceProfile, merge_performance
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.schema import Partitions, Task

T = TypeVar("T")

_FEW = 4

_KEPT = 64
"""Slices that are kept in memory: two rolling windows of 28 days."""

_KEPT_HOURS, _KEPT_BYTES = 448, 1 << 28
"""Of hours as many as a rolling baseline of two weeks and its window have, if they are small."""


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


class ReadsProfiles(Protocol):
    """Where profiles of slices are read; raises ``SliceNotFoundError`` for one that is not there.

    ``ProfileStorage`` is one.
    """

    def read(self, model: str, baseline_version: str, partition: str) -> Profile:
        """A slice's profile."""
        ...

    def read_performance(self, model: str, partition: str) -> PerformanceProfile:
        """A slice's performance profile."""
        ...


class ProfileWindows:
    """Windows over the stored profiles of one model and baseline; slices are read once.

    Args:
        storage: where the profiles are.
        model: the model's name.
        baseline_version: the baseline on whose bins they were counted.
        partitions: the model's; a window never begins before the first one.
    """

    def __init__(
        self,
        storage: ReadsProfiles,
        *,
        model: str,
        baseline_version: str,
        partitions: Partitions,
    ) -> None:
        self._partitions = partitions
        self._slices = _Recent[Profile](
            lambda key: storage.read(model, baseline_version, key),
            most=_KEPT_HOURS if partitions.every == "hour" else _KEPT,
        )
        self._sums: dict[int, _MovingSum] = {}
        # Of each length the last one: several monitors look at it, one after the other.
        self._last: dict[int, tuple[dict[str, Profile], Window]] = {}

    def slice(self, partition: str) -> Profile | None:
        """A slice's profile; ``None`` when it has none."""
        return self._slices.get(partition)

    def window(self, last: str, length: int) -> Window:
        """The ``length`` slices up to and with ``last``, as far as there are any."""
        days = _days(self._partitions, last, length)
        found = {day: profile for day in days if (profile := self.slice(day)) is not None}
        before, window = self._last.get(length, ({}, None))
        is_same = before.keys() == found.keys() and all(before[day] is found[day] for day in found)
        missing = tuple(day for day in days if day not in found or not found[day].rows)
        if window is None or not is_same or window.missing != missing:
            window = Window(
                profile=self._sum([*found.values()], length),
                partitions=tuple(day for day, profile in found.items() if profile.rows),
                missing=missing,
            )
            self._last[length] = found, window
        return window

    def _sum(self, slices: list[Profile], length: int) -> Profile:
        """One that moves on day by day; of few slices, or of more than are kept, a plain sum."""
        if _FEW < length <= _KEPT:
            return self._sums.setdefault(length, _MovingSum()).of(slices)
        return merge(slices)


class PerformanceWindows:
    """Windows over the stored performance profiles of one model; slices are read once."""

    def __init__(
        self, storage: ReadsProfiles, *, model: str, task: Task, partitions: Partitions
    ) -> None:
        self._partitions, self._task = partitions, task
        self._slices = _Recent[PerformanceProfile](
            lambda key: storage.read_performance(model, key),
            most=_KEPT_HOURS if partitions.every == "hour" else _KEPT,
        )

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

    def arrivals(self, last: str, length: int) -> Arrivals:
        """When labels of these slices came; far less to add up than all that is known of them."""
        found = (self.slice(day) for day in _days(self._partitions, last, length))
        return sum((profile.arrivals for profile in found if profile is not None), Arrivals())


class _MovingSum:
    """The sum of slices that come and go in order, in three additions a step.

    Sums of the older slices up to a fixed one are kept, each from another slice on, and beside
    them that of the younger ones. Adding profiles gives the same in any order and grouping, so
    it is the sum to the byte. Slices that do not follow on are added up anew.
    """

    def __init__(self) -> None:
        self._slices: list[Profile] = []
        self._older: list[Profile] = []
        self._younger = Profile()

    def of(self, slices: list[Profile]) -> Profile:
        """The sum of these, oldest first."""
        gone = self._gone(slices)
        if gone is None:
            self._younger = Profile()
            self._older = [*accumulate(reversed(slices), initial=Profile())][:0:-1]
        else:
            self._younger = merge([self._younger, *slices[len(self._slices) - gone :]])
            del self._older[:gone]
        self._slices = slices
        return merge([*self._older[:1], self._younger])

    def _gone(self, slices: list[Profile]) -> int | None:
        """How many of the older ones are gone; ``None`` when these do not follow the last."""
        if not slices:
            return None
        for gone, older in enumerate(self._slices[: len(self._older)]):
            if older is slices[0]:
                stayed = self._slices[gone:]
                follows = len(stayed) <= len(slices) and all(map(is_, stayed, slices))
                return gone if follows else None
        return None


class _Recent(Generic[T]):
    """What was read last, up to a number of slices; fewer of those that take much memory."""

    def __init__(self, read: Callable[[str], T], *, most: int) -> None:
        self._read = read
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, partition: str) -> T | None:
        if partition in self._kept:
            self._kept.move_to_end(partition)
            return self._kept[partition]
        try:
            found = self._read(partition)
        except SliceNotFoundError:
            return None
        if not self._kept and self._most > _KEPT:
            self._most = max(_KEPT, min(self._most, _KEPT_BYTES // len(pickle.dumps(found))))
        self._kept[partition] = found
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found


def _days(partitions: Partitions, last: str, length: int) -> list[str]:
    return partitions.between(partitions.shift(last, 1 - length), last)
