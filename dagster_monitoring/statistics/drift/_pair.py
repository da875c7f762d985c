"""Two histograms on the same bins, and many such pairs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dagster_monitoring.statistics.drift._bins import Bins
from dagster_monitoring.statistics.drift._grid import Grid
from dagster_monitoring.statistics.drift._line import Bridge, Line
from dagster_monitoring.statistics.drift._rows import Flags, Remembering
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats, Histogram, align, same_bins
from dagster_monitoring.statistics.undefined import TOO_LARGE, Undefined


@dataclass(frozen=True, eq=False)
class Pair:
    """A reference and a current histogram whose bins are the same.

    Attributes:
        reference: the baseline, with shares ``p`` and ``n`` rows.
        current: the window, with shares ``q`` and ``m`` rows.
        unaligned: the reference before unseen categories were added to its bins; ``None`` where
            it is the same.

    Raises:
        ValueError: the bins differ; :meth:`of` aligns them first.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> pair.n, pair.m
        (4, 4)
    """

    reference: Histogram
    current: Histogram
    unaligned: Histogram | None = None

    def __post_init__(self) -> None:
        if not same_bins(self.reference, self.current):
            raise ValueError("align the histograms first: their bins differ")

    @classmethod
    def of(cls, reference: Histogram, current: Histogram) -> Pair:
        """Both on the union of their categories, or on the edges that they share.

        Raises:
            ValueError: one is numeric and the other not, or their edges differ.
        """
        return cls(*align(reference, current), unaligned=reference)

    @property
    def n(self) -> int:
        """Rows of the reference that are in a bin."""
        return self.reference.n

    @property
    def m(self) -> int:
        """Current rows that are in a bin."""
        return self.current.n

    @property
    def sampled(self) -> Histogram:
        """The reference as what sampling noise is told from.

        What only the window has plays no part: a flood of new names would widen its own threshold.
        """
        return self.reference if self.unaligned is None else self.unaligned

    @cached_property
    def alone(self) -> Pairs:
        """Side by side with no other."""
        return Pairs.of([self])


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs(Remembering):
    """Pairs side by side: arrays pay when they are long.

    Metrics take these, and give a number a pair; NaN where there is none.

    Attributes:
        before: the references, on the bins of the current side.
        after: the current histograms.
        sampled: the references as what sampling noise is told from.
        grid: where the bins are; ``None`` when not all of them are of numbers.
        n_numeric: so many of them, the first ones, are of numbers.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> before, after = categorical_histogram("aabb"), categorical_histogram("abbb")
        >>> pairs = Pairs.of([Pair.of(before, after), Pair.of(after, before)])
        >>> pairs.bins.q.tolist()
        [0.25, 0.75, 0.5, 0.5]
    """

    before: Side
    after: Side
    sampled: Side
    grid: Grid | None
    n_numeric: int

    @classmethod
    def of(
        cls, pairs: Sequence[Pair], sampled: Side | None = None, after: Side | None = None
    ) -> Pairs:
        """From pairs, at least one, all of numbers or all of names.

        Args:
            pairs: some.
            sampled: their references, unaligned, where these are side by side already.
            after: their current histograms, where these are.
        """
        edges = [pair.reference.edges for pair in pairs if pair.reference.edges is not None]
        sampled = sampled or Side.of([pair.sampled for pair in pairs])
        is_aligned = all(pair.sampled is pair.reference for pair in pairs)
        before = sampled if is_aligned else Side.of([pair.reference for pair in pairs])
        return cls(
            before=before,
            after=after or Side.of([pair.current for pair in pairs], before.rows),
            sampled=sampled,
            grid=Grid.of(edges) if edges else None,
            n_numeric=len(edges),
        )

    def followed_by(self, names: Pairs) -> Pairs:
        """These and pairs of names, for metrics that take either.

        What belongs to the references alone is remembered with the first of them.
        """
        sampled = self.sampled.once(Side.followed_by, names.sampled)
        is_aligned = self.before is self.sampled and names.before is names.sampled
        return Pairs(
            before=sampled if is_aligned else self.before.followed_by(names.before),
            after=self.after.followed_by(names.after),
            sampled=sampled,
            grid=None,
            n_numeric=self.n_numeric,
        )

    def regroup(self, edges: Sequence[Floats]) -> Pairs:
        """Numeric pairs on coarser bins.

        Args:
            edges: a pair's interior edges each, all of them among its own.
        """
        coarse = Grid.of(edges)
        before = self.before.once(Side.regroup, self.on_line, coarse)
        after = self.after.once(Side.regroup, self.on_line, coarse)
        return Pairs(
            before=before, after=after, sampled=before, grid=coarse, n_numeric=self.n_numeric
        )

    @property
    def n(self) -> Floats:
        """Rows of each reference that are in a bin, shape ``(k,)``."""
        return self.before.n

    @property
    def m(self) -> Floats:
        """Current rows that are in a bin, shape ``(k,)``."""
        return self.after.n

    @cached_property
    def scale(self) -> Floats:
        """``1 / n + 1 / m``, what the variance of a difference of shares goes by."""
        return 1 / self.n + 1 / self.m

    @property
    def on_line(self) -> Grid:
        """Where the bins are.

        Raises:
            ValueError: pairs of names; names have no places.
        """
        if self.grid is None:
            raise ValueError("names have no places on a line")
        return self.grid

    @cached_property
    def bins(self) -> Bins:
        """Shares and what metrics make of them, bin by bin."""
        before, after = self.before, self.after
        return Bins(
            sizes=before.rows.sizes,
            before=before.counts,
            after=after.counts,
            p=before.shares,
            q=after.shares,
            n=self.n,
            m=self.m,
        )

    @cached_property
    def gaps(self) -> Floats:
        """``F - G`` of the distribution functions at the right end of each bin, flat."""
        return self.before.distribution - self.after.distribution

    @cached_property
    def line(self) -> Line:
        """Both distribution functions over the values; numeric columns only."""
        return Line.of(self.before, self.after, self.on_line, self.gaps)

    @property
    def bridge(self) -> Bridge:
        """What sampling noise is made of; numeric columns only."""
        return self.sampled.once(Bridge.of, self.on_line)

    @cached_property
    def spread(self) -> Floats:
        """The references' standard deviations, as a unit; NaN of a constant."""
        return np.where(self.sampled.std > 0, self.sampled.std, np.nan)

    @cached_property
    def empty(self) -> frozenset[int]:
        """The places of pairs of which a side has no value."""
        return _places_of((self.n == 0) | (self.m == 0))

    @cached_property
    def without_rows(self) -> frozenset[int]:
        """The places of pairs of which a side has not even a missing value."""
        return _places_of((self.before.all_rows == 0) | (self.after.all_rows == 0))

    def why_empty(self, place: int, *, rows: bool) -> Undefined:
        """Which side of a pair has nothing to compare."""
        has = self.before.all_rows if rows else self.n
        side, name = (self.after, "window") if has[place] else (self.before, "baseline")
        missing = int(side.n_missing[place])
        return Undefined(f"the {name} has no values to compare (missing: {missing})")

    def why_no_spread(self, place: int) -> Undefined:
        """Why there is nothing in standard deviations of a reference."""
        if self.sampled.std[place] == 0:
            return Undefined(
                "the baseline's column is constant, so a shift has no scale: "
                "monitor it by psi or wasserstein"
            )
        return TOO_LARGE


def _places_of(flags: Flags) -> frozenset[int]:
    return frozenset(np.flatnonzero(flags).tolist())
