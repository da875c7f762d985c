"""The bins of pairs side by side: shares, and what several metrics make of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.drift._rows import Flags, Rows
from dagster_monitoring.statistics.histogram import Counts, Floats

FLOOR = 1e-4
"""The least share in a logarithm: one row in ten thousand."""

MANY_ROWS = 60.0
"""From so many expected rows a bin on, the chi-square approximation is right within 2 %."""


@dataclass(frozen=True, eq=False)
class Bins(Rows):
    """The bins of pairs, a row a pair.

    Attributes:
        before: the references' counts, flat.
        after: the current ones, flat.
        p: shares of the references.
        q: shares of the current rows.
        n: the references' rows, shape ``(k,)``.
        m: the current rows, shape ``(k,)``.
    """

    before: Counts
    after: Counts
    p: Floats
    q: Floats
    n: Floats
    m: Floats

    @cached_property
    def scale(self) -> Floats:
        """``1 / n + 1 / m``, what the variance of a difference of shares goes by."""
        return 1 / self.n + 1 / self.m

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
        rarest = self.smallest(np.where(self.used, self.p, np.inf))
        has_rare = rarest / self.scale < MANY_ROWS
        pairs = np.flatnonzero(has_rare)
        if not len(pairs):
            return None
        inside = np.flatnonzero(self.used & np.repeat(has_rare, self.sizes))
        sizes = np.bincount(self.numbers[inside])[pairs]
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

    def likely(self, alpha: float) -> RareBins | None:
        """The bins that have a row with a chance of about ``alpha`` at least.

        Of those pairs that have others, too, and more than one of these; ``pairs`` are their
        places here. ``None`` when there is no such pair.
        """
        is_likely = self.cells >= alpha
        sizes = self.count(is_likely).astype(np.int64)
        has_both = (sizes > 1) & (sizes < self.sizes)
        pairs = np.flatnonzero(has_both)
        if not len(pairs):
            return None
        return RareBins(
            sizes=sizes[pairs],
            pairs=pairs,
            m=self.m[pairs],
            rows=self.rows[pairs],
            cells=self.cells[is_likely & np.repeat(has_both, self.sizes)],
        )
