"""Arrow arrays without the encodings they came in, and ids as the text that joins them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bools = npt.NDArray[np.bool_]

_UUID_BYTES = 16
_UUID_DIGITS = [place for place in range(36) if place not in {8, 13, 18, 23}]


def id_text(array: pa.Array) -> pa.Array:
    """Ids as ``large_string``, the same for the same id in whichever type it is kept.

    Whole numbers kept as floats lose their ``.0``. A UUID, also one of 16 plain bytes, becomes its
    text in lower case with four hyphens; text stays as it is. Other bytes must be UTF-8.

    Raises:
        pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError: the values are no ids: fractions,
            lists, bytes that are no text.

    Example:
        >>> id_text(pa.array([7.0, None])).to_pylist()
        ['7', None]
        >>> id_text(pa.array([bytes(range(16))], pa.binary(16))).to_pylist()
        ['00010203-0405-0607-0809-0a0b0c0d0e0f']
    """
    array = plain(array)
    kind = array.type
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == _UUID_BYTES:
        return uuid_text(array)
    if pa.types.is_floating(kind):
        whole = array.cast(pa.float64())
        array = pc.if_else(pc.is_nan(whole), None, whole).cast(pa.int64())
    return array if pa.types.is_large_string(kind) else array.cast(pa.large_string())


def plain(array: pa.Array) -> pa.Array:
    """The array itself, where it was a dictionary, run-end encoded, or an extension's.

    A UUID becomes its text, JSON its text, an 8-bit boolean a boolean; other extensions stay.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        values = widened(array.dictionary)
        if values.type != kind.value_type:
            array = pa.DictionaryArray.from_arrays(array.indices, values)
        return plain(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        # Arrow's own decoding knows fewer types.
        return widened(plain(array.values)).take(pa.array(_runs(array)))
    if isinstance(kind, pa.UuidType):
        return uuid_text(array.storage)
    if isinstance(kind, pa.Bool8Type):
        return array.storage.cast(pa.bool_())
    return array.storage if isinstance(kind, pa.JsonType) else array


def widened(array: pa.Array) -> pa.Array:
    """Values of a wider type, where Arrow can't take from their own or encode it."""
    kind = array.type
    if pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    if pa.types.is_binary_view(kind):
        return array.cast(pa.large_binary())
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return array.cast(pa.decimal128(kind.precision, kind.scale))
    return array.cast(pa.float32()) if pa.types.is_float16(kind) else array


def is_null(array: pa.Array) -> Bools:
    """True where a value is null, be it in a dictionary, a run or a union's child.

    Arrow's own ``is_valid`` looks into these from version 26 on only.

    Example:
        >>> pets = pa.DictionaryArray.from_arrays([1, 0, None], pa.array(["cat", None]))
        >>> is_null(pets).tolist()
        [True, False, True]
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _is_null_by_code(array)
    if pa.types.is_run_end_encoded(kind):
        return is_null(array.values)[_runs(array)]
    if pa.types.is_union(kind):
        return _is_null_by_child(array)
    if isinstance(array, pa.ExtensionArray):
        return is_null(array.storage)
    return _is_marked(array)


def _is_null_by_code(array: pa.DictionaryArray) -> Bools:
    null = _is_marked(array.indices)
    hidden = is_null(array.dictionary)
    if hidden.any():
        rows = np.flatnonzero(~null)
        null[rows] = hidden[array.indices.drop_null().to_numpy()]
    return null


def _is_null_by_child(array: pa.UnionArray) -> Bools:
    # Arrow's own codes and offsets of a slice are those of the array it was cut from.
    own = slice(array.offset, array.offset + len(array))
    buffers = array.buffers()
    codes = np.frombuffer(buffers[1], dtype=np.int8)[own]
    is_dense = array.type.mode == "dense"
    within = np.frombuffer(buffers[2], np.int32)[own] if is_dense else np.arange(len(array))
    null = np.zeros(len(array), dtype=np.bool_)
    for place, code in enumerate(array.type.type_codes):
        rows = np.flatnonzero(codes == code)
        null[rows] = is_null(array.field(place))[within[rows]]
    return null


def _is_marked(array: pa.Array) -> Bools:
    """True where the array's own bits say null."""
    if not array.null_count:
        return np.zeros(len(array), dtype=np.bool_)
    valid = array.is_valid()
    bits = np.frombuffer(valid.buffers()[1], dtype=np.uint8)
    # Arrow's own way from bits to booleans is twenty times as slow.
    flags = np.unpackbits(bits, count=valid.offset + len(valid), bitorder="little")
    return np.asarray(flags[valid.offset :] == 0)


def _runs(array: pa.RunEndEncodedArray) -> npt.NDArray[np.intp]:
    """The run that each row is of."""
    rows = np.arange(array.offset, array.offset + len(array))
    return np.searchsorted(array.run_ends.to_numpy(), rows, side="right")


def uuid_text(storage: pa.Array) -> pa.Array:
    """``fixed_size_binary[16]`` as the text that is usual, with four hyphens."""
    n = len(storage)
    data = np.frombuffer(storage.buffers()[1], dtype=np.uint8)[16 * storage.offset :][: 16 * n]
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    text = np.full((n, 36), ord("-"), dtype=np.uint8)
    text[:, _UUID_DIGITS] = digits[np.column_stack((data >> 4, data & 15))].reshape(n, 32)
    offsets = pa.py_buffer(np.arange(n + 1, dtype=np.int64) * 36)
    whole = pa.Array.from_buffers(pa.large_string(), n, [None, offsets, pa.py_buffer(text)])
    return pc.if_else(storage.is_valid(), whole, None)
