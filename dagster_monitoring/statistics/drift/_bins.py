"""The bins of several pairs side by side: what metrics ask of bins, for many columns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.histogram import Counts, Floats

T = TypeVar("T")

FLOOR = 1e-4
"""The least share in a logarithm: one row in ten thousand."""

MANY_ROWS = 60.0
"""From so many expected rows a bin on, the chi-square approximation is right within 2 %."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of unlike lengths, one after the other in flat arrays.

    Attributes:
        sizes: the length of each row, at least 1, shape ``(k,)``.
    """

    sizes: npt.NDArray[np.int64]

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where each row begins."""
        return self.sizes.cumsum() - self.sizes

    @cached_property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The number of the row that each cell is in."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def sum(self, cells: Floats) -> Floats:
        """The sum of each row's cells, shape ``(..., k)``."""
        found: Floats = np.add.reduceat(cells, self.starts, axis=-1)
        return found

    def largest(self, cells: Floats) -> Floats:
        """The largest of each row's cells, shape ``(k,)``."""
        found: Floats = np.maximum.reduceat(cells, self.starts)
        return found

    def each(self, values: Floats) -> Floats:
        """Each row's value at each of its cells."""
        return values if len(values) == 1 else values[self.numbers]

    def variance(self, shares: Floats, weight: Floats) -> Floats:
        """The variance of a weight that so large a share of each row has, shape ``(k,)``."""
        off = weight - self.each(self.sum(shares * weight))
        return np.maximum(self.sum(shares * off * off), 0.0)


@dataclass(frozen=True, eq=False)
class Bins(Rows):
    """The bins of pairs that have rows on both sides, a row a pair.

    Attributes:
        before: the references' counts, flat.
        after: the current ones, flat.
        n: the references' rows, shape ``(k,)``.
        m: the current rows, shape ``(k,)``.
    """

    before: Counts
    after: Counts
    n: Floats
    m: Floats

    @classmethod
    def of(cls, counts: Sequence[tuple[Counts, Counts, int, int]]) -> Bins:
        """From the counts and rows of each pair's reference and current side."""
        before, after, n, m = zip(*counts, strict=True)
        return cls(
            sizes=np.array([len(own) for own in before]),
            before=np.concatenate(before),
            after=np.concatenate(after),
            n=np.array(n, dtype=np.float64),
            m=np.array(m, dtype=np.float64),
        )

    def values(self, compute: Callable[[Bins], Floats]) -> list[float]:
        """``compute(bins)``, one value a pair, computed when first asked for."""
        if compute not in self._values:
            self._values[compute] = compute(self).tolist()
        return self._values[compute]

    def once(self, compute: Callable[[Bins], T]) -> T:
        """``compute(bins)``, computed when first asked for."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        return cast("T", self._known[compute])

    @cached_property
    def _known(self) -> dict[object, object]:
        return {}

    @cached_property
    def _values(self) -> dict[object, list[float]]:
        return {}

    @cached_property
    def scale(self) -> Floats:
        """``1 / n + 1 / m``, what the variance of a difference of shares goes by."""
        return 1 / self.n + 1 / self.m

    @cached_property
    def p(self) -> Floats:
        """Shares of the references."""
        return self.before / self.each(self.n)

    @cached_property
    def q(self) -> Floats:
        """Shares of the current rows."""
        return self.after / self.each(self.m)

    @cached_property
    def apart(self) -> Floats:
        """``q - p``."""
        return self.q - self.p

    @cached_property
    def distances(self) -> Floats:
        """``|q - p|``."""
        return np.abs(self.apart)

    @cached_property
    def floored(self) -> tuple[Floats, Floats]:
        """Both shares, each at least ``FLOOR``; not rescaled."""
        return np.maximum(self.p, FLOOR), np.maximum(self.q, FLOOR)

    @cached_property
    def log_ratio(self) -> Floats:
        """``ln(q / p)`` of the floored shares."""
        p, q = self.floored
        return np.log(q / p)

    @cached_property
    def smoothed(self) -> tuple[Floats, Floats]:
        """Shares with half a row more a bin: one that happens to be empty is not sure to be."""
        half = self.sizes / 2
        return (
            (self.before + 0.5) / self.each(self.n + half),
            (self.after + 0.5) / self.each(self.m + half),
        )

    @cached_property
    def smoothed_ratio(self) -> tuple[Floats, Floats, Floats]:
        """Smoothed shares of at least ``FLOOR``, and ``ln(q / p)`` of them."""
        p, q = (np.maximum(shares, FLOOR) for shares in self.smoothed)
        return p, q, np.log(q / p)

    @cached_property
    def used(self) -> Flags:
        """Whether the reference has a row in the bin."""
        return self.before > 0

    @cached_property
    def rare(self) -> RareBins | None:
        """The pairs some of whose bins have few expected rows; ``None`` when there is none."""
        rarest = np.minimum.reduceat(np.where(self.used, self.p, np.inf), self.starts)
        has_rare = rarest / self.scale < MANY_ROWS
        pairs = np.flatnonzero(has_rare)
        if not len(pairs):
            return None
        inside = np.flatnonzero(self.used & np.repeat(has_rare, self.sizes))
        sizes = np.bincount(self.numbers[inside], minlength=len(self.sizes))[pairs]
        rows = 1 / self.scale[pairs]
        cells = self.p[inside] * np.repeat(rows, sizes)
        return RareBins(sizes=sizes, pairs=pairs, m=self.m[pairs], rows=rows, cells=cells)


@dataclass(frozen=True, eq=False)
class RareBins(Rows):
    """Bins that the reference has rows in, of pairs some of whose bins expect few rows.

    Attributes:
        pairs: the pairs' places, shape ``(r,)``.
        m: their current rows.
        rows: rows of the one sample that would be as noisy as both.
        cells: rows to be expected a bin, as if only one side were a sample; flat.
    """

    pairs: npt.NDArray[np.intp]
    m: Floats
    rows: Floats
    cells: Floats

    @cached_property
    def none(self) -> Floats:
        """The chance of no row a bin."""
        return np.exp(-self.cells)

    @cached_property
    def empties(self) -> Floats:
        """How many bins without a row there are on average, shape ``(r,)``."""
        return self.sum(self.none)
