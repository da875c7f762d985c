"""What comes in that should not: it is counted, named, and stops nothing else."""

from __future__ import annotations

import decimal
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.scan import scan
from tests.profiles.conftest import COLUMNS, make_rows

ROWS = 60
DAY = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))


def _rows(**columns: object) -> pa.RecordBatch:
    rows = make_rows(ROWS, seed=2)
    for name, values in columns.items():
        array = values if isinstance(values, pa.Array) else pa.array(values)
        rows = rows.set_column(rows.schema.names.index(name), name, array)
    return rows


def _scan(baseline: Baseline, *batches: pa.RecordBatch) -> Profile:
    return scan(batches, bins=baseline.bins, columns=COLUMNS, bounds=DAY, known=["late"])


def _others_are_whole(profile: Profile, name: str) -> bool:
    return all(c.rows == ROWS for n, c in profile.columns.items() if n != name)


def test_a_missing_column_is_named_and_absent(baseline: Baseline) -> None:
    profile = _scan(baseline, _rows().drop_columns(["size"]))
    assert profile.missing_columns == ("size",)
    assert "size" not in profile.columns
    assert "size" not in profile.segments["city=Oslo"]
    assert _others_are_whole(profile, "size")


def test_a_column_that_one_file_lacks_is_named_and_counted_where_it_is(baseline: Baseline) -> None:
    profile = _scan(baseline, _rows(), _rows().drop_columns(["size"]))
    assert profile.missing_columns == ("size",)
    assert profile.columns["size"].rows == ROWS
    assert profile.columns["grade"].rows == 2 * ROWS


def test_an_extra_column_is_named(baseline: Baseline) -> None:
    rows = _rows().append_column("colour", pa.array(["red"] * ROWS))
    assert _scan(baseline, rows).extra_columns == ("colour",)


def test_a_missing_segment_column_puts_all_rows_among_others(baseline: Baseline) -> None:
    profile = _scan(baseline, _rows().drop_columns(["city"]))
    assert profile.segment_rows["city=<other>"] == ROWS
    assert profile.segments["city=<other>"]["grade"].rows == ROWS


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pa.array(["12"] * 50 + [None] * 10), "string"),
        (pa.array([[1]] * 50 + [None] * 10), "list<item: int64>"),
        (pa.array(["12"] * 50 + [None] * 10).dictionary_encode(), "string"),
    ],
)
def test_a_number_of_a_wrong_type_is_a_fault_and_not_missing(
    baseline: Baseline, values: pa.Array, found: str
) -> None:
    profile = _scan(baseline, _rows(size=values))
    column = profile.columns["size"]
    assert (column.n, column.n_type_fault, column.n_null) == (0, 50, 10)
    assert profile.type_faults == {"size": found}
    assert sum(s["size"].n_type_fault for s in profile.segments.values()) == 50
    assert _others_are_whole(profile, "size")


def test_a_category_of_a_wrong_type_is_a_fault(baseline: Baseline) -> None:
    profile = _scan(baseline, _rows(guess=pa.array([{"a": 1}] * 50 + [None] * 10)))
    column = profile.columns["guess"]
    assert (column.n, column.n_type_fault, column.n_null) == (0, 50, 10)
    assert list(profile.type_faults) == ["guess"]
    assert _others_are_whole(profile, "guess")


def test_files_of_two_types_are_both_counted(baseline: Baseline) -> None:
    profile = _scan(baseline, _rows(), _rows(grade=pa.array(["x"] * ROWS)))
    assert (profile.columns["grade"].n, profile.columns["grade"].n_type_fault) == (ROWS, ROWS)


@pytest.mark.parametrize("kind", [pa.float64(), pa.null(), pa.int32()])
def test_an_all_null_number_is_all_missing(baseline: Baseline, kind: pa.DataType) -> None:
    column = _scan(baseline, _rows(size=pa.nulls(ROWS, kind))).columns["size"]
    assert (column.n, column.n_null, column.n_nan, column.minimum) == (0, ROWS, 0, None)


@pytest.mark.parametrize("kind", [pa.string(), pa.null(), pa.dictionary(pa.int8(), pa.string())])
def test_an_all_null_category_is_all_missing(baseline: Baseline, kind: pa.DataType) -> None:
    profile = _scan(baseline, _rows(city=pa.nulls(ROWS, kind)))
    assert (profile.columns["city"].n, profile.columns["city"].n_null) == (0, ROWS)
    assert profile.segment_rows["city=<other>"] == ROWS


