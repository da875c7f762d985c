"""What one numeric column's counting adds to: integers, in any order, without overflow."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import SEGMENT_BINS, SQUARE_BITS, NumericBins
from dagster_monitoring.profiles.engines.cubes import Cube
from dagster_monitoring.profiles.engines.lookup import Lookup, Workspace, lookup
from dagster_monitoring.profiles.fixed_sums import HALF, FixedSums, scaled_rest
from dagster_monitoring.statistics.exact_sum import ExactSum

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Rests = dict[int, ExactSum]

STRIDE = SEGMENT_BINS + 1
"""Counts of a cell: one a segment bin, and one for rows that have no number."""

ROW = 2 * (1 + STRIDE)
"""Integers of a cell in a tier's table: its squares, then its counts and sums side by side."""

REACH_BITS = 46
"""Offsets of ``2 ** 46`` units and more are far: they are counted in coarser units."""

TIER_BITS = 10
"""Each coarser unit is ``2 ** 10`` times the one before, which leaves a far value 37 bits."""

SQUARE_SPLIT = 26
"""Large squares are added in two parts, of multiples of ``2 ** 26`` and of what is left."""

SMALL_SQUARE = 1 << 43
"""Squares below are added as they are: those of a piece are less than ``2 ** 61``."""

_WORTH_A_TABLE = 8_192
"""Values that are placed by bisection, at 35 ns each, before a table is made for the others."""

_CARRY = 62
_ROOM = 1 << _CARRY
_PIECE_ROOM = 1 << 53


class Wide:
    """Counts and sums of 64 bits, with a second array for what the sums can't hold.

    Args:
        pairs: a count and a sum a cell side by side, as they are changed together.

    Attributes:
        counts: the counts in ``pairs``.
        low: the sums in ``pairs``.
    """

    def __init__(self, pairs: Integers) -> None:
        self.counts: Integers = pairs[..., 0]
        self.low: Integers = pairs[..., 1]
        self._high: Integers | None = None

    def settle(self) -> None:
        """Bring ``low`` back within ``2 ** 61``."""
        over = (self.low + (_ROOM >> 1)) >> _CARRY
        if over.any():
            self.low -= over << _CARRY
            self._high = over if self._high is None else self._high + over

    def halves(self) -> tuple[Integers, Integers]:
        """The sums as ``high * 2 ** 31 + low``, each small enough to be summed up."""
        high = self.low >> HALF
        if self._high is not None:
            high += self._high << (_CARRY - HALF)
        return high, self.low & ((1 << HALF) - 1)


class Tier:
    """The counts and sums of values that share one unit.

    Attributes:
        exponent: the unit is ``2 ** exponent``.
        inverse: units in 1.
        table: all of the following in one piece of memory, in this order; squares come first in
            the ``ROW`` of their cell.
        whole: the sum of all squares: multiples of ``2 ** SQUARE_SPLIT`` and what is left.
        fine: rows and sums of offsets by bin; the last is of rows that have no number.
        squares: sums of squares by cell, shape ``(cells, 2)``, as ``whole``.
        cube: rows and sums of offsets by cell and segment bin, shape ``(cells, STRIDE)``.
    """

    def __init__(self, exponent: int, size: int, cells: int) -> None:
        self.exponent = exponent
        self.inverse = 2.0**-exponent
        self.table = np.zeros(2 + 2 * size + cells * ROW, dtype=np.int64)
        self.whole, fine, rows = np.split(self.table, [2, 2 + 2 * size])
        by_cell = rows.reshape(cells, 1 + STRIDE, 2)
        self.fine = Wide(fine.reshape(size, 2))
        self.squares: Integers = by_cell[:, 0]
        self.cube = Wide(by_cell[:, 1:])
        self._squares = [0] * (1 + cells)
        self._bound = 0

    def make_room(self, n: int, largest: int) -> int:
        """Be ready for ``n`` values of at most so many units; gives the room made."""
        room = _room(n, largest)
        if self._bound + room > _ROOM:
            self._settle()
        self._bound += room
        return room

    def give_back(self, room: int, n: int, largest: int) -> None:
        """Of so much room only that of these values was needed."""
        self._bound -= room - _room(n, largest)

    def total_squares(self) -> tuple[int, list[int]]:
        """Sums of squares, of all rows and by cell."""
        self._settle()
        return self._squares[0], self._squares[1:]

    def _settle(self) -> None:
        self.fine.settle()
        self.cube.settle()
        parts = np.concatenate((self.whole[None], self.squares))
        self._squares = [
            before + (high << SQUARE_SPLIT) + low
            for before, (high, low) in zip(self._squares, parts.tolist(), strict=True)
        ]
        self.whole.fill(0)
        self.squares.fill(0)
        self._bound = 0


def _room(n: int, largest: int) -> int:
    """What ``n`` values of at most so many units sum up to, and what is left of their squares.

    Values and squares are rounded by half a unit each, which is nothing beside the room that 64
    bits leave.
    """
    squares = min(largest * largest >> SQUARE_BITS, SMALL_SQUARE)
    return max(n * max(largest, squares), _PIECE_ROOM)


