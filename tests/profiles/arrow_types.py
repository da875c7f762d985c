"""Arrow arrays of every type that pyarrow can make, with nulls where the type can hold them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa

Make = Callable[[Sequence[bool]], pa.Array]

NUMBER, NAME, BOTH, NEITHER = "number", "name", "both", "neither"
"""What a type can be declared as: a numeric column, a categorical one, both or neither."""

_DAY = date(2024, 1, 1)
_NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
_WHOLE: Sequence[object] = (0, 1, 5, 127, 0)
_TEXTS: Sequence[object] = ("Oslo", "", "1", "<b>", "naïve 🛫")
_BYTES: Sequence[object] = (b"Oslo", b"", b"caf\xe9", b"\x00", b"1")
_REAL: Sequence[object] = (0.0, 1.5, -2.0, 0.25, 1024.0)
_DECIMALS: Sequence[object] = tuple(map(Decimal, ("0.00", "1.50", "-2.00", "0.25", "9.99")))


def _of(kind: pa.DataType, values: Sequence[object]) -> Make:
    """Makes an array with a null where a flag says so."""

    def make(nulls: Sequence[bool]) -> pa.Array:
        cycled = [None if null else values[i % len(values)] for i, null in enumerate(nulls)]
        return pa.array(cycled, kind)

    return make


def _encoded(kind: pa.DataType, values: Sequence[object], codes: pa.DataType | None = None) -> Make:
    return lambda nulls: (
        _of(kind, values)(nulls).dictionary_encode().cast(pa.dictionary(codes or pa.int32(), kind))
    )


def _coded(make_values: Make) -> Make:
    """A dictionary whose every row has a value of its own."""

    def make(nulls: Sequence[bool]) -> pa.Array:
        codes = [None if null else i for i, null in enumerate(nulls)]
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), make_values(nulls))

    return make


def _run_ends(ends: pa.DataType, kind: pa.DataType, values: Sequence[object]) -> Make:
    return _ends_of(_of(kind, values), ends)


def _ends_of(make_values: Make, ends: pa.DataType | None = None) -> Make:
    """Runs of one row each."""
    return lambda nulls: pa.RunEndEncodedArray.from_arrays(
        pa.array(range(1, len(nulls) + 1), ends or pa.int32()), make_values(nulls)
    )


def _union(mode: str) -> Make:
    def make(nulls: Sequence[bool]) -> pa.Array:
        n = len(nulls)
        codes = pa.array([i % 2 for i in range(n)], pa.int8())
        children = [_of(pa.int64(), _WHOLE)(nulls), _of(pa.string(), _TEXTS)(nulls)]
        if mode == "sparse":
            return pa.UnionArray.from_sparse(codes, children)
        return pa.UnionArray.from_dense(codes, pa.array(range(n), pa.int32()), children)

    return make


def _extended(kind: pa.DataType, values: Sequence[object]) -> Make:
    plain = _of(kind.storage_type, values)
    return lambda nulls: pa.ExtensionArray.from_storage(kind, plain(nulls))


def _dictionary_with_null(nulls: Sequence[bool]) -> pa.Array:
    codes = pa.array([2 if null else i % 2 for i, null in enumerate(nulls)], pa.int32())
    return pa.DictionaryArray.from_arrays(codes, pa.array(["Oslo", "Rome", None]))


def _intervals() -> Sequence[object]:
    return [pa.MonthDayNano([1, 2, 3]), pa.MonthDayNano([0, 0, 0])]


def _nullable_nested(kind: pa.DataType, values: Sequence[object]) -> tuple[str, Make]:
    return NEITHER, _of(kind, values)


_LISTS: Sequence[object] = ([1, 2], [], [None])
_PAIRS: Sequence[object] = ([1, 2], [3, None])

ARRAYS: dict[str, tuple[str, Make]] = {
    **{
        str(kind): (BOTH, _of(kind, _WHOLE))
        for kind in (
            *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
            *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        )
    },
    "halffloat": (BOTH, _of(pa.float16(), [np.float16(v) for v in (0, 1.5, -2, 0.25, 1024)])),
    "float": (BOTH, _of(pa.float32(), _REAL)),
    "double": (BOTH, _of(pa.float64(), _REAL)),
    "double with NaN and infinities": (
        BOTH,
        _of(pa.float64(), (np.nan, np.inf, -np.inf, 1e150, 1.5)),
    ),
    "bool": (BOTH, _of(pa.bool_(), (True, False))),
    **{
        str(kind): (BOTH, _of(kind, _DECIMALS))
        for kind in (
            *(pa.decimal32(5, 2), pa.decimal64(9, 2)),
            *(pa.decimal128(20, 2), pa.decimal256(60, 2)),
        )
    },
    "decimal beyond float": (BOTH, _of(pa.decimal256(76, 0), (Decimal("9" * 76), Decimal(1)))),
    "null": (BOTH, lambda nulls: pa.nulls(len(nulls))),
    "string": (NAME, _of(pa.string(), _TEXTS)),
    "large_string": (NAME, _of(pa.large_string(), _TEXTS)),
    "string_view": (NAME, _of(pa.string_view(), _TEXTS)),
    "date32": (NAME, _of(pa.date32(), (_DAY,))),
    "date64": (NAME, _of(pa.date64(), (_DAY,))),
    "binary": (NEITHER, _of(pa.binary(), _BYTES)),
    "large_binary": (NEITHER, _of(pa.large_binary(), _BYTES)),
    "binary_view": (NEITHER, _of(pa.binary_view(), _BYTES)),
    "fixed_size_binary": (NEITHER, _of(pa.binary(2), (b"ab", b"\xff\x00"))),
    **{f"time32[{u}]": (NEITHER, _of(pa.time32(u), (time(1, 2, 3),))) for u in ("s", "ms")},
    **{f"time64[{u}]": (NEITHER, _of(pa.time64(u), (time(1, 2, 3),))) for u in ("us", "ns")},
    **{
        f"duration[{unit}]": (NEITHER, _of(pa.duration(unit), (timedelta(seconds=5),)))
        for unit in ("s", "ms", "us", "ns")
    },
    **{
        f"timestamp[{unit}, {zone}]": (NEITHER, _of(pa.timestamp(unit, zone), (_NOON,)))
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "America/New_York", "+05:30")
    },
    "month_day_nano_interval": (NEITHER, _of(pa.month_day_nano_interval(), _intervals())),
    "list": _nullable_nested(pa.list_(pa.int64()), _LISTS),
    "large_list": _nullable_nested(pa.large_list(pa.int64()), _LISTS),
    "list_view": _nullable_nested(pa.list_view(pa.int64()), _LISTS),
    "large_list_view": _nullable_nested(pa.large_list_view(pa.int64()), _LISTS),
    "fixed_size_list": _nullable_nested(pa.list_(pa.int64(), 2), _PAIRS),
    "struct": _nullable_nested(pa.struct([("a", pa.int64())]), ({"a": 1}, {"a": None})),
    "map": _nullable_nested(pa.map_(pa.string(), pa.int64()), ([("k", 1)], [])),
    "sparse_union": (NEITHER, _union("sparse")),
    "dense_union": (NEITHER, _union("dense")),
    "dictionary of strings": (NAME, _encoded(pa.string(), _TEXTS)),
    "dictionary of large strings": (NAME, _encoded(pa.large_string(), _TEXTS)),
    "dictionary of integers": (BOTH, _encoded(pa.int64(), _WHOLE)),
    "dictionary of floats": (BOTH, _encoded(pa.float64(), (np.nan, 1.5, np.inf))),
    "dictionary of booleans": (BOTH, _encoded(pa.bool_(), (True, False))),
    "dictionary of decimals": (BOTH, _encoded(pa.decimal128(20, 2), _DECIMALS)),
    "dictionary of dates": (NAME, _encoded(pa.date32(), (_DAY,))),
    "dictionary of bytes": (NEITHER, _encoded(pa.binary(), _BYTES)),
    "dictionary of timestamps": (NEITHER, _encoded(pa.timestamp("us", "UTC"), (_NOON,))),
    "dictionary that holds a null": (NAME, _dictionary_with_null),
    **{
        f"dictionary of strings by {codes}": (NAME, _encoded(pa.string(), _TEXTS, codes))
        for codes in (
            *(pa.int8(), pa.int16(), pa.int64()),
            *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        )
    },
    "dictionary of string views": (NAME, _coded(_of(pa.string_view(), _TEXTS))),
    "dictionary of byte views": (NEITHER, _coded(_of(pa.binary_view(), _BYTES))),
    "dictionary of small decimals": (BOTH, _coded(_of(pa.decimal32(5, 2), _DECIMALS))),
    "dictionary of lists": (NEITHER, _coded(_of(pa.list_(pa.int64()), _LISTS))),
    "dictionary of 8-bit booleans": (NUMBER, _coded(_extended(pa.bool8(), (0, 1)))),
    "run ends of dictionaries": (NAME, _ends_of(_encoded(pa.string(), _TEXTS))),
    "run ends of string views": (NAME, _ends_of(_of(pa.string_view(), _TEXTS))),
    "run ends of lists": (NEITHER, _ends_of(_of(pa.list_(pa.int64()), _LISTS))),
    "run ends of small decimals": (BOTH, _ends_of(_of(pa.decimal64(9, 2), _DECIMALS))),
    "run ends of floats": (BOTH, _run_ends(pa.int16(), pa.float64(), _REAL)),
    "run ends of strings": (NAME, _run_ends(pa.int32(), pa.string(), _TEXTS)),
    "run ends of bytes": (NEITHER, _run_ends(pa.int64(), pa.binary(), _BYTES)),
    "bool8": (BOTH, _extended(pa.bool8(), (0, 1))),
    "uuid": (NAME, _extended(pa.uuid(), [uuid.UUID(int=i << 120).bytes for i in (1, 200, 255)])),
    "json": (NAME, _extended(pa.json_(), [json.dumps({"a": 1}), "null"])),
    "fixed_shape_tensor": (
        NEITHER,
        _extended(pa.fixed_shape_tensor(pa.int64(), [2]), ([1, 2], [3, 4])),
    ),
    "opaque": (NEITHER, _extended(pa.opaque(pa.binary(), "geometry", "somebody"), _BYTES)),
}
"""By name: what it can be declared as, and how an array is made from where its nulls are."""


def make(name: str, nulls: Sequence[bool]) -> pa.Array:
    """An array of a named type, null where a flag says so."""
    return ARRAYS[name][1](nulls)


def type_name(kind: pa.DataType) -> str:
    """What a person calls it: of a dictionary and of runs, their values' type."""
    is_encoded = pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind)
    return type_name(kind.value_type) if is_encoded else str(kind)
