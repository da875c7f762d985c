"""Nulls that Arrow keeps elsewhere than in an array's own bits."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.arrays import id_text, is_null

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


ONE, TWO = UUID(int=0x00112233_44556677_8899AABB_CCDDEEFF), UUID(int=7)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([7.0, None, -3.0, 2.0**53]), ["7", None, "-3", "9007199254740992"]),
        (pa.array([7.0, np.nan, None], from_pandas=False), ["7", None, None]),
        (pa.array(np.array([7, 1024], np.float16)), ["7", "1024"]),
        (pa.array([1e6], pa.float32()), ["1000000"]),
        (pa.array([ONE.bytes, None, TWO.bytes], pa.binary(16)), [str(ONE), None, str(TWO)]),
        (pa.array([ONE.bytes, None, TWO.bytes], pa.uuid()), [str(ONE), None, str(TWO)]),
        (pa.array([b"abc"], pa.binary(3)), ["abc"]),
        (coded([1, None, 0], pa.array([1.0, 2.0])), ["2", None, "1"]),
        (runs([2, 3], pa.array([ONE.bytes, None], pa.binary(16))), [str(ONE), str(ONE), None]),
    ],
    ids=lambda given: str(given.type) if isinstance(given, pa.Array) else "",
)
def test_an_id_is_one_text_in_whichever_type_it_is_kept(
    array: pa.Array, expected: list[str | None]
) -> None:
    assert id_text(array).type == pa.large_string()
    assert id_text(array).to_pylist() == expected
    assert id_text(array[1:]).to_pylist() == expected[1:]


@pytest.mark.parametrize("array", [pa.array([0.5]), pa.array([[1]]), pa.array([b"\xff"])])
def test_what_is_no_id_is_refused(array: pa.Array) -> None:
    with pytest.raises((pa.ArrowInvalid, pa.ArrowNotImplementedError)):
        id_text(array)