class Tally:
    """The integers of one numeric column.

    Attributes:
        bins: what it is counted on.
        cube: which segment columns are counted together.
        coarse: segment bin by bin; the last is of rows that have no number.
        in_row: where that is in the ``ROW`` of a cell.
    """

    def __init__(self, bins: NumericBins, cube: Cube) -> None:
        size = len(bins.edges) + 2
        self.bins = bins
        self.cube = cube
        self._n_placed = 0
        self.coarse = _coarse(bins)
        self.in_row = (2 + 2 * self.coarse).astype(np.uint8)
        self._tiers: dict[int, Tier] = {0: Tier(bins.exponent, size, cube.cells)}

    @property
    def lookup(self) -> Lookup:
        """The table of where numbers lie among the edges."""
        return lookup(self.bins)

    def places(self, values: Floats, work: Workspace) -> Places:
        """The bin of each value. A few are bisected: a table costs more to make."""
        self._n_placed += len(values)
        if self._n_placed < _WORTH_A_TABLE:
            return np.searchsorted(self.bins.edges, values, side="right")
        return self.lookup.places(values, work)

    def counts(self) -> Integers:
        """Rows by bin, and last those without a number."""
        return np.asarray(sum(tier.fine.counts for tier in self._in_order()))

    def tier(self, level: int) -> Tier:
        """The sums in units of ``2 ** (10 * level)`` times the column's."""
        if level not in self._tiers:
            exponent = self.bins.exponent + TIER_BITS * level
            self._tiers[level] = Tier(exponent, len(self.coarse), self.cube.cells)
        return self._tiers[level]

    def sums(self) -> FixedSums:
        """Sums of offsets by bin."""
        parts = []
        for tier in self._in_order():
            high, low = tier.fine.halves()
            parts.append((tier.exponent, high[:-1], low[:-1]))
        return _together(parts)

    def squares(self) -> FixedSums:
        """The sum of squares, shape ``(1,)``."""
        parts = [
            (self._squares_exponent(tier), [tier.total_squares()[0]]) for tier in self._in_order()
        ]
        return _integers_together(parts)

    def segment_sums(self) -> list[FixedSums]:
        """Sums of offsets by segment and segment bin, one table a segment column."""
        width = len(self.bins.segment_edges) + 1
        tables: list[list[tuple[int, Integers, Integers]]] = [[] for _ in self.cube.sizes]
        for tier in self._in_order():
            halves = [self.cube.by_column(half[:, :width]) for half in tier.cube.halves()]
            for table, high, low in zip(tables, *halves, strict=True):
                table.append((tier.exponent, cast(Integers, high), cast(Integers, low)))
        return [_together(table) for table in tables]

    def segment_squares(self) -> list[FixedSums]:
        """Sums of squares by segment, one a segment column."""
        columns: list[list[tuple[int, list[int]]]] = [[] for _ in self.cube.sizes]
        for tier in self._in_order():
            totals = np.array(tier.total_squares()[1], dtype=object)
            for column, own in zip(columns, self.cube.by_column(totals), strict=True):
                column.append((self._squares_exponent(tier), own.tolist()))
        return [_integers_together(column) for column in columns]

    def segment_counts(self) -> list[Integers]:
        """Rows by segment and segment bin, one table a segment column."""
        width = len(self.bins.segment_edges) + 1
        return cast(list[Integers], self.cube.by_column(self._cube_counts()[:, :width]))

    def segment_without(self) -> list[Integers]:
        """Rows without a number by segment, one array a segment column."""
        return cast(list[Integers], self.cube.by_column(self._cube_counts()[:, STRIDE - 1]))

    def _cube_counts(self) -> Integers:
        return np.asarray(sum(tier.cube.counts for tier in self._in_order()))

    def _in_order(self) -> list[Tier]:
        return [self._tiers[level] for level in sorted(self._tiers)]

    def _squares_exponent(self, tier: Tier) -> int:
        return 2 * tier.exponent + SQUARE_BITS


@lru_cache(maxsize=512)
def _coarse(bins: NumericBins) -> Places:
    """The segment bin of each bin of a column; made once."""
    firsts = np.append(-np.inf, bins.edges)
    found = np.searchsorted(bins.segment_edges, firsts, side="right")
    return np.append(found, SEGMENT_BINS)


def _together(parts: list[tuple[int, Integers, Integers]]) -> FixedSums:
    """The column's own unit first; what is counted in coarser ones becomes exact sums."""
    (exponent, high, low), *coarser = parts
    sums = FixedSums.of_halves(high, low, exponent=exponent)
    for unit, highs, lows in coarser:
        used = np.flatnonzero(highs | lows)
        highest, lowest = highs.ravel()[used].tolist(), lows.ravel()[used].tolist()
        own = zip(used.tolist(), highest, lowest, strict=True)
        sums = sums.plus(scaled_rest({i: (h << HALF) + v for i, h, v in own}, unit))
    return sums


def _integers_together(parts: list[tuple[int, list[int]]]) -> FixedSums:
    (exponent, totals), *coarser = parts
    sums = FixedSums.of(totals, exponent=exponent)
    for unit, values in coarser:
        sums = sums.plus(scaled_rest(dict(enumerate(values)), unit))
    return sums
