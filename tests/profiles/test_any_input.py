"""Whatever type a column comes in: its rows add up, nothing is lost, and nothing else suffers."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime
from functools import cache

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.column import CategoricalColumn, NumericColumn
from dagster_monitoring.profiles.encoding import from_bytes, to_bytes
from dagster_monitoring.profiles.engines.kernels import Kernel
from dagster_monitoring.profiles.performance import scan_performance
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import from_table, to_table
from dagster_monitoring.schema import BinaryClassification, Ranking, Regression, Task
from dagster_monitoring.statistics.performance import performance_metrics
from dagster_monitoring.statistics.undefined import Undefined
from tests.profiles.arrow_types import ARRAYS, BOTH, NAME, NUMBER, make, type_name
from tests.profiles.conftest import COLUMNS, make_rows

N = 9
NULLS = (False, True, False, False, True, False, False, False, True)
DAY = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))
COUNTED = ("size", "grade", "city", "score", "guess")
ROLES = ("id", "at", "version", "late", *COUNTED)
TASKS: tuple[Task, ...] = (
    BinaryClassification(label="late", prediction="guess", score="score"),
    Regression(label="late", prediction="score"),
    Ranking(label="late", prediction="score", group="guess"),
)


def _scan(baseline: Baseline, batches: list[pa.RecordBatch], kernel: Kernel = "numpy") -> Profile:
    return scan(
        batches, bins=baseline.bins, columns=COLUMNS, bounds=DAY, known=["late"], kernel=kernel
    )


def _bytes(profile: Profile) -> bytes:
    return to_bytes(to_table(profile))


def _with(rows: pa.RecordBatch, name: str, array: pa.Array) -> pa.RecordBatch:
    return rows.set_column(rows.schema.names.index(name), name, array)


@cache
def _plain_rows() -> pa.RecordBatch:
    return make_rows(N, seed=3)


def test_the_arrays_are_of_every_type_that_pyarrow_has() -> None:
    """A type that a later pyarrow brings is missing here until an array of it is tried."""
    known = {name for name in dir(pa.lib) if name.startswith("Type_")}
    # Python can't make these two.
    known -= {"Type_INTERVAL_MONTHS", "Type_INTERVAL_DAY_TIME"}
    kinds = [make(name, NULLS).type for name in ARRAYS]
    tried = {kind.id for kind in kinds}
    assert {name for name in known if getattr(pa.lib, name) not in tried} == set()
    extensions = {
        each
        for each in vars(pa.lib).values()
        if isinstance(each, type) and issubclass(each, pa.BaseExtensionType)
    } - {pa.BaseExtensionType, pa.ExtensionType, pa.lib.UnknownExtensionType}
    # Older ones have a second way to declare an extension.
    extensions -= {getattr(pa.lib, "PyExtensionType", None)}
    assert extensions - {type(kind) for kind in kinds} == set()


@pytest.mark.parametrize("name", ARRAYS)
def test_a_number_of_any_type_is_counted_or_named(baseline: Baseline, name: str) -> None:
    array = make(name, NULLS)
    values = array.to_pylist()
    profile = _scan(baseline, [_with(_plain_rows(), "size", array)])
    column = profile.columns["size"]
    assert isinstance(column, NumericColumn)
    assert column.n_null == sum(value is None for value in values)
    given = [value for value in values if value is not None]
    if ARRAYS[name][0] in {NUMBER, BOTH}:
        floats = [float(value) for value in given]
        finite = [value for value in floats if abs(value) <= 1e140]
        assert (column.n, column.n_type_fault) == (len(finite), 0)
        assert column.n_nan == sum(map(math.isnan, floats))
        assert column.n_nonfinite == len(floats) - column.n_nan - len(finite)
        assert column.minimum == min(finite, default=None)
        assert column.maximum == max(finite, default=None)
        assert profile.type_faults == {}
    else:
        assert (column.n, column.n_type_fault) == (0, len(given))
        assert profile.type_faults == {"size": type_name(array.type)}
    assert all(other.rows == N for other in profile.columns.values())


@pytest.mark.parametrize("name", ARRAYS)
def test_a_category_of_any_type_is_counted_or_named(baseline: Baseline, name: str) -> None:
    array = make(name, NULLS)
    given = [value for value in array.to_pylist() if value is not None]
    profile = _scan(baseline, [_with(_plain_rows(), "city", array)])
    column = profile.columns["city"]
    assert isinstance(column, CategoricalColumn)
    if ARRAYS[name][0] in {NAME, BOTH}:
        names = [value for value in given if value == value]  # noqa: PLR0124 - NaN is missing
        assert (column.n, column.n_null, column.n_type_fault) == (len(names), N - len(names), 0)
        assert column.distinct == len(set(names))
        assert profile.type_faults == {}
    else:
        assert (column.n, column.n_type_fault) == (0, len(given))
        assert profile.type_faults == {"city": type_name(array.type)}
    assert profile.segment_rows["city=<other>"] == N - int(
        sum(column.counts[:4]) if column.n else 0
    )
    assert all(other.rows == N for other in profile.columns.values())


@pytest.mark.parametrize("name", ARRAYS)
def test_ids_of_any_type_are_compared_or_named(baseline: Baseline, name: str) -> None:
    array = make(name, NULLS)
    values = array.to_pylist()
    given = [repr(value) for value in values if value is not None]
    profile = _scan(baseline, [_with(_plain_rows(), "id", array)])
    if "id" in profile.type_faults:
        assert profile.type_faults["id"] == type_name(array.type)
        assert profile.n_duplicate_ids == 0
    else:
        repeated = len(given) - len(set(given))
        assert profile.n_duplicate_ids == repeated + values.count(None)


@pytest.mark.parametrize("name", ARRAYS)
def test_times_of_any_type_are_read_or_counted_as_bad(baseline: Baseline, name: str) -> None:
    array = make(name, NULLS)
    profile = _scan(baseline, [_with(_plain_rows(), "at", array)])
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if pa.types.is_timestamp(kind) and kind.tz:
        assert (profile.n_bad_timestamps, profile.n_outside_partition) == (sum(NULLS), 0)
        assert profile.first_timestamp == datetime(2024, 1, 1, 12, tzinfo=UTC)
    else:
        assert profile.n_bad_timestamps == N


@pytest.mark.parametrize("name", ARRAYS)
def test_no_type_of_label_or_prediction_stops_performance(baseline: Baseline, name: str) -> None:
    """Each metric is a finite number or says why not; every row is counted."""
    labels = pa.table({"prediction_id": [f"p{i}" for i in range(N)], "label": [0, 1, 1] * 3})
    array = make(name, NULLS)
    rows = _plain_rows()
    for role in ("late", "score", "guess", "city"):
        rows = _with(rows, role, array)
    cases = [(None, rows), (labels, rows), (labels, _with(_plain_rows(), "id", array))]
    for (given_labels, odd), task in itertools.product(cases, TASKS):
        profile = scan_performance(
            [odd, _plain_rows(), odd.slice(3)],
            labels=given_labels,
            columns=COLUMNS,
            task=task,
            segments=baseline.bins.segments,
        )
        assert profile.n == 2 * N + N - 3
        assert sum(part.n for part in profile.segments.values()) == profile.n
        for metric in performance_metrics().values():
            if task.type not in metric.tasks:
                continue
            value = metric.compute(profile.summary)
            if isinstance(value, Undefined):
                assert value.reason
            else:
                assert math.isfinite(value), metric.name


@st.composite
def slices(draw: st.DrawFn) -> list[pa.RecordBatch]:
    """Batches in which any column is of any type, another one in each, or is not there."""
    batches = []
    for _ in range(draw(st.integers(1, 3))):
        rows = _plain_rows()
        for role in draw(st.sets(st.sampled_from(ROLES), max_size=5)):
            nulls = draw(st.lists(st.booleans(), min_size=N, max_size=N))
            rows = _with(rows, role, make(draw(st.sampled_from([*ARRAYS])), nulls))
        for role in draw(st.sets(st.sampled_from(ROLES), max_size=1)):
            rows = rows.drop_columns([role])
        batches.append(rows)
    return batches


@settings(max_examples=10, deadline=None)
@given(rows=slices(), data=st.data())
def test_rows_add_up_and_any_split_gives_the_same_bytes(
    baseline: Baseline, rows: list[pa.RecordBatch], data: st.DataObject
) -> None:
    profile = _scan(baseline, rows)
    assert profile.rows == N * len(rows)
    for name in COUNTED:
        having = [batch.column(name) for batch in rows if name in batch.schema.names]
        column = profile.columns.get(name)
        if column is None:
            assert not having
            continue
        assert column.rows == N * len(having)
        assert column.n + column.n_missing + column.n_nonfinite + column.n_type_fault == column.rows
        in_segments = [own[name].rows for own in profile.segments.values()]
        assert sum(in_segments) == column.rows
        found = {type_name(array.type) for array in having}
        named = profile.type_faults.get(name, "")
        assert (column.n_type_fault > 0) <= bool(named)
        assert not named or any(kind in named for kind in found)
    whole = _bytes(profile)
    assert _bytes(from_table(from_bytes(whole, where="here"))) == whole
    at = data.draw(st.integers(0, N))
    cut = [part for batch in rows for part in (batch.slice(0, at), batch.slice(at))]
    assert _bytes(_scan(baseline, data.draw(st.permutations(cut)))) == whole
    assert _bytes(_scan(baseline, rows, "compiled")) == whole
