"""Nulls that Arrow keeps elsewhere than in an array's own bits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.arrays import is_null

SPARSE = pa.UnionArray.from_sparse(
    pa.array([0, 1, 0, 1], pa.int8()),
    [pa.array([1, None, None, 4]), pa.array(["a", None, "c", "d"])],
)
DENSE = pa.UnionArray.from_dense(
    pa.array([0, 1, 0, 1, 0], pa.int8()),
    pa.array([0, 1, 1, 0, 2], pa.int32()),
    [pa.array([1, None, 3]), pa.array(["a", None])],
)


def coded(codes: list[int | None], values: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), values)


def runs(ends: list[int], values: pa.Array) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(pa.array(ends, pa.int16()), values)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, 3, None]), [False, True, False, True]),
        (pa.array([1, 2]), [False, False]),
        (pa.array([], pa.int8()), []),
        (pa.nulls(2), [True, True]),
        (coded([1, 0, None], pa.array(["x", None])), [True, False, True]),
        (coded([1, 0], pa.array(["x", None])), [True, False]),
        (coded([0, None], pa.array(["x"])), [False, True]),
        (runs([1, 3], pa.array([None, 2])), [True, False, False]),
        (runs([2, 3], coded([1, 0], pa.array(["x", None]))), [True, True, False]),
        (SPARSE, [False, True, True, False]),
        (DENSE, [False, True, True, False, False]),
        (pa.array([b"0" * 16, None], pa.uuid()), [False, True]),
        (pa.array([1, None] * 40), [False, True] * 40),
    ],
    ids=lambda given: str(given.type) if isinstance(given, pa.Array) else "",
)
def test_a_null_is_found_wherever_it_hides(array: pa.Array, expected: list[bool]) -> None:
    assert is_null(array).dtype == np.bool_
    assert is_null(array).tolist() == expected
    for start in range(len(expected)):
        assert is_null(array[start:]).tolist() == expected[start:]
        assert is_null(array[: start + 1]).tolist() == expected[: start + 1]
