"""The counting kernel of the extra ``fast``: the same integers in one compiled pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import SQUARE_BITS
from dagster_monitoring.profiles.engines.tally import SQUARE_SPLIT, STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagster_monitoring.profiles.engines.cubes import SegmentRows
    from dagster_monitoring.profiles.engines.lookup import Workspace
    from dagster_monitoring.profiles.engines.tally import Tally, Tier

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_SQUARE_SCALE = 2.0**-SQUARE_BITS
# Any: numba publishes no types.
_place: Any = numba.uint64
_whole: Any = numba.int64
_LEFT = (1 << SQUARE_SPLIT) - 1

_floats = numba.types.Array(numba.float64, 1, "C", readonly=True)
_integers = numba.types.Array(numba.int64, 1, "C", readonly=True)
_flags = numba.types.Array(numba.boolean, 1, "C", readonly=True)
_cells = numba.types.Array(numba.int64, 2, "C", readonly=True)
_counts = numba.int64[::1]
_table = numba.int64[:, ::1]
_SIGNATURE = (
    *(_floats, _flags, numba.float64, numba.float64),
    *(_floats, _integers, _floats, numba.float64, numba.float64, numba.int64),
    *(_integers, _cells),
    *(_counts, _counts, _table, _table, _table),
)
_NONE = np.zeros(0, dtype=np.bool_)
_NO_CELLS = np.zeros((0, 0), dtype=np.intp)


def count_piece(
    values: Floats,
    aside: Bools | None,
    rows: SegmentRows,
    tally: Tally,
    tier: Tier,
    work: Workspace,
) -> None:
    """As :func:`dagster_monitoring.profiles.engines.local.count_piece`, to the bit."""
    del work
    table = tally.lookup
    _count(
        *(values, _NONE if aside is None else aside, tally.bins.centre, tier.inverse),
        *(table.edges, table.below, table.padded, table.low, table.scale, table.passes),
        *(tally.coarse, rows.cells(tally.cube) if rows.sizes else _NO_CELLS),
        *(tally.counts, tier.fine.low, tally.cube_counts, tier.cube.low, tier.squares),
    )


# Any: numba publishes no types for its decorators.
def _compile(signature: tuple[object, ...]) -> Callable[..., Callable[..., None]]:
    """Compile for these types, and keep what was compiled where there is a place for it."""

    def compiled(function: Callable[..., None]) -> Callable[..., None]:
        try:
            return numba.njit(signature, cache=True, nogil=True)(function)
        except (RuntimeError, OSError):
            # numba found no folder that it may write to.
            return numba.njit(signature, nogil=True)(function)

    return compiled


# One function without calls in it: numba would count references to each array it hands on. With
# unsigned places, as signed ones might count from an array's end, which costs a comparison each.
@_compile(_SIGNATURE)
def _count(  # noqa: PLR0912, PLR0913, PLR0917, C901 - see above
    values: Floats,
    aside: Bools,
    centre: float,
    inverse: float,
    edges: Floats,
    below: Integers,
    padded: Floats,
    low: float,
    scale: float,
    passes: int,
    coarse: Integers,
    cells: Integers,
    counts: Integers,
    sums: Integers,
    cube_counts: Integers,
    cube_sums: Integers,
    squares: Integers,
) -> None:
    last, top, groups = _place(len(edges)), len(below) - 1.0, len(cells)
    no_bin = _place(STRIDE - 1)
    has_aside = len(aside) > 0
    high, left = 0, 0
    for i in range(len(values)):
        if has_aside and aside[i]:
            counts[last + _place(1)] += 1
            for group in range(groups):
                cube_counts[_place(cells[group, i]), no_bin] += 1
            continue
        x = values[i]
        # The bin, as Lookup.places finds it.
        place = _place(0)
        if top >= 0.0:
            position = (x - low) * scale
            position = min(max(position, 0.0), top)
            place = _place(below[_place(_whole(position))])
            if place > last:
                # A crowded cell: from the edges below it on, in growing steps, then halving.
                place -= last + _place(1)
                step = _place(1)
                while place + step <= last and edges[place + step - _place(1)] <= x:
                    place += step
                    step += step
                end = min(place + step - _place(1), last)
                while place < end:
                    middle = (place + end) >> _place(1)
                    if edges[middle] <= x:
                        place = middle + _place(1)
                    else:
                        end = middle
            else:
                place += _place(padded[place] <= x)
                if passes > 1:
                    place += _place(padded[place] <= x)
        rounded = np.rint((x - centre) * inverse)
        square = _whole(np.rint(rounded * rounded * _SQUARE_SCALE))
        units = _whole(rounded)
        counts[place] += 1
        sums[place] += units
        if groups == 0:
            high += square >> SQUARE_SPLIT
            left += square & _LEFT
        coarse_place = _place(coarse[place])
        for group in range(groups):
            cell = _place(cells[group, i])
            cube_counts[cell, coarse_place] += 1
            cube_sums[cell, coarse_place] += units
            squares[_place(0), cell] += square >> SQUARE_SPLIT
            squares[_place(1), cell] += square & _LEFT
    squares[0, 0] += high
    squares[1, 0] += left
