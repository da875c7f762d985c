"""A column of any type, also of another one each day, has a verdict, and so have the others."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.evaluation import Evaluation, Status
from dagster_monitoring.monitors._monitor import Monitor
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.monitors.drift import DriftMonitor
from dagster_monitoring.monitors.evaluate import evaluate
from tests.monitors.conftest import ROWS, World, rows
from tests.profiles.arrow_types import ARRAYS, BOTH, NAME, NUMBER, make, type_name

NOW = datetime(2024, 7, 1, tzinfo=UTC)
DAYS = ("2024-05-20", "2024-05-21", "2024-05-22")
NULLS = tuple(i % 10 == 0 for i in range(ROWS))
COLUMNS = ("age", "income", "city", "plan", "predicted", "score")


def _with(table: pa.Table, name: str, array: pa.Array) -> pa.Table:
    return table.set_column(table.schema.names.index(name), name, array)


def _monitors() -> list[Monitor]:
    return [DataQualityMonitor(), DriftMonitor(columns="all", window=1)]


def _verdicts(world: World, day: str) -> list[Evaluation]:
    view = world.at(day)
    return [
        evaluation
        for monitor in _monitors()
        for evaluation in evaluate(monitor, view, [], run_id=None, now=NOW)
    ]


def _assert_every_column_is_judged(found: list[Evaluation]) -> None:
    for monitor in ("data_quality", "drift"):
        judged = {e.column for e in found if e.monitor == monitor}
        assert judged >= set(COLUMNS)
    for evaluation in found:
        if evaluation.value is None:
            assert evaluation.status is Status.NO_DATA
            assert evaluation.reason
        else:
            assert math.isfinite(evaluation.value)


def _cell(found: list[Evaluation], metric: str, column: str) -> Evaluation:
    (cell,) = [e for e in found if (e.metric, e.column, e.segment) == (metric, column, None)]
    return cell


@pytest.fixture(scope="module")
def usual(world: World) -> dict[str | None, float | None]:
    """The drift of each column on the day whose columns are changed."""
    return {e.column: e.value for e in _verdicts(world, DAYS[0]) if e.metric == "psi"}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_column_of_any_type_has_a_verdict_and_harms_no_other(
    world: World, usual: dict[str | None, float | None], name: str
) -> None:
    day = DAYS[0]
    array = make(name, NULLS)
    allowed = {"age": {NUMBER, BOTH}, "plan": {NAME, BOTH}}
    table = world.slices[day]
    for column in allowed:
        table = _with(table, column, array)
    found = _verdicts(world.having(day, table), day)
    _assert_every_column_is_judged(found)
    n_null = array.to_pylist().count(None)
    for column, kinds in allowed.items():
        faults = _cell(found, "type_faults", column)
        if ARRAYS[name][0] in kinds:
            assert (faults.value, faults.status) == (0.0, Status.HEALTHY)
        else:
            assert faults.value == pytest.approx((ROWS - n_null) / ROWS)
            assert faults.status is Status.TRIGGERED
            drift = _cell(found, "psi", column)
            assert drift.status is Status.NO_DATA
            assert "declared type" in (drift.reason or "")
            assert type_name(array.type) in (drift.reason or "")
    for column in ("income", "city", "predicted", "score"):
        assert _cell(found, "psi", column).value == usual[column]


def test_a_column_that_changes_its_type_is_named_and_healthy_again(world: World) -> None:
    """Day 1 numbers, day 2 text, day 3 whole numbers."""
    tables = [world.slices[day] for day in DAYS]
    numbers = [table["age"].to_numpy().round() for table in tables]
    tables[0] = _with(tables[0], "age", pa.array(numbers[0]))
    tables[1] = _with(tables[1], "age", pa.array([f"{v:.0f}" for v in numbers[1]]))
    tables[2] = _with(tables[2], "age", pa.array(numbers[2].astype(np.int64)))
    changed = world
    for day, table in zip(DAYS, tables, strict=True):
        changed = changed.having(day, table)
    first, second, third = (_verdicts(changed, day) for day in DAYS)
    for found in (first, second, third):
        _assert_every_column_is_judged(found)
        for column in ("income", "city", "plan", "score"):
            assert _cell(found, "psi", column).status is Status.HEALTHY
    faults = _cell(second, "type_faults", "age")
    assert (faults.value, faults.status) == (1.0, Status.TRIGGERED)
    drift = _cell(second, "psi", "age")
    assert drift.status is Status.NO_DATA
    assert "column 'age' of the slice holds string" in (drift.reason or "")
    for found in (first, third):
        assert _cell(found, "type_faults", "age").status is Status.HEALTHY
        assert _cell(found, "missing_share", "age").status is Status.HEALTHY
        assert _cell(found, "psi", "age").value is not None
    # A window over the three days has the numbers of two.
    window = DriftMonitor(window=3)
    (cell,) = [
        e
        for e in evaluate(window, changed.at(DAYS[2]), [], run_id=None, now=NOW)
        if (e.metric, e.column) == ("psi", "age")
    ]
    assert cell.value is not None
    assert cell.n == 2 * ROWS


def test_the_tail_of_very_many_names_is_judged(world: World) -> None:
    """100,000 names: a thousand are kept, all of them count."""
    n = 100_000
    table = rows(5, DAYS[0], n)
    table = _with(table, "plan", pa.array([f"plan {i}" for i in range(n)]))
    changed = world.having(DAYS[0], table)
    column = changed.profiles[DAYS[0]].columns["plan"]
    assert (column.n, column.n_unseen, column.unseen.rest) == (n, n, n - 1_000)
    found = _verdicts(changed, DAYS[0])
    new = _cell(found, "new_categories", "plan")
    assert (new.value, new.status) == (1.0, Status.TRIGGERED)
    assert len(new.reason or "") < 1_000
    many = _cell(found, "cardinality", "plan")
    assert many.value == pytest.approx(n, rel=0.12)
    assert many.status is Status.TRIGGERED
    assert _cell(found, "psi", "plan").status is Status.TRIGGERED
    assert _cell(found, "psi", "age").value is not None


_MILLION = """
import resource, sys
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from dagster_monitoring.profiles.bins import BinSet, CategoricalBins
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.schema import Columns

