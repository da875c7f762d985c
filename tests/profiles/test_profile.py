"""Profiles add up field by field, and the order of adding leaves no trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from itertools import permutations

import numpy as np
import pytest

from dagster_monitoring.profiles.column import CategoricalColumn
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.sample import RowSample, SamplePlan
from dagster_monitoring.profiles.segments import CategoricalBlock, SegmentTable
from dagster_monitoring.statistics.multivariate import ReconstructionErrors
from tests.profiles.conftest import plain


def column(*counts: int) -> CategoricalColumn:
    return CategoricalColumn(counts=np.array(counts), unseen=NameCounts())


def table(rows: list[int], **columns: list[list[int]]) -> SegmentTable:
    return SegmentTable(
        values=("a", "<other>"),
        rows=np.array(rows),
        columns={
            name: CategoricalBlock(counts=np.array(own), faults=np.zeros((2, 3), dtype=int))
            for name, own in columns.items()
        },
    )


def sample(rank: int) -> RowSample:
    plan = SamplePlan(columns=("x",), size=5)
    return RowSample(
        plan=plan,
        ranks=np.array([rank], dtype=np.uint64),
        values=np.array([[rank / 2]]),
        n_left_out=1,
    )


def moment(day: int) -> datetime:
    return datetime(2024, 1, day, tzinfo=UTC)


FIRST = Profile(
    rows=10,
    n_duplicate_ids=1,
    n_outside_partition=2,
    n_bad_timestamps=3,
    first_timestamp=moment(2),
    last_timestamp=moment(5),
    columns={"both": column(1, 2), "a": column(3)},
    segment_tables={"k": table([1, 2], both=[[1], [2]]), "m": table([5, 6])},
    errors={"one": ReconstructionErrors.of([1.0])},
    sample=sample(7),
    missing_columns=("x", "c"),
    extra_columns=("e",),
    type_faults={"t": "string", "u": "int8"},
    versions=NameCounts.of({"v1": 4}),
    sources=("2",),
    faults=("torn",),
)
SECOND = Profile(
    rows=100,
    n_duplicate_ids=10,
    n_outside_partition=20,
    n_bad_timestamps=30,
    first_timestamp=moment(3),
    last_timestamp=moment(4),
    columns={"z": column(9), "both": column(10, 20)},
    segment_tables={"k": table([10, 20], both=[[10], [20]])},
    errors={"one": ReconstructionErrors.of([4.0]), "two": ReconstructionErrors.of([9.0])},
    sample=sample(3),
    missing_columns=("c", "b"),
    extra_columns=("d",),
    type_faults={"t": "bool", "s": "date32[day]"},
    versions=NameCounts.of({"v1": 1, "v2": 2}),
    bins_key="the bins",
    sources=("1", "2"),
    faults=("gone",),
)
THIRD = replace(SECOND, segment_tables={}, type_faults={"s": "struct<a: int8, b: int8>"}, errors={})


@pytest.mark.parametrize(("left", "right"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_all_that_two_slices_tell_adds_up(left: Profile, right: Profile) -> None:
    total = left + right
    assert (total.rows, total.n_duplicate_ids) == (110, 11)
    assert (total.n_outside_partition, total.n_bad_timestamps) == (22, 33)
    assert (total.first_timestamp, total.last_timestamp) == (moment(2), moment(5))
    assert {name: own.counts.tolist() for name, own in total.columns.items()} == {
        "a": [3],
        "both": [11, 22],
        "z": [9],
    }
    assert total.segment_rows == {"k=a": 11, "k=<other>": 22, "m=a": 5, "m=<other>": 6}
    assert total.segments["k=<other>"]["both"].counts.tolist() == [22]
    assert {name: (own.n, float(own.total)) for name, own in total.errors.items()} == {
        "one": (2, 3.0),
        "two": (1, 3.0),
    }
    assert (total.sample.ranks.tolist(), total.sample.n_left_out) == ([3, 7], 2)
    assert (total.missing_columns, total.extra_columns) == (("b", "c", "x"), ("d", "e"))
    assert total.type_faults == {"s": "date32[day]", "t": "bool, string", "u": "int8"}
    assert total.model_versions == {"v1": 5, "v2": 2}
    assert (total.bins_key, total.sources) == ("the bins", ("1", "2"))
    assert total.faults == ("gone", "torn")


def test_adding_is_associative_and_leaves_no_trace_of_its_order() -> None:
    expected = FIRST + (SECOND + THIRD)
    for order in permutations([FIRST, SECOND, THIRD]):
        found = reduce(Profile.__add__, order)
        assert plain(found) == plain(expected)
        for name in ("columns", "segment_tables", "errors", "type_faults"):
            assert [*getattr(found, name)] == sorted(getattr(expected, name))


def test_no_rows_change_nothing() -> None:
    own = FIRST + SECOND
    for total in (own + Profile(), Profile() + own, merge([own]), merge([Profile(), own])):
        assert plain(total) == plain(own)
    assert plain(merge([])) == plain(Profile())
    assert Profile().first_timestamp is Profile().last_timestamp is None


def test_only_profiles_of_the_same_bins_add() -> None:
    with pytest.raises(ValueError, match=r"different bins do not add: a and b\. Scan"):
        _ = replace(FIRST, bins_key="a") + replace(SECOND, bins_key="b")
    for left, right in (("a", "a"), ("a", ""), ("", "a")):
        assert (replace(FIRST, bins_key=left) + replace(SECOND, bins_key=right)).bins_key == "a"


def test_types_are_named_once_whatever_commas_they_hold() -> None:
    texts = ["decimal128(9, 2)", "list<a: struct<X: int8, c: int8>>", "map<int8, x[2, 3]>", "bool"]
    profiles = [Profile(type_faults={"x": text}) for text in (*texts, *reversed(texts))]
    assert merge(profiles).type_faults["x"] == ", ".join(sorted(texts))
    halves = merge([merge(profiles[:3]), merge(profiles[3:])])
    assert halves.type_faults == merge(profiles).type_faults


def test_a_profile_is_empty_until_it_has_a_row() -> None:
    assert Profile().is_empty
    assert Profile(faults=("no file",), columns={"a": column(0)}).is_empty
    assert not Profile(rows=1).is_empty
