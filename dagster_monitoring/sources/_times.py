"""Timestamps as they come (with a zone, without, as text) turned into UTC microseconds."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.arrays import plain

UTC = pa.timestamp("us", tz="UTC")


def to_utc(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Timestamps in UTC; those without a zone are taken as UTC, text is read as ISO 8601.

    Args:
        values: timestamps of any unit, dates, or text.

    Raises:
        pyarrow.ArrowException: the type is no time, or a text can't be read.

    Example:
        >>> to_utc(pa.array(["2013-04-01T00:00:00-04:00"]))[0].as_py().isoformat()
        '2013-04-01T04:00:00+00:00'
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text_to_utc(values)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_null(kind):
        # A cast to "us" refuses to drop nanoseconds unless told to.
        zone = kind.tz if pa.types.is_timestamp(kind) else None
        naive = pc.cast(values, pa.timestamp("us", tz=zone), safe=False)
        return naive.cast(UTC)
    raise pa.ArrowTypeError(f"{kind} is not a timestamp")


def moments(values: pa.Array) -> pa.Array:
    """As :func:`to_utc`, for an array that may be encoded in any way."""
    return to_utc(plain(values))


def _text_to_utc(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    try:
        return values.cast(UTC)
    except pa.ArrowInvalid:
        # Arrow wants a zone in every text or in none.
        return values.cast(pa.timestamp("us")).cast(UTC)


def within(
    values: pa.Array | pa.ChunkedArray, bounds: tuple[datetime, datetime]
) -> pa.Array | pa.ChunkedArray:
    """Which timestamps lie in ``[start, end)``; a null does not.

    Raises:
        pyarrow.ArrowException: as :func:`to_utc`.
    """
    moments = to_utc(values)
    start, end = (pa.scalar(bound, UTC) for bound in bounds)
    inside = pc.and_(pc.greater_equal(moments, start), pc.less(moments, end))
    return pc.fill_null(inside, fill_value=False)