names, rows = int(sys.argv[1]), 1_000_000
def batches():
    for start in range(0, rows, 50_000):
        number = pa.array(np.arange(start, start + 50_000) % names).cast(pa.string())
        prefix = pa.scalar("a name of the usual length ")
        yield pa.record_batch({"city": pc.binary_join_element_wise(prefix, number, "")})
bins = BinSet(columns={"city": CategoricalBins(vocabulary=("Oslo", "Rome"))})
columns = Columns(id="id", timestamp="at", categorical=("city",))
profile = scan(batches(), bins=bins, columns=columns)
column = profile.columns["city"]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(column.n, column.n_unseen, len(column.unseen.counts), column.unseen.rest, column.distinct,
      len(to_bytes(to_table(profile))), peak)
"""


def test_a_million_names_take_no_more_memory_than_a_hundred() -> None:
    """Kilobytes, by the operating system's count; the names alone are 33 MB of text."""
    found = {}
    for names in (100, 1_000_000):
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", _MILLION, str(names)],
            check=True,
            capture_output=True,
            text=True,
        )
        found[names] = [int(part) for part in done.stdout.split()]
    few, many = found[100], found[1_000_000]
    assert few[:5] == [1_000_000, 1_000_000, 100, 0, 100]
    assert many[:4] == [1_000_000, 1_000_000, 1_000, 999_000]
    assert many[4] == pytest.approx(1_000_000, rel=0.12)
    assert many[5] < 100_000
    assert many[6] - few[6] < 30_000
