"""Two histograms on the same bins, and what several metrics need of them, computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

import numpy as np

from dagster_monitoring.statistics.drift._line import Line
from dagster_monitoring.statistics.histogram import Floats, Histogram, align, same_bins
from dagster_monitoring.statistics.undefined import Undefined

T = TypeVar("T")

FLOOR = 1e-4
"""The least share in a logarithm: one row in ten thousand."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A reference and a current histogram whose bins are the same.

    Attributes:
        reference: the baseline, with shares ``p`` and ``n`` rows.
        current: the window, with shares ``q`` and ``m`` rows.

    Raises:
        ValueError: the bins differ; :meth:`of` aligns them first.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> pair.n, pair.m, pair.q.tolist()
        (4, 4, [0.25, 0.75])
    """

    reference: Histogram
    current: Histogram

    def __post_init__(self) -> None:
        if not same_bins(self.reference, self.current):
            raise ValueError("align the histograms first: their bins differ")

    @classmethod
    def of(cls, reference: Histogram, current: Histogram) -> Pair:
        """Both on the union of their categories, or on the edges that they share.

        Raises:
            ValueError: one is numeric and the other not, or their edges differ.
        """
        return cls(*align(reference, current))

    def regroup(self, edges: Floats) -> Pair:
        """Both sides on coarser bins, each edge one of theirs.

        Raises:
            ValueError: a categorical pair, or an edge that is not there.
        """
        return Pair(self.reference.regroup(edges), self.current.regroup(edges))

    @property
    def n(self) -> int:
        """Rows of the reference that are in a bin."""
        return self.reference.n

    @property
    def m(self) -> int:
        """Current rows that are in a bin."""
        return self.current.n

    def once(self, compute: Callable[[Pair], T]) -> T:
        """``compute(pair)``, computed when first asked for: several metrics share parts."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        return cast("T", self._known[compute])

    @cached_property
    def _known(self) -> dict[object, object]:
        return {}

    @cached_property
    def scale(self) -> float:
        """``1 / n + 1 / m``, what the variance of a difference of shares goes by."""
        return 1 / self.n + 1 / self.m

    @cached_property
    def p(self) -> Floats:
        """Shares of the reference a bin."""
        return self.reference.counts / self.n

    @cached_property
    def q(self) -> Floats:
        """Shares of the current rows a bin."""
        return self.current.counts / self.m

    @cached_property
    def floored(self) -> tuple[Floats, Floats]:
        """Both shares, each at least ``FLOOR``; not rescaled."""
        return np.maximum(self.p, FLOOR), np.maximum(self.q, FLOOR)

    @cached_property
    def gaps(self) -> Floats:
        """``F - G`` of the distribution functions at the right end of each bin."""
        # Cumulated as integers: cumulated shares end at 1 only up to rounding.
        return self.reference.cumulated / self.n - self.current.cumulated / self.m

    @cached_property
    def expected(self) -> Floats:
        """Shares of the reference in the bins that it has a row in.

        Sampling noise is told from these. A bin that only the window has is evidence, not noise:
        a flood of new names would widen its own threshold.
        """
        return self.p[self.p > 0]

    @cached_property
    def rarest(self) -> float:
        """The least of these shares."""
        return float(self.expected.min())

    @cached_property
    def line(self) -> Line:
        """Both distribution functions over the values; numeric columns only."""
        return Line.of(self.reference, self.current)

    @cached_property
    def spread(self) -> float | Undefined:
        """The reference's standard deviation, as a unit; a constant has none."""
        std = self.reference.std
        if isinstance(std, Undefined):
            return std
        return std or Undefined(
            "the baseline's column is constant, so a shift has no scale: "
            "monitor it by psi or wasserstein"
        )

    @cached_property
    def skewness(self) -> float:
        """The reference's third standardised moment, from the means of its bins; 0 for names."""
        spread, sums, counts = self.spread, self.reference.sums, self.reference.counts
        if isinstance(spread, Undefined) or sums is None:
            return 0.0
        used = np.flatnonzero(counts)
        rows = counts[used]
        centred = (sums[used] / rows - float(sums.sum()) / self.n) / spread
        return float(np.dot(rows, centred * centred * centred)) / self.n

    def why_empty(self, *, rows: bool) -> Undefined | None:
        """Which side has no value, or, when ``rows``, not even a missing one."""
        for histogram, side in ((self.reference, "baseline"), (self.current, "window")):
            if not (histogram.rows if rows else histogram.n):
                return Undefined(
                    f"the {side} has no values to compare (missing: {histogram.n_missing})"
                )
        return None
