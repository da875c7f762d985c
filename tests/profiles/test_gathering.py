"""Small batches are joined, large ones pass through, and no row is lost."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.profiles.gathering import gather


def batch(n: int, first: int = 0, **more: pa.Array) -> pa.RecordBatch:
    return pa.record_batch({"a": pa.array(range(first, first + n), pa.int64()), **more})


def gathered(batches: list[pa.RecordBatch], rows: int) -> list[list[int]]:
    return [b["a"].to_pylist() for b in gather(batches, rows=rows)]


@given(sizes=st.lists(st.integers(0, 9), max_size=12), rows=st.integers(1, 12))
def test_all_rows_come_in_their_order_and_only_the_last_batch_is_small(
    sizes: list[int], rows: int
) -> None:
    batches = [batch(n, first=sum(sizes[:i])) for i, n in enumerate(sizes)]
    found = gathered(batches, rows)
    assert [value for own in found for value in own] == [*range(sum(sizes))]
    # Beside the last one, only what a large batch came after may be small.
    for own, following in pairwise(found):
        assert len(own) >= rows or len(following) >= rows


@pytest.mark.parametrize(
    ("sizes", "joined"),
    [
        ([2, 2, 1], [4, 1]),
        ([1, 3], [1, 3]),
        ([1, 2], [3]),
        ([3, 1, 1, 1], [3, 3]),
        ([0, 0], [0]),
        ([], []),
    ],
)
def test_batches_are_joined_until_they_have_enough_rows(
    sizes: list[int], joined: list[int]
) -> None:
    assert [len(own) for own in gathered([batch(n) for n in sizes], 3)] == joined


@pytest.mark.parametrize("n", [3, 4])
def test_a_batch_of_enough_rows_is_not_copied(n: int) -> None:
    small, large = batch(1), batch(n)
    assert [*gather([small, large], rows=3)][1] is large


def test_only_the_columns_asked_for_are_kept_in_the_batchs_order() -> None:
    given_batch = batch(2, b=pa.array(["x", "y"]), c=pa.array([1.0, 2.0]))
    for batches in ([given_batch], [given_batch, given_batch]):
        (found,) = gather(batches, rows=9, names={"c", "a", "other"})
        assert found.schema.names == ["a", "c"]
        assert found["c"].to_pylist() == [1.0, 2.0] * len(batches)


def test_where_the_schema_changes_a_new_batch_begins() -> None:
    text = pa.record_batch({"a": ["x"]})
    assert gathered([batch(1), batch(1), text, text, batch(1)], 9) == [[0, 0], ["x", "x"], [0]]


def test_dictionaries_of_different_batches_are_united() -> None:
    parts = [
        pa.record_batch({"a": pa.array([*names]).dictionary_encode()}) for names in ("ab", "ca")
    ]
    empty = parts[0].slice(0, 0)
    (found,) = gather([empty, *parts, empty], rows=9)
    assert found["a"].to_pylist() == ["a", "b", "c", "a"]
