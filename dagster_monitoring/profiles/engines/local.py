"""The counting kernel of a plain install: NumPy on pieces that stay in the cache."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.profiles.bins import SQUARE_BITS
from dagster_monitoring.profiles.engines.cubes import Cube, Places, SegmentRows
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.loops import PIECE, Near
from dagster_monitoring.profiles.engines.tally import SQUARE_SPLIT, STRIDE, Tally, Tier

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ROWS = PIECE
"""Rows of which a column and its buffers stay in the cache."""

_WHOLE = 2.0**53
_SUM_SPLIT = 23

_SPARSE = 8
"""Adding at scattered places costs about eight times as much as passing over an array."""


def count_near(array: pa.Array, rows: SegmentRows, tally: Tally) -> Near | None:
    """As :meth:`Loops.count_near`: several passes over few rows serve NumPy better."""
    del array, rows, tally
    return None


def count_piece(
    values: Floats,
    aside: Bools | None,
    rows: SegmentRows,
    tally: Tally,
    tier: Tier,
    work: Workspace,
) -> None:
    """As :meth:`Loops.count_piece`."""
    n, size, centre = len(values), len(tally.coarse), tally.bins.centre
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
    tier.fine.counts += np.bincount(place, minlength=size)
    tier.fine.low += _weigh(place, units, size, is_whole=is_whole)
    parts = [squares] if is_whole else _split(squares, SQUARE_SPLIT)
    used = slice(-len(parts), None)
    tier.whole[used] += [int(part.sum()) for part in parts]
    if not rows.sizes:
        return
    coarse = np.take(tally.coarse, place, out=work.coarse[:n], mode="clip")
    cells, firsts = rows.cells(tally.cube), rows.firsts(tally.cube, STRIDE)
    shape = tier.cube.counts.shape
    total = shape[0] * shape[1]
    for cell, first in zip(cells, firsts, strict=True):
        joint = np.add(first, coarse, out=work.joint[:n])
        tier.cube.counts += np.bincount(joint, minlength=total).reshape(shape)
        tier.cube.low += _weigh(joint, units, total, is_whole=is_whole).reshape(shape)
        for part, own in zip(parts, tier.squares.T[used], strict=True):
            sums = np.bincount(cell, weights=part, minlength=shape[0])
            np.add(own, sums.astype(np.int64), out=own)


def place_codes(codes: pa.Array, mapping: Integers, by_code: Integers) -> Places:
    """As :meth:`Loops.place_codes`."""
    if codes.null_count:
        codes = codes.cast(pa.int64()).fill_null(len(mapping) - 1)
    code = codes.to_numpy(zero_copy_only=False)
    if len(code) * _SPARSE > len(by_code):
        by_code += np.bincount(code, minlength=len(by_code))
    else:
        np.add.at(by_code, code, 1)
    return take(mapping, code)


def take(values: Places, place: Places) -> Places:
    """As :meth:`Loops.take`."""
    return np.take(values, place, mode="clip")


def count_cells(
    place: Places, coarse: Integers, rows: SegmentRows, cube: Cube, table: Integers
) -> None:
    """As :meth:`Loops.count_cells`."""
    own = take(coarse, place)
    for firsts in rows.firsts(cube, table.shape[1]):
        joint = np.bincount(firsts + own, minlength=table.size)
        table += joint.reshape(table.shape)


def _weigh(place: Places, weights: Floats, size: int, *, is_whole: bool) -> Integers:
    """Sums of whole numbers by place; of large ones in two parts that floats add exactly."""
    if is_whole:
        return np.bincount(place, weights=weights, minlength=size).astype(np.int64)
    high, low = _split(weights, _SUM_SPLIT)
    highs = np.bincount(place, weights=high, minlength=size).astype(np.int64)
    return (highs << _SUM_SPLIT) + np.bincount(place, weights=low, minlength=size).astype(np.int64)


def _split(values: Floats, bits: int) -> tuple[Floats, Floats]:
    high = np.floor(values * 2.0**-bits)
    return high, values - high * 2.0**bits
