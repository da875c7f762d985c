"""When labels came, as counts on fixed bins that add: how late, and which ones came first."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.labels import Places
from dagster_monitoring.profiles.names import NameCounts, short
from dagster_monitoring.profiles.predictions import Classes, Values
from dagster_monitoring.statistics.exact_sum import ExactSum

Microseconds = npt.NDArray[np.int64]

_MINUTE = 60_000_000
_HOUR = 60 * _MINUTE
_A_DOUBLING, _DOUBLINGS = 32, 21

COARSE = 8
"""Cells of :class:`DelayCounts` in one of :attr:`Arrivals.labels`: four a doubling."""

_LARGEST = 1e150
"""Labels beyond it have no square, and are left out of sums."""

_SPLIT = float((1 << 27) + 1)
"""Times it and back leaves the upper 26 bits of a float."""

_FEW_CELLS = 1 << 20


def _edge(step: int) -> int:
    """``2 ** (step / 32)`` minutes in whole microseconds, by integers: the same everywhere."""
    root: int = _MINUTE**_A_DOUBLING << step
    for _ in range(_A_DOUBLING.bit_length() - 1):
        root = math.isqrt(root)
    return root


EDGES = (0, *(_edge(step) for step in range(_A_DOUBLING * _DOUBLINGS + 1)))
"""Microseconds at which cells end, included: 0, then 1 minute to 4 years, 2.2 % apart."""


class Bounds(NamedTuple):
    """Where a delay lies, in hours: above ``lower``, at most ``upper``; ``None``: no bound."""

    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayCounts:
    """Labels by delay; ``DelayCounts()`` is the identity of ``+``, which no order changes.

    Args:
        counts: labels by cell, in order, none of them 0. Cell 0 is a delay of 0 or less, cell
            ``i`` one above ``EDGES[i - 1]`` and at most ``EDGES[i]``; the last has no end.

    Example:
        >>> delays = DelayCounts.of(np.array([30 * 60_000_000, 7_200_000_000, 7_200_000_000]))
        >>> round(delays.quantile(0.9).upper, 3), (delays + delays).n
        (2.043, 6)
    """

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, delays: Microseconds) -> DelayCounts:
        """Counts of raw delays, shape ``(n,)``."""
        return cls.of_cells(delay_cells(delays))

    @classmethod
    def of_cells(cls, cells: Places) -> DelayCounts:
        """Counts of raw delays from each one's cell."""
        found, counts = np.unique(cells, return_counts=True)
        return cls(counts=dict(zip(found.tolist(), counts.tolist(), strict=True)))

    def __add__(self, other: DelayCounts) -> DelayCounts:
        mine, theirs = self.counts, other.counts
        cells = sorted({*mine, *theirs})
        return DelayCounts(counts={cell: mine.get(cell, 0) + theirs.get(cell, 0) for cell in cells})

    @property
    def n(self) -> int:
        """Labels."""
        return sum(self.counts.values())

    def quantile(self, share: float) -> Bounds | None:
        """The bounds of the delay within which ``share`` of the labels came; ``None`` of none.

        It is the smallest delay that at least ``share`` of the labels do not exceed, and lies in
        one cell: above ``lower`` and at most ``upper``, which is at most 2.2 % more.

        Args:
            share: above 0, at most 1.
        """
        # Rounded, as 0.9 of 110 is 99 and not a little more.
        return self.reached(round(share * self.n, 6))

    def reached(self, wanted: float) -> Bounds | None:
        """The bounds of the delay at which the wanted number of labels was there, or ``None``."""
        ends = [*accumulate(self.counts.values())]
        if not ends or ends[-1] < wanted:
            return None
        return bounds([*self.counts][bisect_left(ends, wanted)])


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTally:
    """What some labels were; ``LabelTally()`` is the identity of ``+``.

    Args:
        classes: labels by class, where classes are predicted.
        n: labels that are numbers, where numbers are predicted.
        total: their sum.
        squares: the sum of their squares.
    """

    classes: NameCounts = field(default_factory=NameCounts)
    n: int = 0
    total: ExactSum = field(default_factory=ExactSum)
    squares: ExactSum = field(default_factory=ExactSum)

    def __add__(self, other: LabelTally) -> LabelTally:
        return LabelTally(
            classes=self.classes + other.classes,
            n=self.n + other.n,
            total=self.total + other.total,
            squares=self.squares + other.squares,
        )

    @property
    def size(self) -> int:
        """Labels of either kind."""
        return self.n + self.classes.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Labels by how long after their slice's end they came: what was known at which age.

    A slice of which only some labels are there has those that came first after its end, which is
    another thing than those with the shortest delay after their prediction.

    Args:
        ages: labels by time after the end.
        labels: what they were, by coarse cell: cell ``i`` of ``ages`` is in ``coarse(i)``.
    """

    ages: DelayCounts = field(default_factory=DelayCounts)
    labels: Mapping[int, LabelTally] = field(default_factory=dict)

    def __add__(self, other: Arrivals) -> Arrivals:
        mine, theirs = self.labels, other.labels
        nothing = LabelTally()
        cells = sorted({*mine, *theirs})
        return Arrivals(
            ages=self.ages + other.ages,
            labels={c: mine.get(c, nothing) + theirs.get(c, nothing) for c in cells},
        )


def delay_cells(delays: Microseconds) -> Places:
    """The cell of each delay, shape ``(n,)``."""
    cells: Places = np.searchsorted(np.array(EDGES), delays, side="left")
    return cells


def coarse(cell: int) -> int:
    """The coarse cell of a cell: 0 of 0, then one for 8."""
    return -(-cell // COARSE)


def bounds(cell: int) -> Bounds:
    """Where the delays of a cell lie, in hours.

    Example:
        >>> bounds(0), bounds(1).upper == 1 / 60
        (Bounds(lower=None, upper=0.0), True)
    """
    return Bounds(
        None if cell == 0 else EDGES[cell - 1] / _HOUR,
        EDGES[cell] / _HOUR if cell < len(EDGES) else None,
    )


def coarse_bounds(cell: int) -> Bounds:
    """Where the delays of a coarse cell lie, in hours."""
    if cell == 0:
        return bounds(0)
    last = cell * COARSE
    upper = bounds(last).upper if last < len(EDGES) else None
    return Bounds(bounds(last - COARSE + 1).lower, upper)


def tally_by_age(cells: Places, truth: Classes | Values) -> dict[int, LabelTally]:
    """What labels were, by coarse cell; those that can't be read are left out.

    Args:
        cells: each label's cell, shape ``(n,)``.
        truth: the labels, as many.
    """
    coarsened = -(-cells // COARSE)
    if isinstance(truth, Classes):
        return _tally_classes(coarsened[truth.known], truth.place[truth.known], truth.names)
    usable = truth.known & (np.abs(truth.values) <= _LARGEST)
    cell, values = coarsened[usable], truth.values[usable]
    found = {}
    for own in np.unique(cell).tolist():
        some = values[cell == own]
        found[own] = LabelTally(n=len(some), total=ExactSum.of(some), squares=_squares(some))
    return found


def _squares(values: npt.NDArray[np.float64]) -> ExactSum:
    """The sum of squares without rounding, so that a variance of far numbers does not cancel.

    Source: Dekker (1971), A floating-point technique for extending the available precision.
    """
    scaled = values * _SPLIT
    high = scaled - (scaled - values)
    low = values - high
    return ExactSum.of(high * high) + ExactSum.of(2 * high * low) + ExactSum.of(low * low)


def _tally_classes(cells: Places, places: Places, names: list[str]) -> dict[int, LabelTally]:
    size = len(names)
    keys = cells * size + places
    top = (int(cells.max()) + 1) * size if len(cells) else 0
    if top <= _FEW_CELLS:
        counts = np.bincount(keys)
        there = np.flatnonzero(counts)
        counts = counts[there]
    else:
        there, counts = np.unique(keys, return_counts=True)
    found: dict[int, dict[str, int]] = {}
    for key, count in zip(there.tolist(), counts.tolist(), strict=True):
        own = found.setdefault(key // size, {})
        name = short(names[key % size])
        own[name] = own.get(name, 0) + count
    return {cell: LabelTally(classes=NameCounts.of(own)) for cell, own in found.items()}
