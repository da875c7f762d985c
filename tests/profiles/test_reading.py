"""Arrow arrays of any type as numbers, names and nulls, row by row."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.reading import (
    WrongType,
    as_text,
    decode,
    plain,
    read_names,
    read_numbers,
)

NAN = float("nan")
IDS = [uuid.UUID(int=7), uuid.UUID("12345678-9abc-def0-1234-56789abcdef0"), None, uuid.UUID(int=0)]


def uuids() -> pa.Array:
    given = [own and own.bytes for own in IDS]
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(given, pa.binary(16)))


def coded(codes: list[int | None], values: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), values)


def runs(ends: list[int], values: pa.Array) -> pa.RunEndEncodedArray:
    return pa.RunEndEncodedArray.from_arrays(pa.array(ends, pa.int16()), values)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, -3], pa.int8()), [1.0, NAN, -3.0]),
        (pa.array([2**64 - 1, 0], pa.uint64()), [2.0**64, 0.0]),
        (pa.array([2**53 + 1]), [2.0**53]),
        (pa.array([0.1, None, NAN, np.inf]), [0.1, NAN, NAN, np.inf]),
        (pa.array([1.5, None], pa.float32()), [1.5, NAN]),
        (pa.array(np.array([0.25], np.float16)), [0.25]),
        (pa.array([True, None, False]), [1.0, NAN, 0.0]),
        (pa.array([Decimal("1.50"), None], pa.decimal128(5, 2)), [1.5, NAN]),
        (pa.array([Decimal("9" * 40)], pa.decimal256(40, 0)), [1e40]),
        (pa.array([Decimal("0.1")], pa.decimal32(5, 1)), [0.1]),
        (pa.nulls(2), [NAN, NAN]),
        (pa.array([], pa.int32()), []),
        (coded([1, 0, None, 2], pa.array([5, 7, None])), [7.0, 5.0, NAN, NAN]),
        (runs([2, 3], pa.array([1.5, None])), [1.5, 1.5, NAN]),
        (pa.array([1, 2, 3, 4])[1:3], [2.0, 3.0]),
    ],
    ids=lambda given: str(given.type) if isinstance(given, pa.Array) else "",
)
def test_numbers_are_floats_and_missing_ones_nan(array: pa.Array, expected: list[float]) -> None:
    values = read_numbers(array).values
    assert values.dtype == np.float64
    assert np.array_equal(values, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array(["a", None, ""]), ["a", None, ""]),
        (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
        (pa.array(["a", "b"], pa.string_view()), ["a", "b"]),
        (pa.array([1, None], pa.int8()), ["1", None]),
        (pa.array([1.0, 2.5, NAN, None]), ["1", "2.5", None, None]),
        (pa.array([1.0], pa.float32()), ["1"]),
        (pa.array(np.array([0.5, 2], np.float16)), ["0.5", "2"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([Decimal("1.50")], pa.decimal64(9, 2)), ["1.50"]),
        (pa.array([date(2024, 1, 2)]), ["2024-01-02"]),
        (pa.nulls(2), [None, None]),
        (coded([1, 0, None, 2], pa.array(["x", "y", None])), ["y", "x", None, None]),
        (coded([0, 1], pa.array([NAN, 3.0])), [None, "3"]),
        (runs([2, 3], pa.array(["x", None])), ["x", "x", None]),
        (uuids(), [own and str(own) for own in IDS]),
    ],
    ids=lambda given: str(given.type) if isinstance(given, pa.Array) else "",
)
def test_names_are_text_and_missing_ones_none(array: pa.Array, expected: list[str | None]) -> None:
    names = read_names(array)
    text = as_text(names.dictionary)
    assert text.type == pa.string()
    codes = names.indices.to_pylist()
    assert [None if at is None else text[at].as_py() for at in codes] == expected
    assert decode(text) == [name for name in text.to_pylist() if name is not None]


def test_codes_are_taken_as_they_come() -> None:
    given = coded([0, 0, 1], pa.array(["x", "never", "y"]))
    assert read_names(given) is given


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (pa.array([[1]]), "list<item: int64>"),
        (pa.array([datetime(2024, 1, 1, tzinfo=UTC)]), "timestamp[us, tz=UTC]"),
        (pa.array([b"a"]), "binary"),
        (coded([0], pa.array([b"a"])), "binary"),
        (coded([0], pa.array([[1]])), "list<item: int64>"),
        (runs([1], pa.array([b"a"])), "binary"),
        (runs([1], coded([0], pa.array([b"a"]))), "binary"),
    ],
    ids=lambda given: str(given.type) if isinstance(given, pa.Array) else "",
)
def test_values_that_are_neither_are_named_by_their_own_type(array: pa.Array, found: str) -> None:
    assert read_names(array) == WrongType(found)
    assert read_numbers(array) == WrongType(found)


@pytest.mark.parametrize("text", [pa.array(["12"]), pa.array(["1"]).dictionary_encode()])
def test_text_is_no_number_also_where_it_spells_one(text: pa.Array) -> None:
    assert read_numbers(text) == WrongType("string")


def test_bytes_that_are_no_text_are_replaced() -> None:
    broken = pa.array([b"caf\xe9", None, b"ok"]).view(pa.string())
    assert decode(broken) == ["caf\ufffd", "ok"]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (uuids(), pa.array([own and str(own) for own in IDS], pa.large_string())),
        (uuids()[1:], pa.array([own and str(own) for own in IDS[1:]], pa.large_string())),
        (uuids()[1:2], pa.array([str(IDS[1])], pa.large_string())),
        (uuids()[:0], pa.array([], pa.large_string())),
        (
            pa.ExtensionArray.from_storage(pa.json_(), pa.array([json.dumps({"a": 1}), None])),
            pa.array(['{"a": 1}', None]),
        ),
        (
            pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, None], pa.int8())),
            pa.array([False, True, None]),
        ),
        (coded([1, 0, None], pa.array(["x", None])), pa.array([None, "x", None])),
        (
            coded([1, 0], pa.array(["x", "y"], pa.string_view())),
            pa.array(["y", "x"], pa.large_string()),
        ),
        (
            coded([1, 0], pa.array([b"x", b"y"], pa.binary_view())),
            pa.array([b"y", b"x"], pa.large_binary()),
        ),
        (
            coded([0], pa.array([Decimal("1.5")], pa.decimal32(5, 2))),
            pa.array([Decimal("1.5")], pa.decimal128(5, 2)),
        ),
        (
            runs([2, 3, 6], pa.array(["x", None, "y"], pa.string_view()))[1:5],
            pa.array(["x", None, "y", "y"], pa.large_string()),
        ),
        (runs([1, 2], coded([1, 0], pa.array([5, 6]))), pa.array([6, 5])),
    ],
    ids=lambda given: str(given.type),
)
def test_encoded_arrays_are_decoded(array: pa.Array, expected: pa.Array) -> None:
    found = plain(array)
    assert found.type == expected.type
    assert found.to_pylist() == expected.to_pylist()


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1]),
        pa.array(["x"], pa.string_view()),
        pa.ExtensionArray.from_storage(pa.opaque(pa.binary(), "a", "b"), pa.array([b"x"])),
    ],
)
def test_other_arrays_stay_as_they_are(array: pa.Array) -> None:
    assert plain(array) is array
