"""The inner loops of the extra ``fast``: the same integers in one compiled pass a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.profiles.engines import machine_code
from dagster_monitoring.profiles.engines.loops import Near
from dagster_monitoring.profiles.engines.tally import ROW

if TYPE_CHECKING:
    from dagster_monitoring.profiles.engines.cubes import Cube, Places, SegmentRows
    from dagster_monitoring.profiles.engines.lookup import Workspace
    from dagster_monitoring.profiles.engines.tally import Tally, Tier

Integers = npt.NDArray[np.int64]
Narrow = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]

ROWS = 131_072
"""Rows among which a column's tables are fetched into the cache once."""

_NEAR_BITS = 44
_NEAR = 2.0**_NEAR_BITS
"""Offsets of fewer units are counted in one pass: ``ROWS`` of them add up to ``2 ** 61``."""

_ALL_VALID = np.zeros(0, dtype=np.uint8)


def count_near(array: pa.Array, rows: SegmentRows, tally: Tally) -> Near:
    """As :meth:`Loops.count_near`."""
    n, tier = len(array), tally.tier(0)
    room = tier.make_room(n, 1 << _NEAR_BITS)
    values = np.frombuffer(array.buffers()[1], dtype=np.float64)[array.offset : array.offset + n]
    others = np.empty(n, dtype=np.int32)
    n_others, low, high = _run(values, _valid(array), rows, tally, tier, _NEAR, others)
    away = max(tally.bins.centre - low, high - tally.bins.centre, 0.0)
    tier.give_back(room, n, int(away * tier.inverse))
    return Near(low, high, others[:n_others])


def count_piece(
    values: Floats,
    aside: Bools | None,
    rows: SegmentRows,
    tally: Tally,
    tier: Tier,
    work: Workspace,
) -> None:
    """As :meth:`Loops.count_piece`."""
    del work
    valid = _ALL_VALID if aside is None else (~aside).view(np.uint8)
    _run(values, valid, rows, tally, tier, np.inf, np.empty(0, dtype=np.int32))


def place_codes(codes: pa.Array, mapping: Integers, by_code: Integers) -> Places:
    """As :meth:`Loops.place_codes`."""
    n = len(codes)
    place = np.empty(n, dtype=np.int32)
    if not n:
        return place
    codes = codes.cast(pa.int32())
    code = np.frombuffer(codes.buffers()[1], dtype=np.int32)[codes.offset : codes.offset + n]
    machine_code.place_codes(code, _valid(codes), mapping.astype(np.int32), by_code, place)
    return place


def take(values: Places, place: Places) -> Places:
    """As :meth:`Loops.take`."""
    found = np.empty(len(place), dtype=np.int32)
    machine_code.take(values.astype(np.int32), place, found)
    return found


def count_cells(
    place: Places, coarse: Integers, rows: SegmentRows, cube: Cube, table: Integers
) -> None:
    """As :meth:`Loops.count_cells`."""
    cells = rows.cells(cube).astype(np.int32, copy=False)
    machine_code.count_cells(place, coarse, cells, table)


def _valid(array: pa.Array) -> Bits:
    """1 for a row with a value, 0 for a null; of an array without nulls nothing."""
    if not array.null_count:
        return _ALL_VALID
    bits = np.frombuffer(array.buffers()[0], dtype=np.uint8)
    first, end = array.offset, array.offset + len(array)
    flags = np.unpackbits(bits[first // 8 : (end + 7) // 8], bitorder="little")
    return flags[first % 8 :][: len(array)]


def _run(
    values: Floats,
    valid: Bits,
    rows: SegmentRows,
    tally: Tally,
    tier: Tier,
    reach: float,
    others: Narrow,
) -> tuple[int, float, float]:
    table = tally.lookup
    firsts = rows.firsts(tally.cube, ROW).astype(np.int32, copy=False)
    lows, highs = np.full(machine_code.BLOCK, np.inf), np.full(machine_code.BLOCK, -np.inf)
    n_others = machine_code.count(
        *(values, valid, tally.bins.centre, tier.inverse, reach),
        *(table.padded, table.narrow, table.passes, *table.cells.numbers),
        *(tally.in_row, firsts, tier.table, others, lows, highs),
    )
    return n_others, float(lows.min()), float(highs.max())
