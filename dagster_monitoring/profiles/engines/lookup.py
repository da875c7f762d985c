"""The bin of a number, by a table of equal cells and one or two comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import NumericBins

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

CELLS = 16_384
"""Cells of a table: 128 KB, which stays in a core's second-level cache."""

_PASSES = (1, 2)
"""Comparisons a number that a table may take."""

_BISECTION = 35
"""What a bisection costs, in such comparisons."""

_GOOD = 0.01
"""A share of edges in crowded cells below which no better table is looked for."""

_FINENESS = (7, 8, 9, 10, 11)
"""Cells for a doubling of the distance, as powers of two."""

_ONE_SIDE = 0.02
"""A share of edges on the other side of the pivot below which they have no cells of their own."""

_TINY = float(np.finfo(np.float64).tiny)
_MANTISSA = 52

SIGN = 63
"""The bit of a float's sign."""

MAGNITUDE = (1 << SIGN) - 1
"""The others."""

_TRIMS = (0.0, 0.005, 0.03, 0.15)
"""Shares of the edges that a table's range may leave out at each end: a long tail would leave
too few cells for the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvenCells:
    """Cells of equal width: that of ``x`` is ``(x - low) * scale``, held within the table."""

    low: float
    scale: float

    @property
    def numbers(self) -> tuple[float, float, int, int, int]:
        """For a kernel: pivot, scale, shift, start, lower."""
        return self.low, self.scale, 0, 0, 0

    def of(self, values: Floats, work: Workspace) -> Places:
        """The cell of each value. The array belongs to ``work``."""
        n = len(values)
        position, cell = work.floats[:n], work.cells[:n]
        np.subtract(values, self.low, out=position)
        np.multiply(position, self.scale, out=position)
        np.clip(position, 0.0, float(CELLS - 1), out=position)
        np.copyto(cell, position, casting="unsafe")
        return cell


@dataclass(frozen=True, slots=True, kw_only=True)
class OctaveCells:
    """Cells that grow with the distance from a pivot: so many for each doubling of it.

    A float's bits, read as an integer, grow with it by equal steps within an octave and go on at
    the next. Without their last ``shift`` they count cells: from ``start`` on, to both sides of
    ``lower``; what lies nearer to the pivot is in its two cells, what lies beyond the table in the
    outer ones. With ``lower = 0`` all that is below the pivot is in the first cell, with
    ``lower = CELLS`` all that is above it in the last.

    Attributes:
        pivot: not 0, as ``-0.0 - 0`` would be below 0: a tiny number instead.
    """

    pivot: float
    shift: int
    start: int
    lower: int

    @property
    def numbers(self) -> tuple[float, float, int, int, int]:
        """For a kernel, as :attr:`EvenCells.numbers`."""
        return self.pivot, 0.0, self.shift, self.start, self.lower

    def of(self, values: Floats, work: Workspace) -> Places:
        """The cell of each value. The array belongs to ``work``."""
        n = len(values)
        away, cell = work.floats[:n], work.cells[:n]
        np.subtract(values, self.pivot, out=away)
        bits = away.view(np.int64)
        if self.lower:
            np.bitwise_and(bits, MAGNITUDE, out=cell)
            np.right_shift(cell, self.shift, out=cell)
        else:
            np.right_shift(bits, self.shift, out=cell)
        np.clip(cell, self.start, self.start + CELLS - 1, out=cell)
        np.subtract(cell, self.start, out=cell)
        if self.lower:
            # Of a negative number the sign's bit makes -1 of 0, -2 of 1 and so on.
            np.right_shift(bits, SIGN, out=bits)
            np.bitwise_xor(cell, bits, out=cell)
            np.add(cell, self.lower, out=cell)
            np.clip(cell, 0, CELLS - 1, out=cell)
        return cell


@dataclass(frozen=True, kw_only=True, eq=False)
class Lookup:
    """Where numbers lie among edges, as ``np.searchsorted(edges, x, side="right")`` gives it.

    The line is cut into cells. A cell knows how many edges lie in cells below it; as the cell of
    a number grows with the number, only the edges of its own cell remain to compare. Cells with
    more edges than ``passes`` are marked: their numbers are looked up in a second table of that
    part of the line, and bisected where that is crowded too.

    Attributes:
        edges: interior edges, shape ``(k - 1,)``.
        padded: ``edges`` and two infinities, so that no comparison reads beyond the end.
        cells: which cell a number is in.
        below: edges in lower cells, shape ``(CELLS,)``; ``k`` more where a cell is crowded.
        passes: comparisons a number.
        inner: the table of crowded cells, where there is one that helps.
    """

    edges: Floats
    padded: Floats
    cells: Cells
    below: Places
    passes: int
    inner: Lookup | None = None

    @cached_property
    def narrow(self) -> npt.NDArray[np.int32]:
        """``below`` in half the memory."""
        return self.below.astype(np.int32)

    def places(self, values: Floats, work: Workspace) -> Places:
        """The bin of each finite value. The array belongs to ``work``."""
        n = len(values)
        edge, above, place = work.floats[:n], work.flags[:n], work.places[:n]
        np.take(self.below, self.cells.of(values, work), out=place, mode="clip")
        for _ in range(self.passes):
            np.take(self.padded, place, out=edge, mode="clip")
            np.less_equal(edge, values, out=above)
            np.add(place, above, out=place)
        crowded = np.flatnonzero(place > len(self.edges))
        if len(crowded):
            place[crowded] = self._crowded_places(values[crowded])
        return place

    def _crowded_places(self, values: Floats) -> Places:
        if self.inner is None:
            return np.searchsorted(self.edges, values, side="right")
        return self.inner.places(values, Workspace(len(values)))


Cells = EvenCells | OctaveCells


class Workspace:
    """Buffers that are used again for every piece, so that they stay in the cache."""

    def __init__(self, size: int) -> None:
        self.floats = np.empty(size, dtype=np.float64)
        self.cells = np.empty(size, dtype=np.intp)
        self.places = np.empty(size, dtype=np.intp)
        self.flags = np.empty(size, dtype=np.bool_)
        self.offsets = np.empty(size, dtype=np.float64)
        self.squares = np.empty(size, dtype=np.float64)
        self.coarse = np.empty(size, dtype=np.intp)
        self.joint = np.empty(size, dtype=np.intp)


@lru_cache(maxsize=512)
def lookup(bins: NumericBins) -> Lookup:
    """The table of a column's bins; made once."""
    edges = bins.edges
    table = _table(edges, edges)
    crowded = edges[_are_crowded(table, edges)]
    if not len(crowded):
        return table
    inner = _table(edges, crowded)
    is_better = _are_crowded(inner, crowded).sum() < len(crowded) / 2
    return replace(table, inner=inner) if is_better else table


