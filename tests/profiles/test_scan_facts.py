"""What a scan tells of a slice beside its counts: columns, ids, moments and versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.profiles.bins import BinSet, CategoricalBins, build_numeric_bins
from dagster_monitoring.profiles.engines.kernels import VARIABLE, Counted, Kernels
from dagster_monitoring.profiles.names import short
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.projection import Projection
from dagster_monitoring.profiles.reading import hash_values
from dagster_monitoring.profiles.sample import SamplePlan, mixed
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.schema import Columns

ON_AGE = Projection(
    columns=("age", "size"),
    means=np.array([1.0, 0.0]),
    scales=np.array([2.0, 1.0]),
    residual=np.array([[1.0, 0.0]]),
    shares={},
    explained=0.5,
)
"""What it leaves out of a row is its age, centred and scaled."""

BINS = BinSet(
    columns={
        "age": build_numeric_bins(np.arange(9.0)),
        "size": build_numeric_bins(np.arange(20.0)),
        "city": CategoricalBins(vocabulary=("Oslo", "Rome", "Lima")),
        "gate": CategoricalBins(vocabulary=("a", "b")),
    },
    segments={"city": ("Rome", "Oslo"), "gate": ("b",)},
    projections=(ON_AGE,),
    sample=SamplePlan(columns=("size", "city"), size=9),
)
COLUMNS = Columns(
    id="id", timestamp="at", numeric=("size",), categorical=("city",), model_version="version"
)
DAY = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))
UNSEEN = -1.0
STEP = timedelta(microseconds=1)
UTC_TIME = pa.timestamp("us", "UTC")


def scanned(*batches: pa.RecordBatch, **options: object) -> Profile:
    return scan(batches, bins=BINS, columns=COLUMNS, kernel="numpy", **options)


def one(**columns: object) -> Profile:
    return scanned(pa.record_batch(columns))


EVERYTHING = {"id": [1], "at": [1], "version": [1]}
EVERYTHING |= {"age": [1], "size": [1.0], "city": ["Oslo"], "gate": ["a"]}


@pytest.mark.parametrize("name", [*EVERYTHING, "score", "guess"])
def test_a_column_that_is_expected_and_not_there_is_named(name: str) -> None:
    given = {**EVERYTHING, "score": [1.0], "guess": ["x"], "late": [1], "colour": ["red"]}
    del given[name]
    found = scanned(
        pa.record_batch(given),
        extra_numeric=("score",),
        extra_categorical=("guess",),
        known=iter(["late"]),
    )
    assert (found.missing_columns, found.extra_columns) == ((name,), ("colour",))


@pytest.mark.parametrize("name", ["age", "size", "city", "gate"])
def test_a_column_is_counted_without_any_of_the_others(name: str) -> None:
    found = one(**{name: EVERYTHING[name]})
    assert {column: own.n for column, own in found.columns.items()} == {name: 1}


def test_rows_are_sampled_where_the_bins_ask_for_it() -> None:
    batch = pa.record_batch(
        {
            "id": ["a", None, "b"],
            "age": [1, 2, 3],
            "size": [0.5, 1.5, None],
            "city": ["Rome", "Oslo", "Bonn"],
        }
    )
    sample = scanned(batch, batch.drop_columns(["size"]), batch.drop_columns(["id"])).sample
    rows = dict(zip(sample.ranks.tolist(), sample.values.tolist(), strict=True))
    first, second = mixed(hash_values(pa.array(["a", "b"]))).tolist()
    assert rows == {
        first: [0.5, 1.0],
        second: [pytest.approx(np.nan, nan_ok=True), UNSEEN],
    }
    # One without an id, three without the size, three without any id.
    assert sample.n_left_out == 7


def test_errors_of_rows_are_measured_where_the_bins_ask_for_it() -> None:
    batch = pa.record_batch({"age": [5.0, 7.0], "size": [0.5, 1.5]})
    errors = scanned(batch, batch.drop_columns(["size"])).errors[ON_AGE.key]
    assert (errors.n, float(errors.total), errors.n_left_out) == (2, 4 / 2 + 6 / 2, 2)


def test_without_a_column_of_versions_none_is_missing() -> None:
    roles = Columns(id="id", timestamp="at", numeric=("size",), categorical=("city",))
    batch = pa.record_batch(EVERYTHING).drop_columns(["version"])
    found = scan([batch], bins=BINS, columns=roles, kernel="numpy")
    assert (found.missing_columns, found.model_versions) == ((), {})


def test_columns_are_missing_or_extra_where_any_batch_says_so() -> None:
    first, second = {**EVERYTHING, "b": [1]}, {**EVERYTHING, "a": [1]}
    del first["size"], second["gate"]
    found = scanned(pa.record_batch(first), pa.record_batch(second), pa.record_batch(EVERYTHING))
    assert found.missing_columns == ("gate", "size")
    assert found.extra_columns == ("a", "b")
    assert (found.rows, found.columns["size"].rows, found.columns["gate"].rows) == (3, 2, 2)
    assert [*found.columns] == ["age", "city", "gate", "size"]


def test_a_profile_names_its_bins_and_files_in_order() -> None:
    found = scanned(sources=("b.parquet", "a.parquet"))
    assert found.bins_key == BINS.key
    assert found.sources == ("a.parquet", "b.parquet")


def test_rows_are_counted_by_segment_in_the_order_of_the_bins() -> None:
    found = one(
        city=["Oslo", "Rome", "Rome", "Lima", None, "Bonn"], gate=["a", "b", "b", "b", "b", None]
    )
    assert found.segment_rows == {
        "city=Rome": 2,
        "city=Oslo": 1,
        "city=<other>": 3,
        "gate=b": 4,
        "gate=<other>": 2,
    }
    assert found.segments["city=Rome"]["gate"].counts.tolist() == [0, 2]
    assert found.segments["gate=b"]["city"].counts.tolist() == [0, 2, 1]
    assert found.segments["gate=b"]["city"].n_null == 1


def moments(*given: datetime | None) -> pa.Array:
    return pa.array(given, UTC_TIME)


@pytest.mark.parametrize(
    ("given", "n_outside"),
    [
        ([DAY[0], DAY[1] - STEP], 0),
        ([DAY[0] - STEP, DAY[0]], 1),
        ([DAY[0], DAY[1]], 1),
        ([DAY[1], DAY[1] + STEP, None], 2),
        ([DAY[0] - STEP, DAY[1], DAY[0]], 2),
        ([None], 0),
    ],
)
def test_a_day_has_its_first_microsecond_and_not_its_last(
    given: list[datetime | None], n_outside: int
) -> None:
    batches = [pa.record_batch({"at": moments(moment)}) for moment in given]
    for parts in (batches, [pa.record_batch({"at": moments(*given)})]):
        found = scanned(*parts, bounds=DAY)
        there = [moment for moment in given if moment]
        assert found.n_outside_partition == n_outside
        assert found.n_bad_timestamps == given.count(None)
        assert found.first_timestamp == min(there, default=None)
        assert found.last_timestamp == max(there, default=None)
        assert scanned(*parts).n_outside_partition == 0


def test_the_span_is_that_of_all_batches_in_any_order() -> None:
    days = [datetime(2024, 1, day, 1, 2, 3, 4, tzinfo=UTC) for day in (5, 2, 9, 3)]
    text = pa.array(["x"] * 40_000)
    batches = [pa.record_batch({"at": moments(*[day] * 40_000), "city": text}) for day in days]
    for parts in (batches, batches[::-1]):
        found = scanned(*parts)
        assert (found.first_timestamp, found.last_timestamp) == (days[1], days[2])
        assert found.rows == 160_000


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        (2**62, datetime.max.replace(tzinfo=UTC)),
        (-(2**62), datetime.min.replace(tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_moment_beyond_the_calendar_is_its_end(ticks: int, expected: datetime) -> None:
    found = one(at=pa.array([ticks], UTC_TIME))
    assert found.first_timestamp == found.last_timestamp == expected


def test_ids_that_miss_repeat_or_are_none_are_told_apart() -> None:
    assert one(id=["a", None, "b", "a", None]).n_duplicate_ids == 3
    assert one(id=[[1], [1], None]).n_duplicate_ids == 0
    assert one(id=[[1], [1], None]).type_faults == {"id": "list<item: int64>"}
    assert one(size=[1.0, 1.0]).n_duplicate_ids == 0
    rows = pa.record_batch({"id": [f"{i}" for i in range(40_000)]})
    assert scanned(rows, rows.slice(7, 2)).n_duplicate_ids == 2


def test_what_is_odd_in_one_batch_adds_to_what_was_odd_in_another() -> None:
    """Batches of different columns are not joined before they are counted."""
    batches = [
        pa.record_batch(
            {
                "id": [None, f"{name}1", f"{name}1"],
                "at": moments(DAY[1], None, DAY[0]),
                "version": [name, None, "v"],
                name: [1, 2, 3],
            }
        )
        for name in "abc"
    ]
    found = scanned(*batches, bounds=DAY)
    assert (found.rows, found.n_duplicate_ids) == (9, 6)
    assert (found.n_outside_partition, found.n_bad_timestamps) == (3, 3)
    assert found.model_versions == {"<missing>": 3, "v": 3, "a": 1, "b": 1, "c": 1}
    assert found.segment_rows["city=<other>"] == 9


def test_versions_are_counted_by_name_in_every_form() -> None:
    given = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 1, None, 3, 4]), pa.array(["v1", None, "never", "x" * 900, "v1"])
    )
    batch = pa.record_batch({"version": given})
    expected = {"v1": 2, "<missing>": 3, short("x" * 900): 1}
    assert scanned(batch).model_versions == expected
    twice = scanned(batch, pa.record_batch({"version": [1.0, 2.5]}))
    assert twice.model_versions == {**expected, "1": 1, "2.5": 1}
    assert one(version=[1.0]).model_versions == {"1": 1}
    assert one(version=["<missing>", None]).model_versions == {"<missing>": 2}
    assert one(version=[[1]]).model_versions == {}
    assert one(version=pa.array([], pa.string())).model_versions == {}


def test_wrong_types_are_named_together_and_their_rows_counted() -> None:
    found = scanned(
        pa.record_batch({"size": ["x", None], "city": [[1], None]}),
        pa.record_batch({"size": [[1], [2]], "city": ["Oslo", "Rome"]}),
        pa.record_batch({"size": ["y"], "city": ["Oslo"]}),
    )
    assert found.type_faults == {"city": "list<item: int64>", "size": "list<item: int64>, string"}
    size, city = found.columns["size"], found.columns["city"]
    assert (size.n_type_fault, size.n_null, size.n) == (4, 1, 0)
    assert (city.n_type_fault, city.n_null, city.n) == (1, 1, 3)
    assert found.segments["city=Oslo"]["size"].n_type_fault == 2
    assert found.segments["city=<other>"]["size"].n_type_fault == 1
    assert found.segments["city=<other>"]["city"].n_type_fault == 1


def test_a_slice_without_columns_still_has_rows() -> None:
    found = scanned(pa.record_batch({"other": [1, 2]}))
    assert (found.rows, found.columns, found.n_bad_timestamps) == (2, {}, 0)
    assert found.segment_rows["city=<other>"] == 2


@pytest.mark.parametrize("values", [[1e200, -1e300], [1e308, 1e308], [np.inf, np.nan, -np.inf]])
def test_no_number_is_too_large_to_be_scanned(values: list[float]) -> None:
    """Nor does it raise a warning, which would be an error here."""
    column = one(size=values).columns["size"]
    assert column.rows == len(values)
    assert column.n_nonfinite + column.n_nan == len(values)


def test_a_scan_adds_to_what_its_kernels_counted() -> None:
    counted = Counted()
    batches = [pa.record_batch({"size": [1.0, 2.0, 3.0]}), pa.record_batch(EVERYTHING)]
    scan(batches, bins=BINS, columns=COLUMNS, kernel=Kernels("numpy", counted=counted))
    # Of all four columns that the bins have, whether they are there or not.
    assert counted.values == 4 * (3 + 1)


def test_the_environment_chooses_the_kernel_unless_one_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "none such")
    with pytest.raises(UnknownNameError, match="none such"):
        scan([], bins=BINS, columns=COLUMNS)
    assert scanned(pa.record_batch(EVERYTHING)).rows == 1
