"""Segment columns counted together: one cell a combination of segments, summed up at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.signedinteger]


@dataclass(frozen=True, slots=True)
class Cube:
    """Which segment columns are counted together.

    A row is in one cell of each group: the combination of its segments in the group's columns.
    Counting a row once a group and adding up cells at the end costs less than counting it once
    a segment column, as long as a group's cells stay in the cache.

    Attributes:
        sizes: segments by segment column.
        groups: places of the segment columns in ``sizes``, by group.

    Example:
        >>> cube = Cube.within([4, 6, 9], most=24)
        >>> cube.groups, cube.cells, cube.starts
        (((0, 1), (2,)), 33, (0, 24))
    """

    sizes: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]

    @classmethod
    def within(cls, sizes: Sequence[int], *, most: int) -> Cube:
        """As few groups as a simple filling up finds, of at most ``most`` cells if possible."""
        groups: list[list[int]] = []
        for place in sorted(range(len(sizes)), key=lambda i: (sizes[i], i)):
            if groups and math.prod(sizes[i] for i in (*groups[-1], place)) <= most:
                groups[-1].append(place)
            else:
                groups.append([place])
        return cls(tuple(sizes), tuple(tuple(sorted(group)) for group in groups))

    @property
    def cells(self) -> int:
        """Cells of all groups; they lie one group after another."""
        return sum(self._counts)

    @property
    def starts(self) -> tuple[int, ...]:
        """The first cell of each group."""
        counts = self._counts
        return tuple(sum(counts[:i]) for i in range(len(counts)))

    def of_rows(self, places: Sequence[Places]) -> Places:
        """The cell of each row, shape ``(groups, n)``, from its segment in each column."""
        n, kind = (len(places[0]), places[0].dtype) if places else (0, np.dtype(np.intp))
        cells = np.empty((len(self.groups), n), dtype=kind)
        for at, (group, start) in enumerate(zip(self.groups, self.starts, strict=True)):
            own = cells[at]
            own[:] = places[group[0]]
            for column in group[1:]:
                own *= self.sizes[column]
                own += places[column]
            own += start
        return cells

    # Any: counts are int64, and sums of any size are Python integers.
    def by_column(self, table: npt.NDArray[np.generic]) -> list[npt.NDArray[np.generic]]:
        """A table ``(cells, ...)`` summed up to one table ``(segments, ...)`` a segment column."""
        found: dict[int, npt.NDArray[np.generic]] = {}
        for group, start, count in zip(self.groups, self.starts, self._counts, strict=True):
            shape = [self.sizes[column] for column in group]
            own = table[start : start + count].reshape(*shape, *table.shape[1:])
            for axis, column in enumerate(group):
                others = tuple(i for i in range(len(group)) if i != axis)
                found[column] = own.sum(axis=others)
        return [found[column] for column in range(len(self.sizes))]

    @property
    def _counts(self) -> list[int]:
        return [math.prod(self.sizes[i] for i in group) for group in self.groups]


class SegmentRows:
    """The segments of a piece's rows, and their cells as counters ask for them."""

    def __init__(self, places: Sequence[Places], sizes: Sequence[int]) -> None:
        self.places = tuple(places)
        self.sizes = tuple(sizes)
        self._cells: dict[Cube, Places] = {}
        self._firsts: dict[tuple[Cube, int], Places] = {}

    def cells(self, cube: Cube) -> Places:
        """The cell of each row, shape ``(groups, n)``."""
        if cube not in self._cells:
            self._cells[cube] = cube.of_rows(self.places)
        return self._cells[cube]

    def firsts(self, cube: Cube, width: int) -> Places:
        """The first of the ``width`` counts of each row's cell, shape ``(groups, n)``."""
        key = (cube, width)
        if key not in self._firsts:
            self._firsts[key] = self.cells(cube) * width
        return self._firsts[key]

    def take(self, rows: npt.NDArray[np.integer], cube: Cube) -> SegmentRows:
        """The cells of some of the rows; their segments in each column are not among it."""
        taken = SegmentRows([], self.sizes)
        taken._cells[cube] = self.cells(cube).take(rows, axis=1)
        return taken
