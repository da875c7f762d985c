"""Where the bins of numeric columns lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from dagster_monitoring.statistics.drift._rows import Flags, Places, Rows
from dagster_monitoring.statistics.histogram import Floats

_KEPT = 32
"""Grids that are remembered: a baseline's columns are the same from slice to slice."""


@dataclass(frozen=True, eq=False)
class Grid(Rows):
    """The bins of several numeric columns, a row a column.

    Attributes:
        edges: each column's interior edges.
    """

    edges: tuple[Floats, ...]

    @classmethod
    def of(cls, edges: Iterable[Floats]) -> Grid:
        """Of each column's interior edges; the same grid for the same arrays."""
        return _grid(_Same(tuple(edges)))

    @cached_property
    def low(self) -> Floats:
        """The left edge of each bin; minus infinity for a column's first."""
        return np.concatenate([part for own in self.edges for part in ([-np.inf], own)])

    @cached_property
    def high(self) -> Floats:
        """The right edge of each bin; infinity for a column's last."""
        return np.concatenate([part for own in self.edges for part in (own, [np.inf])])

    @cached_property
    def single(self) -> Flags:
        """Whether each bin has room for one value only: its right edge is the float after."""
        found: Flags = np.nextafter(self.low, np.inf) == self.high
        return found

    @cached_property
    def half_widths(self) -> Floats:
        """Half of each bin's width; 0 for single values, and for the outer two bins."""
        # Halved before and not after: the whole width of a bin may be too large.
        half = self.high / 2 - self.low / 2
        inner = np.isfinite(self.low) & np.isfinite(self.high)
        return np.where(inner & ~self.single, half, 0.0)

    @cached_property
    def places(self) -> Floats:
        """A value in or at each bin; of its edges the left one, where it has one."""
        value = np.where(np.isfinite(self.low), self.low, self.high)
        return np.where(np.isfinite(value), value, 0.0)

    def starts_of(self, coarse: Grid) -> Places:
        """Where coarser bins begin among these; each edge of theirs is one of these."""
        return self.once(_starts_of, coarse)


class _Same:
    """Edges as a key: the same arrays, not equal ones."""

    def __init__(self, edges: tuple[Floats, ...]) -> None:
        self.edges = edges
        self._ids = tuple(map(id, edges))

    def __hash__(self) -> int:
        return hash(self._ids)

    def __eq__(self, other: object) -> bool:
        # As long as a key is kept, so are its arrays: no other one has the place of one of them.
        return isinstance(other, _Same) and other._ids == self._ids


@lru_cache(maxsize=_KEPT)
def _grid(given: _Same) -> Grid:
    sizes = np.array([len(own) + 1 for own in given.edges])
    return Grid(sizes=sizes, edges=given.edges)


def _starts_of(grid: Grid, coarse: Grid) -> Places:
    starts = [
        part
        for fine, wanted, first in zip(grid.edges, coarse.edges, grid.starts.tolist(), strict=True)
        for part in ([first], np.searchsorted(fine, wanted) + (first + 1))
    ]
    return np.concatenate(starts)
