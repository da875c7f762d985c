"""The engine of one process: a slice's rows, counted as the plan says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engine import LocalEngine, ScanPlan
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.spark import SparkRows
from tests.profiles.conftest import COLUMNS, make_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


class Rows:
    """A slice that is in memory."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        rows = make_rows(200, seed=4).append_column("surprise", pa.array(range(200)))
        yield from (rows.slice(0, 50), rows.slice(50))

    def through_spark(self, session: SparkSession) -> SparkRows:
        raise NotImplementedError(session)


def _bytes(profile: Profile) -> bytes:
    return to_bytes(to_table(profile))


def test_a_slice_is_scanned_as_planned(baseline: Baseline) -> None:
    """Rows of noon are outside of a slice that ends there; scores and guesses are no surprise."""
    bounds = (NOON.replace(hour=0), NOON)
    plan = ScanPlan(
        bins=baseline.bins,
        columns=COLUMNS,
        extra_numeric=("score",),
        extra_categorical=("guess",),
        bounds=bounds,
        known=("late",),
    )
    found = LocalEngine().profile(Rows(), plan)
    assert (found.rows, found.n_outside_partition) == (200, 200)
    assert (found.extra_columns, found.missing_columns) == (("surprise",), ())
    expected = scan(
        Rows().batches(),
        bins=baseline.bins,
        columns=COLUMNS,
        extra_numeric=("score",),
        extra_categorical=("guess",),
        bounds=bounds,
        known=["late"],
    )
    assert _bytes(found) == _bytes(expected)


def test_columns_that_a_plan_expects_are_missing_where_they_are_not(baseline: Baseline) -> None:
    plan = ScanPlan(
        bins=baseline.bins, columns=COLUMNS, extra_numeric=("x",), extra_categorical=("y",)
    )
    found = LocalEngine().profile(Rows(), plan)
    assert found.missing_columns == ("x", "y")
    assert found.extra_columns == ("late", "surprise")
    assert found.n_outside_partition == 0