def test_infinities_and_not_a_number_are_counted_apart(baseline: Baseline) -> None:
    values = [np.inf, -np.inf, -np.inf, np.nan, None, 1.7e308, 2.0, 3.0]
    profile = _scan(baseline, _rows(size=values + [2.5] * (ROWS - 8)))
    column = profile.columns["size"]
    assert (column.n_positive_infinite, column.n_negative_infinite) == (2, 2)
    assert (column.n_nan, column.n_null, column.n) == (1, 1, ROWS - 6)
    assert (column.minimum, column.maximum) == (2.0, 3.0)
    assert np.isfinite(column.sums.floats()).all()
    segments = [s["size"] for s in profile.segments.values()]
    assert sum(s.n_nonfinite for s in segments) == 4
    assert sum(s.n_null for s in segments) == 1
    assert sum(s.n for s in segments) == ROWS - 6


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 0] * 30, pa.int8()),
        pa.array([1, 0] * 30, pa.uint64()),
        pa.array([1.0, 0.0] * 30, pa.float32()),
        pa.array(np.array([1.0, 0.0] * 30, np.float16)),
        pa.array([True, False] * 30),
        pa.array([decimal.Decimal("1.0"), decimal.Decimal("0.0")] * 30),
        pa.array([1, 0] * 30).dictionary_encode(),
        pa.RunEndEncodedArray.from_arrays(pa.array([30, 60], pa.int32()), pa.array([1.0, 0.0])),
    ],
    ids=lambda array: str(array.type),
)
def test_numbers_of_any_arrow_type_are_numbers(baseline: Baseline, values: pa.Array) -> None:
    profile = _scan(baseline, _rows(grade=values))
    histogram = profile.columns["grade"].histogram(baseline.bins.numeric["grade"])
    assert (histogram.n, histogram.mean, profile.type_faults) == (ROWS, 0.5, {})


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 0] * 30, pa.int8()),
        pa.array([1.0, 0.0] * 30),
        pa.array(["1", "0"] * 30, pa.large_string()),
        pa.array(["1", "0"] * 30, pa.string_view()),
        pa.array(["1", "0"] * 30).dictionary_encode(),
        pa.array(["1", "0"] * 30, pa.large_string()).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_a_category_has_one_name_whatever_its_type(baseline: Baseline, values: pa.Array) -> None:
    column = _scan(baseline, _rows(guess=values)).columns["guess"]
    assert (column.n, column.n_unseen) == (ROWS, 0)
    assert sorted(column.counts.tolist()) == [30, 30]


def test_dates_and_booleans_are_categories(baseline: Baseline) -> None:
    column = _scan(baseline, _rows(guess=pa.array([date(2024, 1, 2)] * ROWS))).columns["guess"]
    assert column.unseen.counts == {"2024-01-02": ROWS}
    column = _scan(baseline, _rows(guess=pa.array([True] * ROWS))).columns["guess"]
    assert column.unseen.counts == {"true": ROWS}


def test_unseen_names_are_counted_as_they_are(baseline: Baseline) -> None:
    nasty = ["<script>alert(1)</script>", "'; DROP TABLE x; --", "two\nlines", "", "naïve 🛫"]
    column = _scan(baseline, _rows(city=nasty * 12)).columns["city"]
    assert column.unseen.counts == dict.fromkeys(nasty, 12)
    assert column.distinct == 5


def test_bytes_that_are_not_text_do_not_stop_the_scan(baseline: Baseline) -> None:
    broken = pa.array([b"caf\xe9"] * ROWS).view(pa.string())
    column = _scan(baseline, _rows(city=broken)).columns["city"]
    assert column.unseen.counts == {"caf\ufffd": ROWS}


def test_a_dictionary_that_holds_a_null_counts_it_as_missing(baseline: Baseline) -> None:
    codes = pa.array([0, 1, None] * 20, pa.int32())
    values = pa.DictionaryArray.from_arrays(codes, pa.array(["Oslo", None]))
    column = _scan(baseline, _rows(city=values)).columns["city"]
    assert (column.n, column.n_null, column.n_unseen) == (20, 40, 0)


