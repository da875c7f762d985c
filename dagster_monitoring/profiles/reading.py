"""Arrow arrays of any type as numbers, names, moments and hashes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring import arrays
from dagster_monitoring.arrays import plain, widened
from dagster_monitoring.profiles.hashing import SPARE, Hashes, hash_bytes

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}


_BYTES = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_binary_view,
)


@dataclass(frozen=True, slots=True)
class WrongType:
    """A column whose type cannot be what was declared; ``found`` names it."""

    found: str


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column as an array of ``float64``."""

    array: pa.Array

    @property
    def values(self) -> Floats:
        """The numbers; NaN where one is missing."""
        return np.asarray(self.array.to_numpy(zero_copy_only=False))


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """A column as microseconds since 1970 in UTC, without those that are missing.

    ``n_bad`` counts rows that are missing, no timestamp, or without a time zone.
    """

    microseconds: npt.NDArray[np.int64]
    n_bad: int


def read_numbers(array: pa.Array) -> Numbers | WrongType:
    """Integers, floats, decimals and booleans (as 0 and 1) as float64.

    Integers beyond 2**53 are rounded. A dictionary is decoded. A column of Arrow's type
    ``null`` is all missing. Text is of a wrong type, also where it spells a number.
    """
    found = _found(array.type)
    array = plain(array)
    kind = array.type
    if pa.types.is_null(kind):
        return Numbers(pa.nulls(len(array), pa.float64()))
    if pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return WrongType(found)
    if not pa.types.is_float64(array.type):
        array = array.cast(pa.float64(), safe=False)
    return Numbers(array)


def read_names(array: pa.Array) -> pa.DictionaryArray | WrongType:
    """Text, numbers, booleans and dates as codes of a dictionary of text.

    A number has one name whatever its width: 1, 1.0 and ``int8`` 1 are all ``"1"``.
    """
    found = _found(array.type)
    if not pa.types.is_dictionary(array.type):
        array = plain(array)
        if not _nameable(array.type):
            return WrongType(found)
        array = widened(array).dictionary_encode()
    if not _nameable(array.type.value_type):
        return WrongType(found)
    return array


def as_text(values: pa.Array) -> pa.Array:
    """The values of a dictionary as ``string``; NaN is null."""
    if pa.types.is_string(values.type):
        return values
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    return values.cast(pa.string())


def decode(text: pa.Array) -> list[str]:
    """Python strings; bytes that are not UTF-8 are replaced. Nulls are left out."""
    raw = text.drop_null().cast(pa.binary()).to_pylist()
    return [value.decode("utf-8", "replace") for value in raw]


def read_moments(array: pa.Array) -> Moments:
    """Timestamps in UTC; without a zone they are read as UTC, and counted as bad."""
    array = plain(array)
    kind = array.type
    if pa.types.is_date(kind):
        array = array.cast(pa.timestamp("ms"))
        kind = array.type
    if not pa.types.is_timestamp(kind):
        return Moments(np.zeros(0, dtype=np.int64), len(array))
    ticks = array.drop_null().cast(pa.int64()).to_numpy()
    moments = ticks // 1_000 if kind.unit == "ns" else ticks * _MICROSECONDS[kind.unit]
    return Moments(moments, len(array) if kind.tz is None else array.null_count)


def hash_values(array: pa.Array) -> Hashes:
    """A 64-bit hash a row, equal for equal text; nulls are left out.

    Integers are hashed as their text, so that ``7`` and ``"7"`` are one id.
    """
    # Cast first: Arrow can't drop the nulls of a view.
    array = plain(array).cast(pa.large_string()).drop_null()
    if not len(array):
        return np.zeros(0, dtype=np.uint64)
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int64)
    offsets = offsets[array.offset : array.offset + len(array) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    data = np.zeros(last - first + SPARE, dtype=np.uint8)
    if last > first:
        data[:-SPARE] = np.frombuffer(array.buffers()[2], dtype=np.uint8, count=last)[first:]
    starts = offsets[:-1] - first
    return hash_bytes(data, starts, np.diff(offsets))


def hash_ids(array: pa.Array) -> Hashes | WrongType:
    """A 64-bit hash a row, equal for equal ids; nulls are left out. A list is no id."""
    found = _found(array.type)
    array = plain(array)
    if any(check(array.type) for check in _BYTES):
        array = array.cast(pa.large_binary()).view(pa.large_string())
    try:
        return hash_values(array)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return WrongType(found)


def id_text(array: pa.Array) -> pa.Array | WrongType:
    """Ids as ``large_string``, as labels are found by; see :func:`arrays.id_text`.

    Example:
        >>> id_text(pa.array([7, None])).to_pylist()
        ['7', None]
    """
    try:
        return arrays.id_text(array)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return WrongType(_found(array.type))


def _found(kind: pa.DataType) -> str:
    """The type that a person knows the values by, however they are encoded."""
    is_encoded = pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind)
    return _found(kind.value_type) if is_encoded else str(kind)


def _nameable(kind: pa.DataType) -> bool:
    return any(
        check(kind)
        for check in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_boolean,
            pa.types.is_decimal,
            pa.types.is_date,
            pa.types.is_null,
        )
    )
