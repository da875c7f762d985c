"""Text that every database can keep."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# PostgreSQL refuses U+0000 in text. U+FFFF is no character and stands for it while stored, so
# that an id that holds one is still joined and comes back as it was.
_NUL, _STORED_NUL = "\x00", "\uffff"


def storable(text: str) -> str:
    """Text without what a database refuses: U+0000, and halves of surrogate pairs.

    Example:
        >>> storable("plain"), storable("a" + chr(0) + "b") == "a" + chr(0xFFFF) + "b"
        ('plain', True)
    """
    if text.isascii() and _NUL not in text:
        return text
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return clean.replace(_NUL, _STORED_NUL)


def storable_array(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """As :func:`storable`, for a column of text."""
    return pc.replace_substring(values, pattern=_NUL, replacement=_STORED_NUL)


def restored_array(values: pa.Array) -> pa.Array:
    """What :func:`storable_array` was given."""
    return pc.replace_substring(values, pattern=_STORED_NUL, replacement=_NUL)
