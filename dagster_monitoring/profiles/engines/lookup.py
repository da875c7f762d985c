"""The bin of a number, by a table of equal cells and one or two comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import NumericBins

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

CELLS = 16_384
"""Cells of a table: 128 KB, which stays in a core's second-level cache."""

_PASSES = (1, 2)
"""Comparisons a number that a table may take."""

_BISECTION = 35
"""What a bisection costs, in such comparisons."""

_TRIMS = (0.0, 0.005, 0.03, 0.15)
"""Shares of the edges that a table's range may leave out at each end: a long tail would leave
too few cells for the middle."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lookup:
    """Where numbers lie among edges, as ``np.searchsorted(edges, x, side="right")`` gives it.

    The line is cut into equal cells. A cell knows how many edges lie in cells below it; as the
    cell of a number grows with the number, only the edges of its own cell remain to compare.
    Cells with more edges than ``passes`` are marked, and bisected.

    Attributes:
        edges: interior edges, shape ``(k - 1,)``.
        padded: ``edges`` and two infinities, so that no comparison reads beyond the end.
        low, scale: cell of ``x`` is ``(x - low) * scale``, held within the table.
        below: edges in lower cells, shape ``(CELLS,)``, or ``k`` where a cell is bisected.
        passes: comparisons a number.
    """

    edges: Floats
    padded: Floats
    low: float
    scale: float
    below: Places
    passes: int

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
            place[crowded] = np.searchsorted(self.edges, values[crowded], side="right")
        return place


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
    ranges = [_range(edges, below, above) for below in _TRIMS for above in _TRIMS]
    _, passes, low, scale = min(
        (_cost(edges, low, scale, passes), passes, low, scale)
        for passes in _PASSES
        for low, scale in ranges
    )
    inside = _edges_by_cell(edges, low, scale)
    below = np.cumsum(inside) - inside
    below[inside > passes] = len(edges) + 1
    return Lookup(
        edges=edges,
        padded=np.concatenate((edges, [np.inf, np.inf])),
        low=low,
        scale=scale,
        below=below.astype(np.intp),
        passes=passes,
    )


def _range(edges: Floats, trim_below: float, trim_above: float) -> tuple[float, float]:
    """Start and cells a unit of a table that leaves out a share of the edges at each end."""
    last = len(edges) - 1
    low = float(edges[int(last * trim_below)])
    high = float(edges[last - int(last * trim_above)])
    width = (high - low) / (CELLS - 2)
    scale = 1.0 / width if width > 0 and np.isfinite(1.0 / width) else 0.0
    return low - width, scale


def _cost(edges: Floats, low: float, scale: float, passes: int) -> float:
    """What a value costs, in comparisons.

    As most edges are quantiles, the share of edges in crowded cells is that of values there.
    """
    inside = _edges_by_cell(edges, low, scale)
    return passes + _BISECTION * int(inside[inside > passes].sum()) / len(edges)


def _edges_by_cell(edges: Floats, low: float, scale: float) -> npt.NDArray[np.int64]:
    cells = np.clip((edges - low) * scale, 0, CELLS - 1).astype(np.intp)
    return np.bincount(cells, minlength=CELLS)