def _table(edges: Floats, wanted: Floats) -> Lookup:
    """The table that makes the least work of the wanted ones among the edges."""
    cells, passes = _best(wanted)
    inside = np.bincount(_cells(cells, edges), minlength=CELLS)
    below = np.cumsum(inside) - inside
    below[inside > passes] += len(edges) + 1
    return Lookup(
        edges=edges,
        padded=np.concatenate((edges, [np.inf, np.inf])),
        cells=cells,
        below=below,
        passes=passes,
    )


def _best(edges: Floats) -> tuple[Cells, int]:
    """The cells of least cost, up to some that can hardly be bettered, and their passes."""
    best: tuple[Cells, int] = (EvenCells(low=0.0, scale=0.0), 1)
    least = np.inf
    for extra, cells in _choices(edges):
        starts = np.flatnonzero(np.diff(_cells(cells, edges), prepend=-1))
        inside = np.diff(np.append(starts, len(edges)))
        for passes in _PASSES:
            # As most edges are quantiles, their share in crowded cells is that of values there.
            share = int(inside[inside > passes].sum()) / len(edges)
            cost = extra + passes + _BISECTION * share
            if cost < least:
                best, least = (cells, passes), cost
            if share < _GOOD and not extra:
                return cells, passes
    return best


def _choices(edges: Floats) -> Iterator[tuple[float, Cells]]:
    """Possible cells, each with what it costs beside comparisons; of no edges none."""
    if not len(edges):
        return
    for below, above in product(_TRIMS, _TRIMS):
        yield 0.0, _even(edges, below, above)
    for pivot, fineness, trim in product((0.0, edges[len(edges) // 2]), _FINENESS, _TRIMS):
        yield _octaves(edges, float(pivot) or -_TINY, fineness, trim)


def _octaves(edges: Floats, pivot: float, fineness: int, trim: float) -> tuple[float, OctaveCells]:
    """Cells around a pivot, so many to an octave, that leave out a share of edges far away."""
    away = np.sort(np.abs(edges - pivot))
    top = int(away[-1 - int(len(away) * trim)].view(np.int64))
    shift = _MANTISSA - fineness
    below = float((edges < pivot).mean())
    if _ONE_SIDE <= below <= 1 - _ONE_SIDE:
        start = max((top >> shift) - CELLS // 2 + 1, 1)
        return 1.0, OctaveCells(pivot=pivot, shift=shift, start=start, lower=CELLS // 2)
    start = max((top >> shift) - CELLS + 2, 1)
    # The pivot itself is then in a cell next to all that lies on its other side.
    nearest = float(np.int64((start + 1) << shift).view(np.float64))
    if below < _ONE_SIDE:
        return 0.0, OctaveCells(pivot=pivot - nearest, shift=shift, start=start, lower=0)
    return 1.0, OctaveCells(pivot=pivot + nearest, shift=shift, start=start, lower=CELLS)


def _are_crowded(table: Lookup, edges: Floats) -> Bools:
    return table.below[_cells(table.cells, edges)] > len(table.edges)


def _even(edges: Floats, trim_below: float, trim_above: float) -> EvenCells:
    """Equal cells of a range that leaves out a share of the edges at each end."""
    last = len(edges) - 1
    low = float(edges[int(last * trim_below)])
    high = float(edges[last - int(last * trim_above)])
    width = (high - low) / (CELLS - 2)
    scale = 1.0 / width if width > 0 and np.isfinite(1.0 / width) else 0.0
    return EvenCells(low=low - width, scale=scale)


def _cells(cells: Cells, values: Floats) -> Places:
    return cells.of(values, Workspace(len(values))).copy()
