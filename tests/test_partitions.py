"""Slices of hours, days and weeks: keys, bounds, counts, and what is refused."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.partitions import Partitions

HOURS = Partitions(start=date(2013, 3, 1), timezone="America/New_York", every="hour")
WEEKS = Partitions(start=date(2013, 3, 1), timezone="America/New_York", every="week")


@pytest.mark.parametrize(
    ("day", "keys"),
    [
        ("2013-03-10", ["00:00", "01:00", "03:00"]),
        ("2013-11-03", ["00:00", "01:00", "01:00-0500", "02:00"]),
    ],
)
def test_hours_of_a_clock_change_have_the_names_that_clocks_show(day: str, keys: list[str]):
    found = HOURS.between(f"{day}-00:00", f"{day}-{keys[-1]}")
    assert found == [f"{day}-{key}" for key in keys]
    bounds = [HOURS.bounds(key) for key in found]
    assert {end - start for start, end in bounds} == {timedelta(hours=1)}
    assert all(a[1] == b[0] for a, b in itertools.pairwise(bounds))


def test_a_day_of_hours_has_as_many_as_its_clocks_make_it():
    def count(day: str) -> int:
        return HOURS.distance(HOURS.first_of(day), HOURS.last_of(day)) + 1

    days = ("2013-03-10", "2013-06-01", "2013-11-03")
    assert [count(day) for day in days] == [23, 24, 25]


def test_a_moment_in_the_hour_that_comes_twice_is_in_the_right_one():
    moments = [datetime(2013, 11, 3, hour, 30, tzinfo=UTC) for hour in (5, 6)]
    assert [HOURS.key_of(m) for m in moments] == ["2013-11-03-01:00", "2013-11-03-01:00-0500"]


@pytest.mark.parametrize(
    "text",
    [
        "2013-03-10-02:00",  # clocks left it out
        "2013-03-11-02:00-0400",  # its offset tells nothing apart
        "2013-11-03-01:00-0400",  # the first of two has none
        "2013-06-01-08:30",
        "2013-06-01-24:00",
        "2013-06-01",
        "2013-06-01T08:00",
        "",
    ],
)
def test_what_is_no_hour_is_refused(text: str):
    with pytest.raises(DeclarationError, match="is not an hour: write it as YYYY-MM-DD-HH:00"):
        HOURS.bounds(text)
    assert not HOURS.holds(text)


def test_a_week_is_named_by_its_first_day_alone():
    assert WEEKS.first == "2013-03-04"
    assert WEEKS.bounds("2013-03-04")[1] - WEEKS.bounds("2013-03-04")[0] == timedelta(hours=167)
    with pytest.raises(DeclarationError, match="write its first day"):
        WEEKS.bounds("2013-03-05")
    assert (WEEKS.first_of("2013-03-10"), WEEKS.last_of("2013-03-10")) == ("2013-03-04",) * 2


def test_a_key_of_another_length_is_no_slice():
    """A model whose slices were declared anew meets the keys that its store has."""
    days = Partitions(start=date(2013, 3, 1))
    assert not days.holds("2013-03-04-08:00")
    assert not HOURS.holds("2013-03-04")
    with pytest.raises(DeclarationError, match="is not a day"):
        days.distance("2013-03-04-08:00", "2013-03-05")


def test_production_ends_with_the_last_whole_slice():
    fields = {"start": date(2013, 10, 28), "end": date(2013, 11, 12), "timezone": HOURS.timezone}
    hours, weeks = (Partitions.model_validate(fields | {"every": e}) for e in ("hour", "week"))
    assert hours.last == "2013-11-12-23:00"
    assert weeks.last == "2013-11-04"
    with pytest.raises(DeclarationError, match="lies after the last one, 2013-11-04"):
        weeks.bounds("2013-11-11")
    assert weeks.between("2013-09-30", "2013-12-30") == ["2013-10-28", "2013-11-04"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"every": "week", "end": date(2013, 3, 9)}, "no whole week lies from start"),
        ({"week_start": "sunday"}, "week_start is for every: week, and slices are days"),
        ({"end": date(9999, 12, 31)}, "leave it out while production goes on"),
        ({"every": "hour", "timezone": "Australia/Lord_Howe"}, "use timezone: UTC"),
        ({"every": "month"}, "hour"),
    ],
)
def test_what_can_not_be_is_refused(fields: dict[str, object], message: str):
    with pytest.raises(ValidationError, match=message):
        Partitions.model_validate({"start": date(2013, 3, 1), **fields})


@pytest.mark.parametrize(
    ("every", "days", "slices"),
    [("hour", 3, 72), ("hour", 0.25, 6), ("hour", 0.01, 1), ("day", 3, 3), ("day", 0.5, 1),
     ("week", 14, 2), ("week", 15, 3), ("week", 1, 1)],
)  # fmt: skip
def test_days_are_so_many_slices(every: str, days: float, slices: int):
    partitions = Partitions.model_validate({"start": date(2013, 3, 1), "every": every})
    assert partitions.slices_of(days) == slices
