"""Hashes of many short texts at once, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

SPARE = 8
"""Bytes that data must have beyond their end, so that words can be read anywhere."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def hash_names(names: Sequence[str]) -> Hashes:
    """A hash within 0..2**64 a name.

    Example:
        >>> first, other, again = hash_names(["a", "b", "a"]).tolist()
        >>> first == again, first == other
        (True, False)
    """
    encoded = [name.encode("utf-8", "surrogatepass") for name in names]
    lengths = np.array([len(name) for name in encoded], dtype=np.int64)
    data = np.frombuffer(b"".join([*encoded, bytes(SPARE)]), dtype=np.uint8)
    return hash_bytes(data, np.cumsum(lengths) - lengths, lengths)


def hash_bytes(data: Bytes, starts: Integers, lengths: Integers) -> Hashes:
    """Eight bytes at a time; ``data`` has eight bytes to spare at its end."""
    words = np.ndarray((len(data) - 7,), dtype="<u8", buffer=data.data, strides=(1,))
    hashes = lengths.astype(np.uint64) * _MIX
    rows: slice | npt.NDArray[np.intp] = slice(None)
    for at in range(0, int(lengths.max(initial=0)), 8):
        if at >= int(lengths.min()):
            rows = np.flatnonzero(lengths > at)
        left = np.minimum(lengths[rows] - at, 8).astype(np.uint64)
        word = words[starts[rows] + at]
        # Bytes of the next string are shifted out at the top.
        word <<= np.uint64(64) - left * np.uint64(8)
        mixed = (hashes[rows] ^ word) * _GOLDEN
        mixed ^= mixed >> np.uint64(32)
        hashes[rows] = mixed
    hashes *= _MIX
    hashes ^= hashes >> np.uint64(29)
    return hashes
