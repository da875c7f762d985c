"""Ids as hashes and as text, and moments in time, of whatever type they come in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.profiles.hashing import hash_names
from dagster_monitoring.profiles.reading import (
    WrongType,
    hash_ids,
    hash_values,
    id_text,
    read_moments,
)

TEXT = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
BYTES = [pa.binary(), pa.large_binary(), pa.binary_view(), pa.dictionary(pa.int8(), pa.binary())]
NAMES = ["seven", "", None, "naïve 🛫", "12345678", "123456789", None, "seven"]
THERE = [name for name in NAMES if name is not None]


def encoded(values: list[object], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_dictionary(kind):
        return pa.array(values, kind)
    return pa.array(values, kind.value_type).dictionary_encode().cast(kind)


@pytest.mark.parametrize("kind", TEXT, ids=str)
def test_text_has_the_hashes_of_its_names(kind: pa.DataType) -> None:
    array = encoded(NAMES, kind)
    assert hash_values(array).tolist() == hash_names(THERE).tolist()
    assert hash_ids(array).tolist() == hash_names(THERE).tolist()
    assert id_text(array).to_pylist() == NAMES
    assert id_text(array).type == pa.large_string()


@pytest.mark.parametrize("kind", BYTES, ids=str)
def test_bytes_have_the_hashes_of_the_text_they_spell(kind: pa.DataType) -> None:
    array = encoded([name and name.encode() for name in NAMES], kind)
    assert hash_ids(array).tolist() == hash_names(THERE).tolist()
    assert id_text(array).to_pylist() == NAMES


@given(st.lists(st.none() | st.text(max_size=12), max_size=8), st.data())
def test_a_part_of_an_array_has_the_hashes_of_its_rows(
    names: list[str | None], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(names)))
    stop = data.draw(st.integers(start, len(names)))
    kind = data.draw(st.sampled_from(TEXT[:2]))
    there = [name for name in names[start:stop] if name is not None]
    assert hash_values(pa.array(names, kind)[start:stop]).tolist() == hash_names(there).tolist()


@pytest.mark.parametrize(
    ("array", "names"),
    [
        (pa.array([7, None, -12]), ["7", "-12"]),
        (pa.array([7], pa.uint64()), ["7"]),
        (pa.array([b"ab", b"cd"], pa.binary(2)), ["ab", "cd"]),
        (pa.array([True]), ["true"]),
        (pa.nulls(3), []),
        (pa.array([], pa.string()), []),
        (pa.array(["a", "b", "c"], pa.large_string())[1:2], ["b"]),
    ],
)
def test_other_ids_have_the_hashes_of_their_text(array: pa.Array, names: list[str]) -> None:
    assert hash_ids(array).tolist() == hash_names(names).tolist()
    assert [name for name in id_text(array).to_pylist() if name is not None] == names


def test_of_no_rows_there_may_be_no_offsets() -> None:
    """As other programs than PyArrow write them."""
    nothing = pa.py_buffer(b"")
    found = hash_values(pa.Array.from_buffers(pa.large_string(), 0, [None, nothing, nothing]))
    assert (found.tolist(), found.dtype) == ([], np.uint64)


def test_bytes_that_are_no_text_are_told_apart_and_find_no_label() -> None:
    array = pa.array([b"\xff", b"\xfe", b"\xff"])
    first, second, third = hash_ids(array).tolist()
    assert first == third != second
    assert id_text(array) == WrongType("binary")


@pytest.mark.parametrize(
    "array",
    [pa.array([[1]]), pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([[1]]))],
)
def test_a_list_is_no_id(array: pa.Array) -> None:
    assert hash_ids(array) == WrongType("list<item: int64>")
    assert id_text(array) == WrongType("list<item: int64>")


def test_large_text_is_not_copied() -> None:
    array = pa.array(["a"], pa.large_string())
    assert id_text(array) is array


NOON = 1_704_110_400
"""2024-01-01 12:00 UTC in seconds."""


@pytest.mark.parametrize(
    ("unit", "ticks", "expected"),
    [
        ("s", [NOON, -1], [NOON * 10**6, -(10**6)]),
        ("ms", [NOON * 1_000 + 1, -1], [NOON * 10**6 + 1_000, -1_000]),
        ("us", [NOON * 10**6 + 1, -1], [NOON * 10**6 + 1, -1]),
        ("ns", [NOON * 10**9 + 1_999, -1], [NOON * 10**6 + 1, -1]),
    ],
)
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_moments_are_microseconds_and_bad_without_a_zone(
    unit: str, ticks: list[int], expected: list[int], zone: str | None
) -> None:
    array = pa.array([ticks[0], None, ticks[1], None, None], pa.timestamp(unit, zone))
    for given_array in (array, array.dictionary_encode()):
        found = read_moments(given_array)
        assert found.microseconds.dtype == np.int64
        assert found.microseconds.tolist() == expected
        assert found.n_bad == (3 if zone else 5)
    part = read_moments(array[2:4])
    assert (part.microseconds.tolist(), part.n_bad) == (expected[1:], 1 if zone else 2)


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_a_date_is_its_midnight_and_bad(kind: pa.DataType) -> None:
    found = read_moments(pa.array([date(2024, 1, 1), None], kind))
    midnight = datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 10**6
    assert (found.microseconds.tolist(), found.n_bad) == ([midnight], 2)


@pytest.mark.parametrize("array", [pa.array(["2024-01-01", None]), pa.array([1, 2]), pa.nulls(2)])
def test_what_is_no_moment_is_bad(array: pa.Array) -> None:
    found = read_moments(array)
    assert (found.microseconds.tolist(), found.n_bad) == ([], 2)
    assert found.microseconds.dtype == np.int64
