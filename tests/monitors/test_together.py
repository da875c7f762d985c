"""Slices that are measured together have the values that each has by itself."""

from __future__ import annotations

import pytest

from dagster_monitoring.monitors import _together
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
from dagster_monitoring.statistics.drift import drift_metrics
from tests.monitors.conftest import change

METRICS = tuple(drift_metrics())


@pytest.fixture
def odd(world):
    """Among whole slices one that lacks a column, one with strange values and one without rows."""
    days = world.days[-8:]
    lacking = world.slices[days[2]].drop_columns(["income"])
    strange = change(world.slices[days[3]], "age", [None] * world.slices[days[3]].num_rows)
    gone = {days[2]: lacking, days[3]: strange, days[5]: None}
    for day, table in gone.items():
        world = world.having(day, table)
    return world


@pytest.mark.parametrize("cells", [1, 200, 1 << 11, 1 << 15])
@pytest.mark.parametrize("baseline", ["training", Rolling(rolling=3)])
def test_slices_together_have_the_values_of_each_alone(odd, monkeypatch, cells, baseline):
    monitor = DriftMonitor(window=1, metrics=METRICS, segments=True, baseline=baseline)
    views = [odd.at(day) for day in odd.days[-8:]]
    alone = [monitor.measure(view) for view in views]
    monkeypatch.setattr(_together, "_CELLS", cells)
    monkeypatch.setattr(_together, "_MOST_CELLS", 2 * cells)
    assert [*monitor.measure_each(views)] == alone
    assert all(alone)


def test_slices_are_looked_at_when_they_are_measured(world):
    """Memory does not grow with the slices that are asked for."""
    looked: list[str] = []

    def views():
        for day in world.days[-20:]:
            looked.append(day)
            yield world.at(day)

    found = DriftMonitor(window=1, metrics=("psi",), columns=("age",)).measure_each(views())
    assert [m.metric for m in next(found)] == ["psi"]
    per_slice = max(_together._LEAST_CELLS, 2048)
    assert len(looked) <= _together._CELLS // per_slice + 1
    assert len([*found]) == 19


def test_no_slice_has_no_value():
    assert [*DriftMonitor().measure_each([])] == []


def test_other_monitors_measure_one_slice_after_the_other(world):
    monitor = DataQualityMonitor()
    views = [world.at(day) for day in world.days[-2:]]
    assert [*monitor.measure_each(views)] == [monitor.measure(view) for view in views]
