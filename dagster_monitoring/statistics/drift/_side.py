"""One side of several pairs: the references, or the current histograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.drift._grid import Grid
from dagster_monitoring.statistics.drift._rows import Flags, Places, Remembering, Rows
from dagster_monitoring.statistics.histogram import Counts, Floats, Histogram


@dataclass(frozen=True, kw_only=True, eq=False)
class Side(Remembering):
    """Histograms side by side, a row each; NaN where one has no such number.

    Attributes:
        rows: of the bins; one without any counts as one empty bin.
        counts: rows a bin, flat.
        sums: the sum of ``x - centre`` a bin, flat; ``None`` of names.
        n: rows that are in a bin, shape ``(k,)``, as the following ones.
        all_rows: these, and the missing and infinite ones.
        n_missing: nulls and NaN.
        centre: what the sums are centred on.
        sum_squares: sum of ``(x - centre) ** 2``.
        minimum: the smallest finite value.
        maximum: the largest finite value.
    """

    rows: Rows
    counts: Counts
    sums: Floats | None
    n: Floats
    all_rows: Floats
    n_missing: Floats
    centre: Floats
    sum_squares: Floats
    minimum: Floats
    maximum: Floats

    @classmethod
    def of(cls, histograms: Sequence[Histogram], rows: Rows | None = None) -> Side:
        """From histograms, all of numbers or all of names; ``rows`` where they are known."""
        given = [h.counts if len(h.counts) else np.zeros(1, dtype=np.int64) for h in histograms]
        sums = [h.sums for h in histograms if h.sums is not None]
        return cls(
            rows=rows or _rows_of(given, [h.edges for h in histograms if h.edges is not None]),
            counts=np.concatenate(given),
            sums=np.concatenate(sums) if sums else None,
            n=_floats([h.n for h in histograms]),
            all_rows=_floats([h.rows for h in histograms]),
            n_missing=_floats([h.n_missing for h in histograms]),
            centre=_floats([h.centre for h in histograms]),
            sum_squares=_floats([h.sum_squares for h in histograms]),
            minimum=_floats([h.minimum for h in histograms]),
            maximum=_floats([h.maximum for h in histograms]),
        )

    def regroup(self, fine: Grid, coarse: Grid) -> Side:
        """The same rows on coarser bins, each edge one of theirs; exact."""
        starts = fine.starts_of(coarse)
        return replace(
            self,
            rows=coarse,
            counts=np.add.reduceat(self.counts, starts),
            sums=None if self.sums is None else np.add.reduceat(self.sums, starts),
        )

    def followed_by(self, other: Side) -> Side:
        """The histograms of both, as counts without places on a line."""
        return Side(
            rows=Rows(np.concatenate((self.rows.sizes, other.rows.sizes))),
            counts=np.concatenate((self.counts, other.counts)),
            sums=None,
            n=np.concatenate((self.n, other.n)),
            all_rows=np.concatenate((self.all_rows, other.all_rows)),
            n_missing=np.concatenate((self.n_missing, other.n_missing)),
            centre=np.concatenate((self.centre, other.centre)),
            sum_squares=np.concatenate((self.sum_squares, other.sum_squares)),
            minimum=np.concatenate((self.minimum, other.minimum)),
            maximum=np.concatenate((self.maximum, other.maximum)),
        )

    @cached_property
    def shares(self) -> Floats:
        """The share of rows in each bin, flat."""
        return self.counts / self.rows.each(self.n)

    @cached_property
    def running(self) -> npt.NDArray[np.int64]:
        """Rows in each bin and all before it, those of the histograms before among them."""
        return self.counts.cumsum()

    @cached_property
    def first(self) -> npt.NDArray[np.int64]:
        """Rows of the histograms before, shape ``(k,)``."""
        return self.running[self.rows.starts] - self.counts[self.rows.starts]

    @cached_property
    def distribution(self) -> Floats:
        """The share of rows up to the right end of each bin, flat."""
        # Cumulated as integers: cumulated shares end at 1 only up to rounding.
        own = self.running - np.repeat(self.first, self.rows.sizes)
        return own / self.rows.each(self.n)

    @cached_property
    def distribution_before(self) -> Floats:
        """The share of rows before each bin, flat."""
        found = np.empty_like(self.distribution)
        found[1:] = self.distribution[:-1]
        found[self.rows.starts] = 0.0
        return found

    @cached_property
    def filled(self) -> Flags:
        """Whether each bin has a row."""
        return self.counts > 0

    @cached_property
    def holes(self) -> Places:
        """The bins without a row."""
        return np.flatnonzero(~self.filled)

    @cached_property
    def n_filled(self) -> Floats:
        """How many bins have a row, shape ``(k,)``."""
        return self.rows.count(self.filled)

    @cached_property
    def means(self) -> Floats:
        """The exact mean of each bin less the centre, 0 where it is empty, flat."""
        if self.sums is None:
            raise ValueError("names have no places on a line")
        return self.sums / np.maximum(self.counts, 1)

    @cached_property
    def offset(self) -> Floats:
        """The exact mean of the finite values less the centre, shape ``(k,)``."""
        if self.sums is None:
            raise ValueError("names have no mean")
        return self.rows.sum(self.sums) / self.n

    @cached_property
    def std(self) -> Floats:
        """The population standard deviation; NaN where a square overflows, 0 of a constant."""
        variance = self.sum_squares / self.n - self.offset * self.offset
        found = np.sqrt(np.maximum(np.where(np.isfinite(variance), variance, np.nan), 0.0))
        return np.where(self.minimum == self.maximum, 0.0, found)

    @cached_property
    def standardised(self) -> Floats:
        """The mean of each bin less the column's, in standard deviations; flat."""
        return (self.means - self.rows.each(self.offset)) / self.rows.each(self.std)

    @cached_property
    def moments(self) -> Floats:
        """Means of the second to fourth power of these, shape ``(3, k)``."""
        squares = self.standardised * self.standardised
        weighed = self.shares * squares
        powers = (weighed, weighed * self.standardised, weighed * squares)
        return np.stack([self.rows.sum(cells) for cells in powers])

    def places(self, grid: Grid) -> Floats:
        """A place for each bin, less the centre: the mean of its rows, or anywhere within it."""
        return self.once(_places, grid)

    def bins_at(self, shares: Floats) -> Places:
        """The bins that hold the quantiles of shares, shape of ``shares``.

        The quantile of a share ``u`` is the smallest value with ``F >= u``, as
        ``numpy.quantile(method="inverted_cdf")``: the row of rank ``ceil(u n)``.

        Args:
            shares: of each histogram, shape ``(k, s)`` or ``(1, s)``.
        """
        rows = self.n[:, None]
        # A hair less, so that rounding in 0.05 * 20 does not ask for one more row.
        ranks = np.minimum(np.maximum(np.ceil(shares * (rows * (1 - 1e-12))), 1), rows)
        found: Places = self.running.searchsorted(ranks.astype(np.int64) + self.first[:, None])
        return np.minimum(found, self.rows.ends[:, None])


def _rows_of(counts: Sequence[Counts], edges: Sequence[Floats]) -> Rows:
    """The bins of histograms: the same object for the same edges."""
    return Grid.of(edges) if edges else Rows(np.array([len(own) for own in counts]))


def _floats(values: Sequence[float | None]) -> Floats:
    """As an array, ``None`` as NaN."""
    return np.array(values, dtype=np.float64)


def _places(side: Side, grid: Grid) -> Floats:
    found = side.means.copy()
    found[side.holes] = grid.places[side.holes] - side.centre[grid.numbers[side.holes]]
    return found
