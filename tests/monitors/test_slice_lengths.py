"""Monitors of hours: the usual rows, defaults, and slices that a rolling baseline lacked."""

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest

from dagster_monitoring.monitors import Monitor, lacking_slices
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.schema import Partitions
from tests.monitors.conftest import FIRST_DAY, World

DAYS, NIGHT, NIGHT_ROWS, ROWS = 9, range(6), 4, 40
VOLUME = DataQualityMonitor(metrics=("row_volume",))
HOURS = Partitions(start=date.fromisoformat(FIRST_DAY), every="hour")


@pytest.fixture
def hourly(world: World) -> World:
    """Hours with a tenth of the rows at night."""
    table: pa.Table = next(iter(world.slices.values()))
    keys = HOURS.between(HOURS.first, HOURS.shift(HOURS.first, 24 * DAYS - 1))
    rows = [NIGHT_ROWS if number % 24 in NIGHT else ROWS for number in range(len(keys))]
    slices = {key: table.slice(0, n) for key, n in zip(keys, rows, strict=True)}
    return replace(world, partitions=HOURS, slices=slices)


@pytest.mark.parametrize("hour", ["2024-05-09-05:00", "2024-05-09-06:00", "2024-05-09-23:00"])
def test_the_usual_rows_of_an_hour_are_those_of_the_same_hour(hourly: World, hour: str):
    (found,) = VOLUME.measure(hourly.at(hour))
    assert found.value == 1.0
    assert found.reason is not None
    assert "usually about" in found.reason


def test_a_window_of_hours_is_held_to_the_windows_of_the_days_before(hourly: World):
    (found,) = replace_window(VOLUME, 2).measure(hourly.at("2024-05-09-06:00"))
    # The hour from six on, and the last of the night.
    assert (found.value, found.n) == (1.0, ROWS + NIGHT_ROWS)


def test_in_its_first_week_an_hour_is_held_to_the_baselines_rows_an_hour(hourly: World):
    (found,) = VOLUME.measure(hourly.at("2024-05-07-12:00"))
    profile = hourly.baseline.profile
    assert profile.first_timestamp is not None
    assert profile.last_timestamp is not None
    hours = (profile.last_timestamp - profile.first_timestamp) / timedelta(hours=1)
    assert found.value == pytest.approx(ROWS / (profile.rows / max(hours, 1)))


def test_a_rolling_baseline_names_the_slices_it_lacked(world: World):
    monitor = DriftMonitor(window=1, baseline=Rolling(rolling=6), columns=("income",))
    judged, gone = world.days[9], world.days[5]
    (whole,) = monitor.measure(world.at(judged))
    (lacking,) = monitor.measure(world.having(gone, None).at(judged))
    note = f"rolling baseline of 5 of 6 slices, missing {gone}"
    assert lacking_slices([whole.reason]) == []
    assert lacking_slices([lacking.reason, whole.reason, lacking.reason]) == [note]


def test_many_slices_that_are_lacking_are_counted(world: World):
    monitor = DriftMonitor(window=6, columns=("income",))
    judged = world.days[9]
    some = replace(world, slices={key: world.slices[key] for key in (world.days[0], judged)})
    (found,) = monitor.measure(some.at(judged))
    named = ", ".join(world.days[4:7])
    assert lacking_slices([found.reason]) == [
        f"window of 1 of 6 slices, missing {named} and 2 more"
    ]


def test_what_is_left_out_follows_the_length_and_what_is_declared_stays():
    assert [PerformanceMonitor().counted_in(e).window for e in ("hour", "day", "week")] == [
        72,
        3,
        1,
    ]
    assert PerformanceMonitor(window=5).counted_in("hour").window == 5
    assert DataQualityMonitor().counted_in("hour").vanished_after == 168


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        (LearnedThreshold(), (672, 168)),
        (LearnedThreshold(slices=48), (48, 48)),
        (LearnedThreshold(slices=48, minimum_slices=24), (48, 24)),
        (LearnedThreshold(minimum_slices=24), (672, 24)),
    ],
)
def test_learned_limits_of_hours_look_back_as_many_days(
    given: LearnedThreshold, hours: tuple[int, int]
):
    monitor: Monitor = DriftMonitor(threshold=given).counted_in("hour")
    found = monitor.threshold_of("psi")
    assert isinstance(found, LearnedThreshold)
    assert (found.slices, found.minimum_slices) == hours
    assert monitor.past_slices() == hours[0]
    # Written out and read again, it is the same.
    again = DriftMonitor.model_validate(monitor.model_dump()).counted_in("hour")
    assert again.threshold_of("psi") == found


def test_limits_that_learn_nothing_are_the_same_for_any_slices():
    fixed = AbsoluteThreshold(error=Limits(upper=1.0))
    assert DriftMonitor(threshold=fixed).counted_in("hour").threshold_of("psi") == fixed


def replace_window(monitor: DataQualityMonitor, window: int) -> DataQualityMonitor:
    return monitor.model_copy(update={"window": window})
