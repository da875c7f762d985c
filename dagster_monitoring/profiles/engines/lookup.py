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

_TRIMS = (0.0, 0.005, 0.02, 0.05, 0.15)
"""Shares of the edges that the table's range may leave out at each end."""


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
        """The bin of each value; any bin for NaN. The array belongs to ``work``."""
        n = len(values)
        position, cell, place = work.floats[:n], work.cells[:n], work.places[:n]
        above = work.flags[:n]
        if not len(self.edges):
            place.fill(0)
            return place
        np.subtract(values, self.low, out=position)
        np.multiply(position, self.scale, out=position)
        # fmax and fmin take the other operand for NaN, which has no cell.
        np.fmax(position, 0.0, out=position)
        np.fmin(position, float(CELLS - 1), out=position)
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
    passes = 2 if bins.exact else 1
    tables = [_table(edges, trim, passes) for trim in _TRIMS] if len(edges) else []
    best = min(tables, key=lambda table: table[0], default=None)
    low, scale, below = best[1:] if best else (0.0, 0.0, np.zeros(0, dtype=np.intp))
    return Lookup(
        edges=edges,
        padded=np.concatenate((edges, [np.inf, np.inf])),
        low=low,
        scale=scale,
        below=below,
        passes=passes,
    )


def _table(edges: Floats, trim: float, passes: int) -> tuple[int, float, float, Places]:
    """Bisected edges (fewer is faster), and a table whose range leaves out some of the ends."""
    last = len(edges) - 1
    low, high = float(edges[int(last * trim)]), float(edges[last - int(last * trim)])
    width = (high - low) / (CELLS - 2)
    scale = 1.0 / width if width > 0 and np.isfinite(1.0 / width) else 0.0
    start = low - width
    cells = np.clip((edges - start) * scale, 0, CELLS - 1).astype(np.intp)
    inside = np.bincount(cells, minlength=CELLS)
    below = np.cumsum(inside) - inside
    crowded = inside > passes
    below[crowded] = len(edges) + 1
    return int(inside[crowded].sum()), start, scale, below.astype(np.intp)
