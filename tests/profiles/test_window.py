"""Windows read each slice once, remember the last ones, and say which are missing."""

from __future__ import annotations

import pickle
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest

from dagster_monitoring.errors import SliceNotFoundError
from dagster_monitoring.profiles import window
from dagster_monitoring.profiles.delays import Arrivals, DelayCounts, delay_cells
from dagster_monitoring.profiles.performance_profile import PerformanceProfile
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.storage import ProfileStorage
from dagster_monitoring.profiles.window import PerformanceWindows, ProfileWindows
from dagster_monitoring.schema import Partitions
from dagster_monitoring.statistics.performance import BinarySummary
from tests.profiles.conftest import TASK

START = date(2024, 1, 1)
PARTITIONS = Partitions(start=START)
HOURLY = Partitions(start=START, every="hour")


def day(number: int) -> str:
    """The first day of production is 0."""
    return (START + timedelta(days=number)).isoformat()


class CountingStorage(ProfileStorage):
    """Profiles of so many rows by day; counts how often each is read."""

    def __init__(self, rows: dict[int, int]) -> None:
        self.rows = {day(number): n for number, n in rows.items()}
        self.reads: Counter[str] = Counter()

    def _rows(self, partition: str) -> int:
        self.reads[partition] += 1
        if partition not in self.rows:
            raise SliceNotFoundError(partition)
        return self.rows[partition]

    def read(self, model: str, baseline_version: str, partition: str) -> Profile:
        assert (model, baseline_version) == ("late", "b-1")
        return Profile(rows=self._rows(partition), sources=(partition,))

    def read_performance(self, model: str, partition: str) -> PerformanceProfile:
        assert model == "late"
        n = self._rows(partition)
        # Labels came n hours after the slice's end.
        arrivals = Arrivals(ages=DelayCounts.of(np.full(n, n * 3_600_000_000)))
        return PerformanceProfile(summary=BinarySummary(), n=n, arrivals=arrivals)


def windows(storage: ProfileStorage, partitions: Partitions = PARTITIONS) -> ProfileWindows:
    return ProfileWindows(storage, model="late", baseline_version="b-1", partitions=partitions)


def performance_windows(
    storage: ProfileStorage, partitions: Partitions = PARTITIONS
) -> PerformanceWindows:
    return PerformanceWindows(storage, model="late", task=TASK, partitions=partitions)


@pytest.mark.parametrize("make", [windows, performance_windows])
def test_a_window_tells_slices_with_rows_from_those_without(make) -> None:
    own = make(CountingStorage({0: 1, 1: 0, 3: 7, 4: 100}))
    found = own.window(day(4), 4)
    assert found.partitions == (day(3), day(4))
    assert found.missing == (day(1), day(2))
    rows = found.profile.rows if isinstance(found.profile, Profile) else found.profile.n
    assert rows == 107
    first = own.window(day(0), 9)
    assert (first.partitions, first.missing) == ((day(0),), ())
    assert own.slice(day(2)) is None
    assert own.slice(day(3)) is own.slice(day(3))


@pytest.mark.parametrize("make", [windows, performance_windows])
def test_a_slice_is_read_once_until_64_others_were_asked_for(make) -> None:
    storage = CountingStorage(dict.fromkeys(range(70), 1))
    own = make(storage)
    for _ in range(3):
        own.window(day(63), 64)
    assert set(storage.reads.values()) == {1}
    own.slice(day(0))
    # The 65th takes the place of the one that was asked for longest ago, which is no longer day 0.
    own.slice(day(64))
    own.slice(day(0))
    assert storage.reads[day(0)] == 1
    own.slice(day(1))
    assert storage.reads[day(1)] == 2
    assert storage.reads.total() == 66


def hours(storage: CountingStorage, n: int) -> list[str]:
    """The first ``n`` hours, of one row each."""
    first = f"{START}-00:00"
    keys = HOURLY.between(first, HOURLY.shift(first, n - 1))
    storage.rows = dict.fromkeys(keys, 1)
    return keys


