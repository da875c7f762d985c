"""Partitions: days of a time zone, also where clocks change."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.schema import Partitions

NEW_YORK = Partitions(start="2013-03-01", timezone="America/New_York")


@pytest.mark.parametrize(
    ("day", "hours"), [("2013-03-10", 23), ("2013-06-13", 24), ("2013-11-03", 25)]
)
def test_a_day_is_as_long_as_its_clocks_make_it(day, hours):
    start, end = NEW_YORK.bounds(day)
    assert end - start == timedelta(hours=hours)


def test_days_follow_each_other_without_a_gap():
    days = NEW_YORK.between("2013-03-01", "2013-12-31")
    bounds = [NEW_YORK.bounds(day) for day in days]
    assert len(days) == 306
    assert all(a[1] == b[0] for a, b in itertools.pairwise(bounds))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2013, 6, 14, 3, 59, tzinfo=UTC), "2013-06-13"),
        (datetime(2013, 6, 14, 4, 0, tzinfo=UTC), "2013-06-14"),
        (datetime(2013, 11, 4, 4, 59, tzinfo=UTC), "2013-11-03"),
    ],
)
def test_a_moment_falls_into_its_local_day(moment, day):
    assert NEW_YORK.key_of(moment) == day
    start, end = NEW_YORK.bounds(day)
    assert start <= moment < end


def test_keys_before_the_start_are_refused_where_bounds_are_asked():
    with pytest.raises(DeclarationError, match="lies before the first one, 2013-03-01"):
        NEW_YORK.bounds("2013-02-28")
    with pytest.raises(DeclarationError, match="write it as YYYY-MM-DD"):
        NEW_YORK.bounds("13/06/2013")
    assert NEW_YORK.between("2013-02-01", "2013-03-02") == ["2013-03-01", "2013-03-02"]
    assert NEW_YORK.between("2013-03-05", "2013-03-02") == []


def test_an_unknown_time_zone_names_the_nearest():
    with pytest.raises(ValidationError, match="Did you mean 'America/New_York'"):
        Partitions(start="2013-03-01", timezone="America/NewYork")


def test_production_that_is_over_has_a_last_day():
    over = Partitions(start="2013-04-01", end="2013-04-03")
    assert over.between("2013-04-02", "2013-05-01") == ["2013-04-02", "2013-04-03"]
    with pytest.raises(DeclarationError, match="lies after the last one, 2013-04-03"):
        over.bounds("2013-04-04")
    with pytest.raises(ValidationError, match="lies before start"):
        Partitions(start="2013-04-01", end="2013-03-01")


def test_a_ranking_is_declared_with_its_query_and_is_not_retrained():
    attributes = {
        "model": "search",
        "task": {"type": "ranking", "label": "clicked", "prediction": "rank", "group": "query"},
        "columns": {"id": "id", "timestamp": "at"},
        "partitions": {"start": "2024-05-01"},
        "baseline": {"type": "parquet", "path": "b.parquet"},
        "predictions": {"type": "parquet", "path": "{partition}.parquet"},
    }
    model = MonitoredModel.read(attributes)
    assert (model.task.type, model.task.k) == ("ranking", 10)
    with pytest.raises(DeclarationError, match="a ranking is judged by queries"):
        MonitoredModel.read({**attributes, "retraining": {}})
    without = {**attributes, "task": {"type": "ranking", "label": "y", "prediction": "p"}}
    with pytest.raises(DeclarationError, match="group"):
        MonitoredModel.read(without)
