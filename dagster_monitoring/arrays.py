"""Arrow arrays without the encodings they came in, and ids as the text that joins them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
        array = pc.if_else(pc.is_nan(whole), pa.scalar(None, pa.float64()), whole).cast(pa.int64())
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
        rows = np.arange(array.offset, array.offset + len(array))
        runs = np.searchsorted(array.run_ends.to_numpy(), rows, side="right")
        return widened(plain(array.values)).take(pa.array(runs))
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
    return array


def uuid_text(storage: pa.Array) -> pa.Array:
    """``fixed_size_binary[16]`` as the text that is usual, with four hyphens."""
    n = len(storage)
    data = np.frombuffer(storage.buffers()[1], dtype=np.uint8)[16 * storage.offset :][: 16 * n]
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    text = np.full((n, 36), ord("-"), dtype=np.uint8)
    text[:, _UUID_DIGITS] = digits[np.column_stack((data >> 4, data & 15))].reshape(n, 32)
    offsets = pa.py_buffer(np.arange(n + 1, dtype=np.int64) * 36)
    whole = pa.Array.from_buffers(pa.large_string(), n, [None, offsets, pa.py_buffer(text)])
    return pc.if_else(storage.is_valid(), whole, pa.scalar(None, pa.large_string()))