@pytest.mark.parametrize("make", [windows, performance_windows])
@pytest.mark.parametrize(("room_for", "kept"), [(10_000, 448), (100, 100), (7, 64)])
def test_of_hours_more_are_kept_as_far_as_there_is_room(
    room_for: int, kept: int, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = CountingStorage({})
    keys = hours(storage, kept + 1)
    one = make(storage, HOURLY).slice(keys[0])
    monkeypatch.setattr(window, "_KEPT_BYTES", room_for * len(pickle.dumps(one)))
    storage.reads.clear()
    own = make(storage, HOURLY)
    for key in [*keys[:-1], *keys[:-1]]:
        own.slice(key)
    assert {*storage.reads.values()} == {1}
    for key in (keys[-1], keys[0]):
        own.slice(key)
    assert storage.reads[keys[0]] == 2


def test_labels_came_in_a_window_when_they_came_in_its_slices() -> None:
    own = performance_windows(CountingStorage({0: 5, 1: 2, 3: 3, 4: 2, 5: 9}))
    three, two = (delay_cells(np.array([n * 3_600_000_000]))[0] for n in (3, 2))
    assert own.arrivals(day(4), 4).ages.counts == {two: 4, three: 3}
    assert own.arrivals(day(2), 1) == Arrivals()


@pytest.mark.parametrize("make", [windows, performance_windows])
def test_a_slice_that_was_not_there_is_looked_for_again(make) -> None:
    storage = CountingStorage({})
    own = make(storage)
    assert own.slice(day(0)) is None
    storage.rows[day(0)] = 5
    assert own.window(day(0), 1).missing == ()


@pytest.mark.parametrize("length", [1, 2, 4, 5, 7, 28, 64, 65])
def test_a_window_is_the_sum_of_its_slices_however_it_moves(length: int) -> None:
    """Numbers of rows are powers of two, so that each sum tells which slices are in it."""
    there = {n: 2**n for n in range(80) if n % 11 != 3}
    own = windows(CountingStorage(there))
    forward = [*range(80)]
    for last in (*forward, 79, *forward[70::-7], *forward[::3], 40, 39, 41, 41, 42):
        found = own.window(day(last), length)
        days = [n for n in range(max(last - length + 1, 0), last + 1) if n in there]
        assert found.profile.rows == sum(there[n] for n in days)
        assert found.profile.sources == found.partitions == tuple(day(n) for n in days)


def test_a_slice_that_is_read_again_is_taken_anew() -> None:
    """A slice that another process has replaced since is not mixed with the earlier one."""
    storage = CountingStorage(dict.fromkeys(range(200), 1))
    own = windows(storage)
    assert own.window(day(9), 6).profile.rows == 6
    for number in range(100, 170):
        own.slice(day(number))
    storage.rows[day(6)] = 1_000
    assert own.window(day(9), 6).profile.rows == 1_005
    assert own.window(day(10), 6).profile.rows == 1_005


def test_a_window_is_kept_until_another_of_its_length_is_asked_for() -> None:
    own = windows(CountingStorage({2: 1, 3: 1, 4: 1}))
    first = own.window(day(4), 4)
    assert own.window(day(3), 2) is not first
    assert own.window(day(4), 4) is first
    # The same slices, of which another one is missing.
    second = own.window(day(5), 4)
    assert (first.missing, second.missing) == ((day(1),), (day(5),))
    assert first.partitions == second.partitions == (day(2), day(3), day(4))


def test_windows_of_different_lengths_do_not_disturb_each_other() -> None:
    own = windows(CountingStorage(dict.fromkeys(range(60), 1)))
    for last in range(30, 60):
        assert [own.window(day(last), n).profile.rows for n in (7, 14, 28, 6)] == [7, 14, 28, 6]


@pytest.mark.parametrize("length", [5, 28])
def test_a_window_that_moves_or_stays_is_not_added_up_anew(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = windows(CountingStorage(dict.fromkeys(range(90), 1)))
    added = 0
    plus = Profile.__add__

    def counted(left: Profile, right: Profile) -> Profile:
        nonlocal added
        added += 1
        return plus(left, right)

    monkeypatch.setattr(Profile, "__add__", counted)
    for last in range(length + 1, 2 * length):
        for each in (length, length + 1):
            own.window(day(last), each)
    # Three or four a step, and once those of all slices.
    assert added <= 2 * (length + 1) + 2 * 4 * length
    added = 0
    own.window(day(2 * length - 1), length)
    assert added <= 4
