"""What numba compiles for the extra ``fast``: loops over blocks of rows, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import SQUARE_BITS
from dagster_monitoring.profiles.engines.lookup import MAGNITUDE, SIGN
from dagster_monitoring.profiles.engines.tally import SMALL_SQUARE, SQUARE_SPLIT

if TYPE_CHECKING:
    from collections.abc import Callable

Integers = npt.NDArray[np.int64]
Narrow = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint8]

BLOCK = 512
"""Rows that one loop after another works on, so that what they hand on stays nearest."""

_SQUARE_SCALE = 2.0**-SQUARE_BITS
_LEFT = (1 << SQUARE_SPLIT) - 1

# Any: numba publishes no types. Places are unsigned, as signed ones might count from an array's
# end, which costs a comparison each.
_place: Any = numba.uint64
_whole: Any = numba.int64
_cell: Any = numba.int32
_ONE, _TWO = _place(1), _place(2)
_NO_WRAPPERS: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _read(kind: Any, dimensions: int = 1) -> object:  # noqa: ANN401 - numba publishes no types
    return numba.types.Array(kind, dimensions, "C", readonly=True)


def _inline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as a part of those who call it: it can't be called from Python."""
    compiled: Callable[..., Any] = numba.njit(nogil=True, **_NO_WRAPPERS)(function)
    return compiled


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


@_inline
def _measure(  # noqa: PLR0913, PLR0917 - as count
    values: Floats,
    valid: Bits,
    start: int,
    n: int,
    centre: float,
    inverse: float,
    reach: float,
    kept: Bits,
    offsets: Floats,
) -> tuple[int, int]:
    """Offsets in units, and which rows are kept; gives how many are, and how many are not null."""
    n_kept, n_valid = _place(0), n
    for i in range(n):
        offset = (values[start + i] - centre) * inverse
        # NaN, which compares as false, is not kept.
        kept[i] = abs(offset) < reach
        offsets[i] = offset
    if len(valid):
        n_valid = _place(0)
        for i in range(n):
            n_valid += _place(valid[start + i])
            kept[i] &= valid[start + i]
    for i in range(n):
        n_kept += _place(kept[i])
    return n_kept, n_valid


@_inline
def _find(  # noqa: PLR0913, PLR0917 - as count
    numbers: Floats,
    n: int,
    padded: Floats,
    below: Narrow,
    passes: int,
    pivot: float,
    scale: float,
    shift: int,
    first: int,
    lower: int,
    places: Narrow,
) -> None:
    """Bins, as :meth:`Lookup.places` finds them."""
    last, top = _place(len(padded) - 2), len(below) - 1
    if shift:
        for i in range(n):
            bits = np.float64(numbers[i] - pivot).view(np.int64)
            cell = _whole(max(((bits & MAGNITUDE) >> shift) - first, 0))
            places[i] = min(max(lower + (cell ^ (bits >> SIGN)), 0), top)
    else:
        for i in range(n):
            position = (numbers[i] - pivot) * scale
            places[i] = _cell(min(max(position, 0.0), float(top)))
    for i in range(n):
        x = numbers[i]
        place = _place(below[_place(places[i])])
        if place > last:
            place = _search(padded, place - last - _ONE, last, x)
        else:
            place += _place(padded[place] <= x)
            if passes > 1:
                place += _place(padded[place] <= x)
        places[i] = place


@_inline
def _search(padded: Floats, place: int, last: int, x: float) -> int:
    """The bin of a number in a crowded cell: from ``place`` in growing steps, then halving."""
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
    return place


@_inline
def _round(offsets: Floats, n: int, units: Integers, squares: Integers, table: Integers) -> None:
    """Whole units and squares of them, which are added to those of all rows."""
    high, left = 0, 0
    for i in range(n):
        rounded = np.rint(offsets[i])
        units[i] = _whole(rounded)
        squares[i] = _whole(np.rint(rounded * rounded * _SQUARE_SCALE))
    for i in range(n):
        high += squares[i] >> SQUARE_SPLIT
        left += squares[i] & _LEFT
    table[_place(0)] += high
    table[_ONE] += left


@_inline
def _add(places: Narrow, units: Integers, n: int, table: Integers) -> None:
    """Count rows by bin."""
    for i in range(n):
        at = _TWO + _TWO * _place(places[i])
        table[at] += 1
        table[at + _ONE] += units[i]


