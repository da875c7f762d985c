"""R's NA is a signalling NaN: kept as a float, it is missing as any other, and warns of nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.baseline import build_baseline
from dagster_monitoring.profiles.bins import BinSet, build_numeric_bins
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engines.kernels import Kernel
from dagster_monitoring.profiles.performance import scan_performance
from dagster_monitoring.profiles.performance_serialization import to_table as performance_table
from dagster_monitoring.profiles.projecting import RowNeeds
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Ranking,
    Regression,
    Task,
)
from tests.profiles.conftest import COLUMNS, TASK, make_rows, plain, reader

R_NA = np.array([0x7FF0_0000_0000_07A2], dtype=np.uint64).view(np.float64)
ROLES = Columns(id="id", timestamp="at", numeric=("x",))


def missing(values: np.ndarray, nan: np.ndarray, places: slice) -> pa.Array:
    """The values with NaN of these bits, which a Python float might not keep."""
    bits = np.array(values, dtype=np.float64).view(np.uint64)
    bits[places] = nan.view(np.uint64)
    return pa.array(bits.view(np.float64), from_pandas=False)


@pytest.mark.parametrize("kernel", ["numpy", "compiled"])
@pytest.mark.parametrize("largest", [7.0, math.inf])
def test_it_hides_no_number_of_a_column(kernel: Kernel, largest: float) -> None:
    """To np.fmin it is the smallest of all that came before."""
    bins = BinSet(columns={"x": build_numeric_bins(np.arange(20.0))})
    values = np.concatenate([[largest, -1e90], np.linspace(-5.0, 6.0, 38)])
    for at in range(40):
        found, usual = (
            scan(
                [pa.record_batch({"x": missing(values, nan, slice(at, at + 1))})],
                bins=bins,
                columns=ROLES,
                kernel=kernel,
            )
            for nan in (R_NA, np.array([np.nan]))
        )
        assert to_bytes(to_table(found)) == to_bytes(to_table(usual))
        column, known = found.columns["x"], np.delete(values, at)
        finite = known[np.isfinite(known)]
        assert (column.minimum, column.maximum) == (finite.min(), finite.max())
        assert (column.n_nan, column.n) == (1, len(finite))


@pytest.mark.parametrize(
    "task",
    [
        BinaryClassification(label="y", prediction="p", score="s"),
        MulticlassClassification(label="y", prediction="p", scores={"0": "s", "1": "t"}),
        Regression(label="y", prediction="s"),
        Ranking(label="y", prediction="s", group="q"),
    ],
    ids=lambda task: task.type,
)
def test_it_is_a_missing_score_and_label(task: Task) -> None:
    scores = np.linspace(0.1, 0.9, 30)
    tables = []
    for nan in (R_NA, np.array([np.nan])):
        batch = pa.record_batch(
            {
                "y": missing(np.arange(30) % 2, nan, slice(2, None, 9)),
                "p": np.arange(30) % 2,
                "s": missing(scores, nan, slice(0, None, 7)),
                "t": 1 - scores,
                "q": np.arange(30) // 5,
            }
        )
        found = scan_performance([batch], labels=None, columns=ROLES, task=task)
        tables.append(to_bytes(performance_table(found)))
    assert tables[0] == tables[1]


def test_it_is_missing_in_a_baseline() -> None:
    rows = make_rows(400, seed=1)
    bins = []
    for nan in (R_NA, np.array([np.nan])):
        size = missing(rows["size"].to_numpy(zero_copy_only=False), nan, slice(3, None, 8))
        baseline = build_baseline(
            reader(rows.set_column(rows.schema.get_field_index("size"), "size", size)),
            columns=COLUMNS,
            task=TASK,
            rows=RowNeeds(projections=(("size", "grade"),), sampled=("size",)),
            model_version="v1",
            created_at=datetime(2024, 2, 1, tzinfo=UTC),
        )
        bins.append(plain(baseline.bins))
    assert bins[0] == bins[1]
