"""Drift of several columns, from slices in files to checks in Dagster."""

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.evaluation import Severity, Status
from tests.orchestration.world import day_of, new_world, rows

N = 400
LAST = 5
LIMITS = {"type": "learned", "slices": 4, "minimum_slices": 3}
MONITORS = [
    {"type": "drift", "window": 1, "columns": ["temp", "size"]},
    {"type": "multivariate_drift", "window": 1, "columns": ["temp", "size", "late_proba"],
     "threshold": LIMITS},
    {"type": "multivariate_drift", "window": 1, "metrics": ["domain_classifier"],
     "columns": ["temp", "size", "city"]},
]  # fmt: skip


def slices(number, *, broken):
    """A day; broken: ``size`` follows ``temp``, and is distributed as ever."""
    table = rows(number, N)
    if not broken:
        return table
    noise = np.random.default_rng(number).normal(size=N)
    size = -0.98 * table["temp"].to_numpy() + np.sqrt(1 - 0.98**2) * noise
    return table.set_column(3, "size", pa.array(size))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with new_world(tmp_path_factory.mktemp("rows"), monitors=MONITORS) as made:
        for number in range(LAST + 1):
            made.serve(number, slices(number, broken=number == LAST))
        made.setup()
        made.range(0, LAST)
        yield made


def test_the_day_is_told_by_both_and_by_no_column_alone(world):
    error = world.cell(LAST, "multivariate_drift", "pca_reconstruction_error")
    area = world.cell(LAST, "domain_classifier", "domain_classifier")
    assert error.status is Status.TRIGGERED
    assert area.severity is Severity.ERROR or area.value > 0.65
    assert {e.status for e in world.of_day(LAST, "drift")} == {Status.HEALTHY}
    for found in (error, area):
        assert found.standard_error > 0
        assert (found.n, found.column, found.baseline_kind) == (N, None, "training")
    for number in (3, 4):
        assert {e.status for e in world.of_day(number)} == {Status.HEALTHY}, number


def test_each_is_a_check_of_the_asset_drift(world):
    for name, passed in (("multivariate_drift", False), ("domain_classifier", False)):
        record = world.checks("drift", name)[0]
        assert record.partition == day_of(LAST)
        assert record.evaluation.passed is passed


def test_one_day_alone_gives_the_same_verdict(world):
    before = world.of_day(4)
    world.day(4)
    assert [(e.key, e.value, e.upper) for e in world.of_day(4)] == [
        (e.key, e.value, e.upper) for e in before
    ]


def test_a_monitor_declared_later_asks_for_a_new_baseline(tmp_path):
    with new_world(tmp_path, monitors=MONITORS[:1]) as plain:
        plain.serve(0, slices(0, broken=False))
        plain.serve(1, slices(1, broken=False))
        plain.setup()
        plain.day(0)
        later = plain.declare(monitors=MONITORS)
        later.day(0)
        found = later.cell(0, "domain_classifier", "domain_classifier")
        assert found.status is Status.NO_DATA
        assert "job late_setup" in found.reason
        later.job("setup")
        later.day(1)
        cell = later.cell(1, "domain_classifier", "domain_classifier")
        assert cell.value is not None, cell.reason
