"""The inner loops of the extra ``fast``: the same integers in one compiled pass a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.profiles.bins import SQUARE_BITS
from dagster_monitoring.profiles.engines.loops import Near
from dagster_monitoring.profiles.engines.tally import SQUARE_SPLIT, STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagster_monitoring.profiles.engines.cubes import Cube, Places, SegmentRows
    from dagster_monitoring.profiles.engines.lookup import Workspace
    from dagster_monitoring.profiles.engines.tally import Tally, Tier

Integers = npt.NDArray[np.int64]
Narrow = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]

_SQUARE_SCALE = 2.0**-SQUARE_BITS
ROWS = 131_072
"""Rows among which a column's tables are fetched into the cache once."""

_NEAR_BITS = 44
_NEAR = 2.0**_NEAR_BITS
"""Offsets of fewer units are counted in one pass: ``ROWS`` of them add up to ``2 ** 61``."""

_LEFT = (1 << SQUARE_SPLIT) - 1
# Any: numba publishes no types. Places are unsigned, as signed ones might count from an array's
# end, which costs a comparison each.
_place: Any = numba.uint64
_whole: Any = numba.int64
_COUNT, _SUM = _place(0), _place(1)
_ONE, _THREE, _SEVEN = _place(1), _place(3), _place(7)
_WIDTH, _NO_BIN = _place(STRIDE), _place(STRIDE - 1)

_ALL_VALID = np.zeros(0, dtype=np.uint8)
_NO_CELLS = np.zeros((0, 0), dtype=np.int32)


def _read(kind: Any, dimensions: int = 1) -> object:  # noqa: ANN401 - numba publishes no types
    return numba.types.Array(kind, dimensions, "C", readonly=True)


def count_near(array: pa.Array, rows: SegmentRows, tally: Tally) -> Near:
    """As :meth:`Loops.count_near`."""
    n, tier = len(array), tally.tier(0)
    room = n << _NEAR_BITS
    tier.make_room(room)
    values = np.frombuffer(array.buffers()[1], dtype=np.float64)
    others = np.empty(n, dtype=np.int32)
    n_others, low, high = _run(
        values[array.offset : array.offset + n],
        _valid(array),
        array.offset % 8,
        rows,
        tally,
        tier,
        _NEAR,
        others,
    )
    away = max(tally.bins.centre - low, high - tally.bins.centre, 0.0) if low <= high else 0.0
    tier.give_back(room - n * (int(away * tier.inverse) + 1))
    # Adding 0 makes 0.0 of -0.0: which of them comes first is a matter of order.
    return Near(low + 0.0, high + 0.0, others[:n_others])


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
    valid = _ALL_VALID if aside is None else np.packbits(~aside, bitorder="little")
    _run(values, valid, 0, rows, tally, tier, np.inf, np.empty(0, dtype=np.int32))


def place_codes(codes: pa.Array, mapping: Integers, counts: Integers, pending: Integers) -> Places:
    """As :meth:`Loops.place_codes`."""
    n, kind = len(codes), pa.int32()
    place = np.empty(n, dtype=np.int32)
    if not n:
        return place
    codes = codes if codes.type == kind else codes.cast(kind)
    code = np.frombuffer(codes.buffers()[1], dtype=np.int32)[codes.offset : codes.offset + n]
    _place_codes(code, _valid(codes), codes.offset % 8, mapping, counts, pending, place)
    return place


def count_cells(
    place: Places, coarse: Integers, rows: SegmentRows, cube: Cube, table: Integers
) -> None:
    """As :meth:`Loops.count_cells`."""
    _count_cells(place, coarse, _cells(rows, cube), table)


def _cells(rows: SegmentRows, cube: Cube) -> Narrow:
    return rows.cells(cube).astype(np.int32, copy=False) if rows.sizes else _NO_CELLS


