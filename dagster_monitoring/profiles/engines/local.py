"""The counting kernel of a plain install: NumPy on pieces that stay in the cache."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import SQUARE_BITS
from dagster_monitoring.profiles.engines.cubes import SegmentRows
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.tally import SQUARE_SPLIT, STRIDE, Tally, Tier

Places = npt.NDArray[np.intp]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PIECE = 32_768
"""Rows that are counted at a time, at the most: 256 KB a column and buffer. Sums of a piece are
whole numbers below ``2 ** 53`` only up to here."""

_WHOLE = 2.0**53
_SUM_SPLIT = 23

CountPiece = Callable[[Floats, "Bools | None", SegmentRows, Tally, Tier, Workspace], None]
"""One kernel: adds at most ``PIECE`` values to a tally, those set aside among the rows that have
no number. All kernels add the same integers."""


def count_piece(
    values: Floats,
    aside: Bools | None,
    rows: SegmentRows,
    tally: Tally,
    tier: Tier,
    work: Workspace,
) -> None:
    """Count values, and their offsets from the centre in whole units of ``tier``.

    Args:
        values: numbers less than ``2 ** 46`` units from the centre, but for those set aside.
        aside: rows that are to be counted as without a number.
        rows: their segments.
        tally: what the counts are added to.
        tier: what the sums are added to.
        work: buffers.
    """
    n, size, centre = len(values), len(tally.counts), tally.bins.centre
    if aside is not None:
        values = np.where(aside, centre, values)
    place = tally.places(values, work)
    if aside is not None:
        np.copyto(place, size - 1, where=aside)
    units = np.subtract(values, centre, out=work.offsets[:n])
    units *= tier.inverse
    np.rint(units, out=units)
    squares = np.multiply(units, units, out=work.squares[:n])
    squares *= 2.0**-SQUARE_BITS
    np.rint(squares, out=squares)
    # Partial sums of squares then are below 2 ** 53, and so, by the inequality of Cauchy and
    # Schwarz, are those of units: floats add both without rounding.
    is_whole = float(squares.sum()) < _WHOLE
    tally.counts += np.bincount(place, minlength=size)
    tier.fine.low += _weigh(place, units, size, is_whole=is_whole)
    if not rows.sizes:
        _add_squares(tier, np.zeros(n, dtype=np.intp), squares, is_whole=is_whole)
        return
    coarse = np.take(tally.coarse, place, out=work.coarse[:n], mode="clip")
    cells, firsts = rows.cells(tally.cube), rows.firsts(tally.cube, STRIDE)
    shape = tally.cube_counts.shape
    total = shape[0] * shape[1]
    for cell, first in zip(cells, firsts, strict=True):
        joint = np.add(first, coarse, out=work.joint[:n])
        tally.cube_counts += np.bincount(joint, minlength=total).reshape(shape)
        tier.cube.low += _weigh(joint, units, total, is_whole=is_whole).reshape(shape)
        _add_squares(tier, cell, squares, is_whole=is_whole)


def _weigh(place: Places, weights: Floats, size: int, *, is_whole: bool) -> Integers:
    """Sums of whole numbers by place; of large ones in two parts that floats add exactly."""
    if is_whole:
        return np.bincount(place, weights=weights, minlength=size).astype(np.int64)
    high, low = _split(weights, _SUM_SPLIT)
    highs = np.bincount(place, weights=high, minlength=size).astype(np.int64)
    return (highs << _SUM_SPLIT) + np.bincount(place, weights=low, minlength=size).astype(np.int64)


def _add_squares(tier: Tier, cell: Places, squares: Floats, *, is_whole: bool) -> None:
    size = tier.squares.shape[1]
    if is_whole and size == 1:
        tier.squares[1] += int(squares.sum())
    elif is_whole:
        tier.squares[1] += np.bincount(cell, weights=squares, minlength=size).astype(np.int64)
    else:
        for total, part in zip(tier.squares, _split(squares, SQUARE_SPLIT), strict=True):
            sums = np.bincount(cell, weights=part, minlength=size).astype(np.int64)
            np.add(total, sums, out=total)


def _split(values: Floats, bits: int) -> tuple[Floats, Floats]:
    high = np.floor(values * 2.0**-bits)
    return high, values - high * 2.0**bits