@_inline
def _add_by_cell(
    places: Narrow,
    units: Integers,
    squares: Integers,
    n: int,
    in_row: Bits,
    firsts: Narrow,
    start: int,
    table: Integers,
) -> None:
    """Count rows by cell and segment bin."""
    base = _TWO + _TWO * _place(len(in_row))
    for i in range(n):
        row = base + _place(firsts[start + i])
        at = row + _place(in_row[_place(places[i])])
        table[at] += 1
        table[at + _ONE] += units[i]
        if squares[i] < SMALL_SQUARE:
            table[row + _ONE] += squares[i]
        else:
            table[row] += squares[i] >> SQUARE_SPLIT
            table[row + _ONE] += squares[i] & _LEFT


@_compile(
    *(_read(numba.float64), _read(numba.uint8), numba.float64, numba.float64, numba.float64),
    *(_read(numba.float64), _read(numba.int32), numba.int64),
    *(numba.float64, numba.float64, numba.int64, numba.int64, numba.int64),
    *(_read(numba.uint8), _read(numba.int32, 2), numba.int64[::1], numba.int32[::1]),
    *(numba.float64[::1], numba.float64[::1]),
)
def count(  # noqa: PLR0913, PLR0917 - numba takes no records
    values: Floats,
    valid: Bits,
    centre: float,
    inverse: float,
    reach: float,
    padded: Floats,
    below: Narrow,
    passes: int,
    pivot: float,
    scale: float,
    shift: int,
    first: int,
    lower: int,
    in_row: Bits,
    firsts: Narrow,
    table: Integers,
    others: Narrow,
    lows: Floats,
    highs: Floats,
) -> int:
    """Count into ``table``; rows beyond reach as if without a number, and name them too."""
    kept, places = np.empty(BLOCK, dtype=np.uint8), np.empty(BLOCK, dtype=np.int32)
    numbers, offsets = np.empty(BLOCK), np.empty(BLOCK)
    units, squares = np.empty(BLOCK, dtype=np.int64), np.empty(BLOCK, dtype=np.int64)
    end, start, n_others = _place(len(values)), _place(0), _place(0)
    while start < end:
        n = min(_place(BLOCK), end - start)
        n_kept, n_valid = _measure(values, valid, start, n, centre, inverse, reach, kept, offsets)
        for i in range(n):
            numbers[i] = values[start + i] if kept[i] else centre
            offsets[i] = offsets[i] if kept[i] else 0.0
        for i in range(n):
            x = values[start + i]
            lows[i] = x if kept[i] and x < lows[i] else lows[i]
            highs[i] = x if kept[i] and x > highs[i] else highs[i]
        _find(numbers, n, padded, below, passes, pivot, scale, shift, first, lower, places)
        if n_kept < n:
            for i in range(n):
                places[i] = places[i] if kept[i] else len(in_row) - 1
        if n_kept < n_valid:
            for i in range(n):
                if not kept[i] and (not len(valid) or valid[start + i]):
                    others[n_others] = start + i
                    n_others += _ONE
        _round(offsets, n, units, squares, table)
        _add(places, units, n, table)
        for group in range(_place(len(firsts))):
            _add_by_cell(places, units, squares, n, in_row, firsts[group], start, table)
        start += n
    return int(n_others)


@_compile(
    *(_read(numba.int32), _read(numba.uint8), _read(numba.int32)),
    *(numba.int64[::1], numba.int32[::1]),
)
def place_codes(
    codes: Narrow, valid: Bits, mapping: Narrow, by_code: Integers, places: Narrow
) -> None:
    """As :meth:`Loops.place_codes`, into ``places``."""
    null, has_nulls = _place(len(mapping) - 1), len(valid) > 0
    for i in range(_place(len(codes))):
        code = _place(codes[i])
        if has_nulls:
            code = code if valid[i] else null
        by_code[code] += 1
        places[i] = mapping[code]


@_compile(_read(numba.int32), _read(numba.int32), numba.int32[::1])
def take(values: Narrow, places: Narrow, found: Narrow) -> None:
    """As :meth:`Loops.take`, into ``found``."""
    for i in range(_place(len(places))):
        found[i] = values[_place(places[i])]


@_compile(
    *(_read(numba.int32), _read(numba.int64), _read(numba.int32, 2), numba.int64[:, ::1]),
)
def count_cells(places: Narrow, coarse: Integers, cells: Narrow, table: Integers) -> None:
    """As :meth:`Loops.count_cells`."""
    groups = _place(len(cells))
    for i in range(_place(len(places))):
        column = _place(coarse[_place(places[i])])
        for group in range(groups):
            table[_place(cells[group, i]), column] += 1