def _valid(array: pa.Array) -> Bits:
    """Arrow's bits, from the byte of the first row on; of an array without nulls none."""
    if not array.null_count:
        return _ALL_VALID
    return np.frombuffer(array.buffers()[0], dtype=np.uint8)[array.offset // 8 :]


def _run(
    values: Floats,
    valid: Bits,
    first: int,
    rows: SegmentRows,
    tally: Tally,
    tier: Tier,
    reach: float,
    others: Narrow,
) -> tuple[int, float, float]:
    table = tally.lookup
    found: tuple[int, float, float] = _count(
        *(values, valid, first, tally.bins.centre, tier.inverse, reach),
        *(table.padded, table.narrow, table.low, table.scale, table.passes),
        *(tally.narrow, _cells(rows, tally.cube)),
        *(tier.fine.pairs, tier.cube.pairs.reshape(-1, 2), tier.squares, others),
    )
    return found


# Any: numba publishes no types for its decorators.
def _compile(*signature: object) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile for these types, and keep what was compiled where there is a place for it."""

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(signature, cache=True, nogil=True)(function)
        except (RuntimeError, OSError):
            # numba found no folder that it may write to.
            return numba.njit(signature, nogil=True)(function)

    return compiled


# One function without calls in it: numba would count references to each array it hands on.
@_compile(
    *(_read(numba.float64), _read(numba.uint8), numba.int64),
    *(numba.float64, numba.float64, numba.float64),
    *(_read(numba.float64), _read(numba.int32), numba.float64, numba.float64, numba.int64),
    *(_read(numba.uint8), _read(numba.int32, 2)),
    *(numba.int64[:, ::1], numba.int64[:, ::1], numba.int64[:, ::1], numba.int32[::1]),
)
def _count(  # noqa: PLR0912, PLR0913, PLR0915, PLR0917, C901 - see above
    values: Floats,
    valid: Bits,
    first: int,
    centre: float,
    inverse: float,
    reach: float,
    padded: Floats,
    below: Narrow,
    low: float,
    scale: float,
    passes: int,
    coarse: Bits,
    cells: Narrow,
    fine: Integers,
    cube: Integers,
    squares: Integers,
    others: Narrow,
) -> tuple[int, float, float]:
    """Count into ``fine``, ``cube`` and ``squares`` what is within reach, name the others."""
    last, top, groups = _place(len(padded) - 2), len(below) - 1.0, _place(len(cells))
    has_nulls = len(valid) > 0
    n_others, smallest, largest = _place(0), np.inf, -np.inf
    high, left = 0, 0
    for i in range(_place(len(values))):
        if has_nulls:
            bit = i + _place(first)
            if not (valid[bit >> _THREE] >> (bit & _SEVEN)) & 1:
                fine[last + _ONE, _COUNT] += 1
                for group in range(groups):
                    cube[_place(cells[group, i]) * _WIDTH + _NO_BIN, _COUNT] += 1
                continue
        x = values[i]
        scaled = (x - centre) * inverse
        # Written so that NaN, which compares as false, does not pass.
        if not abs(scaled) < reach:
            others[n_others] = i
            n_others += _ONE
            continue
        # Python's min and max look at NaN too.
        smallest = x if x < smallest else smallest  # noqa: FURB136 - see above
        largest = x if x > largest else largest  # noqa: FURB136
        # The bin, as Lookup.places finds it.
        place = _place(0)
        if top >= 0.0:
            position = (x - low) * scale
            position = position if position > 0.0 else 0.0  # noqa: FURB136
            position = position if position < top else top  # noqa: FURB136
            place = _place(below[_place(_whole(position))])
            if place > last:
                # A crowded cell: from the edges below it on, in growing steps, then halving.
                place -= last + _ONE
                step = _ONE
                while place + step <= last and padded[place + step - _ONE] <= x:
                    place += step
                    step += step
                end = min(place + step - _ONE, last)
                while place < end:
                    middle = (place + end) >> _ONE
                    if padded[middle] <= x:
                        place = middle + _ONE
                    else:
                        end = middle
            else:
                place += _place(padded[place] <= x)
                if passes > 1:
                    place += _place(padded[place] <= x)
        rounded = np.rint(scaled)
        units = _whole(rounded)
        square = _whole(np.rint(rounded * rounded * _SQUARE_SCALE))
        fine[place, _COUNT] += 1
        fine[place, _SUM] += units
        if groups == 0:
            high += square >> SQUARE_SPLIT
            left += square & _LEFT
            continue
        bin_of_segment = _place(coarse[place])
        cell = _place(cells[_place(0), i])
        at = cell * _WIDTH + bin_of_segment
        cube[at, _COUNT] += 1
        cube[at, _SUM] += units
        squares[cell, _place(0)] += square >> SQUARE_SPLIT
        squares[cell, _place(1)] += square & _LEFT
        for group in range(_ONE, groups):
            cell = _place(cells[group, i])
            at = cell * _WIDTH + bin_of_segment
            cube[at, _COUNT] += 1
            cube[at, _SUM] += units
            squares[cell, _place(0)] += square >> SQUARE_SPLIT
            squares[cell, _place(1)] += square & _LEFT
    squares[0, 0] += high
    squares[0, 1] += left
    return n_others, smallest, largest


@_compile(
    *(_read(numba.int32), _read(numba.uint8), numba.int64, _read(numba.int64)),
    *(numba.int64[::1], numba.int64[::1], numba.int32[::1]),
)
def _place_codes(
    codes: Narrow,
    valid: Bits,
    first: int,
    mapping: Integers,
    counts: Integers,
    pending: Integers,
    places: Narrow,
) -> None:
    null, unseen = _place(len(mapping) - 1), len(counts) - 2
    has_nulls = len(valid) > 0
    for i in range(_place(len(codes))):
        code = min(_place(codes[i]), null)
        if has_nulls:
            bit = i + _place(first)
            code = code if (valid[bit >> _THREE] >> (bit & _SEVEN)) & 1 else null
        place = mapping[code]
        places[i] = place
        counts[_place(place)] += 1
        if place == unseen:
            pending[code] += 1


@_compile(
    *(_read(numba.int32), _read(numba.int64), _read(numba.int32, 2), numba.int64[:, ::1]),
)
def _count_cells(places: Narrow, coarse: Integers, cells: Narrow, table: Integers) -> None:
    groups = _place(len(cells))
    for i in range(_place(len(places))):
        column = _place(coarse[_place(places[i])])
        for group in range(groups):
            table[_place(cells[group, i]), column] += 1