def test_many_distinct_names_are_counted_in_bounded_memory(baseline: Baseline) -> None:
    n = 50_000
    batches = (
        make_rows(n, seed=i)
        .select(["id"])
        .append_column("city", pa.array([f"name {j}" for j in range(i * n, (i + 1) * n)]))
        for i in range(2)
    )
    column = _scan(baseline, *batches).columns["city"]
    assert column.n == 2 * n
    assert len(column.unseen.counts) == 1_000
    assert set(column.unseen.counts.values()) == {1}
    assert column.distinct == pytest.approx(2 * n, rel=0.12)
    histogram = column.histogram(baseline.bins.categorical["city"])
    assert histogram.n == 2 * n
    assert histogram.categories[-1] == "<other>"


def test_duplicate_and_missing_ids_are_counted(baseline: Baseline) -> None:
    rows = _rows(id=["a", "b", "a", None] + [f"x{i}" for i in range(ROWS - 4)])
    assert _scan(baseline, rows).n_duplicate_ids == 2
    assert _scan(baseline, rows.slice(0, 2), rows.slice(2)).n_duplicate_ids == 2
    assert _scan(baseline, rows, rows).n_duplicate_ids == ROWS + 2


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.int64()])
def test_ids_of_any_length_are_told_apart(baseline: Baseline, kind: pa.DataType) -> None:
    ids = [str(10**i + j) for i in range(15) for j in range(4)]
    rows = _rows(id=pa.array(ids).cast(kind))
    assert _scan(baseline, rows).n_duplicate_ids == len(ids) - len(set(ids)) == 0
    assert _scan(baseline, rows, rows.slice(10, 7)).n_duplicate_ids == 7


def test_rows_outside_the_day_are_counted_and_stay(baseline: Baseline) -> None:
    moments = [DAY[0], DAY[1], datetime(2023, 12, 31, 23, 59, tzinfo=UTC), None]
    at = pa.array(moments * 15, pa.timestamp("us", "America/New_York"))
    profile = _scan(baseline, _rows(at=at))
    assert (profile.n_outside_partition, profile.n_bad_timestamps, profile.rows) == (30, 15, ROWS)
    assert (profile.first_timestamp, profile.last_timestamp) == (moments[2], DAY[1])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_without_a_zone_are_bad_and_read_as_utc(baseline: Baseline, unit: str) -> None:
    at = pa.array([datetime(2024, 1, 1, 5), datetime(2024, 1, 2)] * 30, pa.timestamp(unit))  # noqa: DTZ001 - that is the case
    profile = _scan(baseline, _rows(at=at))
    assert (profile.n_bad_timestamps, profile.n_outside_partition) == (ROWS, 30)
    assert profile.first_timestamp == datetime(2024, 1, 1, 5, tzinfo=UTC)


def test_timestamps_that_are_text_are_bad(baseline: Baseline) -> None:
    profile = _scan(baseline, _rows(at=["2024-01-01"] * ROWS))
    assert (profile.n_bad_timestamps, profile.first_timestamp) == (ROWS, None)


def test_a_timestamp_beyond_the_calendar_does_not_stop_the_scan(baseline: Baseline) -> None:
    at = pa.array([2**62] * ROWS, pa.timestamp("us", "UTC"))
    assert _scan(baseline, _rows(at=at)).last_timestamp.year == 9999


def test_model_versions_are_counted(baseline: Baseline) -> None:
    profile = _scan(baseline, _rows(version=["v1", "v2", None] * 20))
    assert profile.model_versions == {"v1": 20, "v2": 20, "<missing>": 20}


def test_a_constant_training_column_shows_any_other_value() -> None:
    from dagster_monitoring.profiles.baseline import build_baseline
    from tests.profiles.conftest import TASK, reader

    rows = _rows(grade=[7] * ROWS)
    built = build_baseline(reader(rows), columns=COLUMNS, task=TASK, model_version="v1")
    assert "column 'grade' is constant in the baseline" in built.notes
    profile = _scan(built, _rows(grade=[7.0] * 30 + [7.5] * 20 + [6.0] * 10))
    counts = profile.columns["grade"].counts
    assert sorted(counts[counts > 0].tolist()) == [10, 20, 30]
