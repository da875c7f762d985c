"""Partitions beside Dagster's own: the same keys, and the same moments at which they begin."""

import itertools
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.naming import partitions_definition
from dagster_monitoring.partitions import WEEKDAYS, Partitions, Weekday
from tests.orchestration.world import fields_of

# Changes by an hour at one, two and three o'clock; at midnight, forwards (it does not exist) and
# backwards (it comes twice); by half an hour; offsets of a part of an hour; none; a day left out.
ZONES = (
    "UTC", "America/New_York", "Europe/Berlin", "Europe/London", "America/Sao_Paulo",
    "Africa/Cairo", "Asia/Beirut", "Asia/Gaza", "America/Havana", "America/Asuncion",
    "Atlantic/Azores", "America/Scoresbysund", "America/St_Johns", "Asia/Tehran", "Asia/Kolkata",
    "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Auckland", "Africa/Casablanca", "Asia/Tokyo",
    "Pacific/Apia",
)  # fmt: skip
DATES = st.dates(date(2005, 1, 1), date(2031, 10, 1))
ONLY_DAYS = ("Australia/Lord_Howe", "Antarctica/Troll", "Asia/Pyongyang")
# Samoa left this day out; Dagster has a key of it, and gives it the bounds of the next.
NO_DAY = {"Pacific/Apia": "2011-12-30"}
# A range that ends with the day after it lacks that last day in Dagster, and no other does.
LOST = ("Pacific/Apia", date(2011, 12, 31))


def dagsters(partitions: Partitions) -> dg.TimeWindowPartitionsDefinition:
    fields = fields_of("late") | {"partitions": partitions.model_dump()}
    return partitions_definition(MonitoredModel.read(fields))


def windows(definition: dg.TimeWindowPartitionsDefinition) -> dict[str, tuple[datetime, datetime]]:
    """All keys there are by 2035, with their bounds in UTC."""
    with partition_loading_context(effective_dt=datetime(2035, 1, 1, tzinfo=UTC)):
        keys = definition.get_partition_keys()
        found = [definition.time_window_for_partition_key(key) for key in keys]
        assert all(definition.has_partition_key(key) for key in keys)
    return {
        key: (window.start.astimezone(UTC), window.end.astimezone(UTC))
        for key, window in zip(keys, found, strict=True)
    }


def assert_same_as_dagsters(partitions: Partitions) -> None:
    theirs = windows(dagsters(partitions))
    keys = list(theirs)
    assert partitions.between(partitions.first, str(partitions.last)) == keys
    assert (partitions.first, partitions.last) == (keys[0], keys[-1])
    assert sorted(keys) == keys, "keys sort as texts in the order of time"
    for number, key in enumerate(keys):
        assert partitions.shift(partitions.first, number) == key
        assert partitions.distance(key, keys[0]) == -number
        if key != NO_DAY.get(partitions.timezone):
            assert partitions.bounds(key) == theirs[key]
            assert partitions.key_of(theirs[key][0]) == key
            assert partitions.key_of(theirs[key][1] - timedelta(microseconds=1)) == key


@cache
def changes(zone: str) -> list[date]:
    """The days on which the zone's clocks were set, or some day where they never were."""
    noons = [datetime(2005, 1, 1, 12, tzinfo=ZoneInfo(zone)) + timedelta(i) for i in range(9800)]
    pairs = itertools.pairwise(noons)
    return [b.date() for a, b in pairs if a.utcoffset() != b.utcoffset()] or [date(2020, 2, 29)]


@st.composite
def spans(draw: st.DrawFn, most: int) -> tuple[str, date, date]:
    """A zone, and some days in it; often a day is among them on which clocks are set."""
    zone = draw(st.sampled_from(ZONES))
    around = draw(st.one_of(st.sampled_from(changes(zone)), DATES))
    start = around - timedelta(days=draw(st.integers(0, most)))
    end = start + timedelta(days=draw(st.integers(0, most)))
    assume(start < end or str(start) != NO_DAY.get(zone))
    return zone, start, end


@given(spans(3))
@settings(max_examples=60)
def test_hours_are_dagsters(span: tuple[str, date, date]) -> None:
    zone, start, end = span
    assert_same_as_dagsters(Partitions(start=start, end=end, timezone=zone, every="hour"))


@given(spans(40))
@settings(max_examples=60)
def test_days_are_dagsters(span: tuple[str, date, date]) -> None:
    zone, start, end = span
    assume((zone, end) != LOST)
    assert_same_as_dagsters(Partitions(start=start, end=end, timezone=zone))


@given(spans(60), st.sampled_from(WEEKDAYS))
@settings(max_examples=60)
def test_weeks_are_dagsters(span: tuple[str, date, date], week_start: Weekday) -> None:
    zone, start, end = span
    weeks = Partitions(
        start=start,
        end=end + timedelta(days=14),
        timezone=zone,
        every="week",
        week_start=week_start,
    )
    assert_same_as_dagsters(weeks)


@pytest.mark.parametrize("zone", sorted({"Pacific/Apia", "Asia/Pyongyang", *ZONES, *ONLY_DAYS}))
def test_days_of_every_change_of_a_zone_are_dagsters(zone: str) -> None:
    for day in changes(zone)[:: max(1, len(changes(zone)) // 12)]:
        around = timedelta(days=2)
        assert_same_as_dagsters(Partitions(start=day - around, end=day + around, timezone=zone))


@pytest.mark.parametrize("zone", ONLY_DAYS)
def test_hours_that_dagster_can_not_name_are_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="use timezone: UTC, or every: day"):
        Partitions(start=date(2014, 1, 1), timezone=zone, every="hour")


def test_dagster_does_not_know_its_own_hours_where_clocks_are_set_by_half_an_hour() -> None:
    """Why such zones are refused: should this fail one day, they need not be."""
    hours = dg.HourlyPartitionsDefinition(
        "2024-04-06-00:00", "2024-04-20-00:00", timezone="Australia/Lord_Howe"
    )
    with partition_loading_context(effective_dt=datetime(2035, 1, 1, tzinfo=UTC)):
        assert hours.get_partition_keys()[-1] == "2024-04-19-23:30"
        assert not hours.has_partition_key("2024-04-19-23:30")


def test_a_day_that_a_zone_left_out_is_a_slice_without_time() -> None:
    samoa = Partitions(start=date(2011, 12, 1), timezone="Pacific/Apia")
    start, end = samoa.bounds("2011-12-30")
    assert start == end == samoa.bounds("2011-12-31")[0]
    assert samoa.key_of(start) == "2011-12-31"
