"""Profiles read back from what files hold of them, down to the last unit."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from dagster_monitoring.errors import CorruptDataError
from dagster_monitoring.profiles.column import CategoricalColumn, NumericColumn
from dagster_monitoring.profiles.encoding import from_bytes, to_bytes
from dagster_monitoring.profiles.fixed_sums import FixedSums
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.sample import RowSample, SamplePlan
from dagster_monitoring.profiles.segments import CategoricalBlock, NumericBlock, SegmentTable
from dagster_monitoring.profiles.serialization import READ, from_table, to_table
from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.multivariate import ReconstructionErrors
from tests.profiles.conftest import plain

# Whole numbers that floats can't hold, so that a detour through floats would show.
SIZE = NumericColumn(
    counts=np.array([0, 2**60 + 1, 3, 0]),
    sums=FixedSums(
        units=np.array([0, 2**61 - 1, -(2**61) + 1, 0]),
        exponent=-40,
        rest={1: ExactSum.of([1e300, 0.1]), 2: ExactSum.of([-1e-300])},
    ),
    sum_squares=FixedSums(
        units=np.array([2**60 + 3]), exponent=-70, rest={0: ExactSum.of([1e300])}
    ),
    n_null=2**53 + 1,
    n_nan=2,
    n_positive_infinite=3,
    n_negative_infinite=4,
    n_type_fault=5,
    minimum=-0.0,
    maximum=1.7e308,
)
NOTHING = NumericColumn(
    counts=np.array([0, 0]),
    sums=FixedSums.zeros(2, exponent=-36),
    sum_squares=FixedSums.zeros(1, exponent=-62),
)
CITY = CategoricalColumn(
    counts=np.array([5, 0, 2**60 + 1]),
    unseen=NameCounts(counts={"<b>": 1, "naïve 🛫": 2}, total=10),
    n_null=6,
    n_type_fault=7,
)
SIZES = NumericBlock(
    counts=np.array([[0, 4], [2**60 + 5, 6], [0, 0]]),
    sums=FixedSums(
        units=np.array([[0, -(2**60) - 7], [8, 9], [0, 0]]),
        exponent=-41,
        rest={3: ExactSum.of([1e200]), 5: ExactSum.of([0.5])},
    ),
    sum_squares=FixedSums(
        units=np.array([2**60 + 11, 0, 12]), exponent=-71, rest={2: ExactSum.of([1e100])}
    ),
    faults=np.array([[1, 2, 3, 4, 5], [0, 0, 0, 0, 0], [6, 0, 7, 0, 2**60 + 9]]),
)
CITIES = CategoricalBlock(
    counts=np.array([[0, 1], [2, 0], [0, 2**60 + 1]]),
    faults=np.array([[0, 0, 0], [1, 2, 3], [0, 4, 0]]),
)
SAMPLE = RowSample(
    plan=SamplePlan(columns=("size", "city"), size=3),
    ranks=np.array([1, 2**64 - 1], dtype=np.uint64),
    values=np.array([[math.nan, 1.0], [0.1, 0.0]]),
    n_left_out=8,
)
PROFILE = Profile(
    rows=101,
    n_duplicate_ids=2,
    n_outside_partition=3,
    n_bad_timestamps=4,
    first_timestamp=datetime(2024, 1, 1, 5, 6, 7, 8, tzinfo=UTC),
    last_timestamp=datetime(2024, 1, 2, tzinfo=UTC),
    columns={"city": CITY, "none": NOTHING, "size": SIZE},
    segment_tables={
        "city": SegmentTable(
            values=("Oslo", "", "<other>"),
            rows=np.array([2**60 + 1, 0, 3]),
            columns={"city": CITIES, "size": SIZES},
        ),
        "gate": SegmentTable(values=("<other>",), rows=np.array([9])),
    },
    errors={
        "key": ReconstructionErrors(
            n=1, total=ExactSum.of([0.1]), squares=ExactSum.of([0.3]), n_left_out=2
        )
    },
    sample=SAMPLE,
    missing_columns=("a", "b"),
    extra_columns=("c",),
    type_faults={"d": "string", "e": "list<item: int64>"},
    versions=NameCounts(counts={"v1": 5}, total=6),
    bins_key="the bins",
    sources=("1.parquet", "2.parquet"),
    faults=("one fault",),
)


@pytest.mark.parametrize(
    "profile",
    [
        PROFILE,
        Profile(),
        replace(PROFILE, sample=None, last_timestamp=None, errors={}),
        Profile(columns={"none": NOTHING}),
        Profile(columns={"size": SIZE}),
        Profile(columns={"city": CITY}),
        Profile(columns={"city": CategoricalColumn(counts=np.array([1]), unseen=NameCounts())}),
    ],
    ids=["of everything", "empty", "without rows", "no number", "numbers", "names", "no fault"],
)
def test_a_profile_is_read_as_it_was_written(profile: Profile) -> None:
    data = to_bytes(to_table(profile))
    for columns in (None, READ):
        read = from_table(from_bytes(data, where="here", columns=columns))
        assert plain(read) == plain(profile)


def test_bytes_do_not_depend_on_the_order_of_names() -> None:
    turned = replace(
        PROFILE,
        columns=dict(reversed(PROFILE.columns.items())),
        segment_tables={
            name: replace(table, columns=dict(reversed(table.columns.items())))
            for name, table in reversed(PROFILE.segment_tables.items())
        },
        type_faults=dict(reversed(PROFILE.type_faults.items())),
    )
    assert to_bytes(to_table(turned)) == to_bytes(to_table(PROFILE))


def test_rows_of_a_file_say_whose_they_are() -> None:
    rows = to_table(PROFILE).to_pylist()
    names = [(row["segment_column"], row["column"]) for row in rows]
    assert list(dict.fromkeys(names)) == [
        *(("", "city"), ("", "size")),
        *(("city", "city"), ("city", "size")),
        *(("<sample>", "size"), ("<sample>", "city")),
    ]
    size = [row for row in rows if (row["segment_column"], row["column"]) == ("", "size")]
    # A bin of -1 is the sum of squares; below it null, NaN, infinite twice, of a wrong type.
    assert [row["bin"] for row in size] == [1, 2, -1, -2, -3, -4, -5, -6]
    assert [row["count"] for row in size] == [2**60 + 1, 3, 0, 2**53 + 1, 2, 3, 4, 5]
    assert [row["sum"] for row in size] == [2**61 - 1, -(2**61) + 1, 2**60 + 3, 0, 0, 0, 0, 0]
    own = [row for row in rows if (row["segment_column"], row["column"]) == ("city", "city")]
    assert [(row["segment"], row["bin"]) for row in own] == [
        *((0, 1), (1, 0), (2, 1)),
        *((1, -2), (1, -3), (1, -4), (2, -3)),
    ]


def test_numbers_that_json_can_not_hold_are_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_table(Profile(columns={"size": replace(SIZE, maximum=math.inf)}))


def test_a_file_of_another_kind_or_format_is_refused() -> None:
    table = to_table(Profile())
    key = b"dagster_monitoring.profile"
    assert set(table.schema.metadata) == {key}
    for metadata in (None, {b"other": b"{}"}, {key: b'{"format": 1}'}):
        with pytest.raises(CorruptDataError, match=r"not a file of format 3 \(dagster_monitoring."):
            from_table(table.replace_schema_metadata(metadata))
