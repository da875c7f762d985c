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

_TRIMS = (0.0, 0.005, 0.03, 0.15)
"""Shares of the edges that a table's range may leave out at each end: a long tail would leave
too few cells for the middle."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lookup:
    """Where numbers lie among edges, as ``np.searchsorted(edges, x, side="right")`` gives it.

    The line is cut into equal cells. A cell knows how many edges lie in cells below it; as the
    cell of a number grows with the number, only the edges of its own cell remain to compare.
    Cells with more edges than ``passes`` are marked: their numbers are looked up in a second
    table of that part of the line, and bisected where that is crowded too.

    Attributes:
        edges: interior edges, shape ``(k - 1,)``.
        padded: ``edges`` and two infinities, so that no comparison reads beyond the end.
        low, scale: cell of ``x`` is ``(x - low) * scale``, held within the table.
        below: edges in lower cells, shape ``(CELLS,)``; ``k`` more where a cell is crowded.
        passes: comparisons a number.
        inner: the table of crowded cells, where there is one that helps.
    """

    edges: Floats
    padded: Floats
    low: float
    scale: float
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
        position, cell, place = work.floats[:n], work.cells[:n], work.places[:n]
        above = work.flags[:n]
        if not len(self.edges):
            place.fill(0)
            return place
        np.subtract(values, self.low, out=position)
        np.multiply(position, self.scale, out=position)
        np.clip(position, 0.0, float(CELLS - 1), out=position)
        np.copyto(cell, position, casting="unsafe")
        np.take(self.below, cell, out=place, mode="clip")
        for _ in range(self.passes):
            np.take(self.padded, place, out=position, mode="clip")
            np.less_equal(position, values, out=above)
            np.add(place, above, out=place)
        crowded = np.flatnonzero(place > len(self.edges))
        if len(crowded):
            place[crowded] = self._crowded_places(values[crowded])
        return place

    def _crowded_places(self, values: Floats) -> Places:
        if self.inner is None:
            return np.searchsorted(self.edges, values, side="right")
        return self.inner.places(values, Workspace(len(values)))


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
    if not len(edges):
        return Lookup(
            edges=edges,
            padded=np.array([np.inf, np.inf]),
            low=0.0,
            scale=0.0,
            below=np.zeros(0, dtype=np.intp),
            passes=1,
        )
    table = _table(edges, edges)
    crowded = edges[_are_crowded(table, edges)]
    if not len(crowded):
        return table
    inner = _table(edges, crowded)
    is_better = _are_crowded(inner, crowded).sum() < len(crowded) / 2
    return replace(table, inner=inner) if is_better else table


def _table(edges: Floats, wanted: Floats) -> Lookup:
    """The table that makes the least work of the wanted ones among the edges."""
    _, passes, low, scale = min(_choices(wanted))
    inside = _edges_by_cell(edges, low, scale)
    below = np.cumsum(inside) - inside
    below[inside > passes] += len(edges) + 1
    return Lookup(
        edges=edges,
        padded=np.concatenate((edges, [np.inf, np.inf])),
        low=low,
        scale=scale,
        below=below.astype(np.intp),
        passes=passes,
    )


def _choices(edges: Floats) -> Iterator[tuple[float, int, float, float]]:
    """Cost, passes and range of possible tables, up to one that can hardly be bettered."""
    for below, above in product(_TRIMS, _TRIMS):
        low, scale = _range(edges, below, above)
        starts = np.flatnonzero(np.diff(_cells(edges, low, scale), prepend=-1))
        inside = np.diff(np.append(starts, len(edges)))
        for passes in _PASSES:
            # As most edges are quantiles, their share in crowded cells is that of values there.
            share = int(inside[inside > passes].sum()) / len(edges)
            yield passes + _BISECTION * share, passes, low, scale
            if share < _GOOD:
                return


def _are_crowded(table: Lookup, edges: Floats) -> Bools:
    return table.below[_cells(edges, table.low, table.scale)] > len(table.edges)


def _range(edges: Floats, trim_below: float, trim_above: float) -> tuple[float, float]:
    """Start and cells a unit of a table that leaves out a share of the edges at each end."""
    last = len(edges) - 1
    low = float(edges[int(last * trim_below)])
    high = float(edges[last - int(last * trim_above)])
    width = (high - low) / (CELLS - 2)
    scale = 1.0 / width if width > 0 and np.isfinite(1.0 / width) else 0.0
    return low - width, scale


def _edges_by_cell(edges: Floats, low: float, scale: float) -> npt.NDArray[np.int64]:
    return np.bincount(_cells(edges, low, scale), minlength=CELLS)


def _cells(values: Floats, low: float, scale: float) -> Places:
    return np.clip((values - low) * scale, 0, CELLS - 1).astype(np.intp)
