"""Two histograms on the same bins, and what several metrics need of them, computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.drift._bins import Bins
from dagster_monitoring.statistics.drift._line import Bridge, Line
from dagster_monitoring.statistics.histogram import Floats, Histogram, align, same_bins
from dagster_monitoring.statistics.undefined import Undefined

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Pair:
    """A reference and a current histogram whose bins are the same.

    Attributes:
        reference: the baseline, with shares ``p`` and ``n`` rows.
        current: the window, with shares ``q`` and ``m`` rows.
        unaligned: the reference before unseen categories were added to its bins, which remembers
            from pair to pair what belongs to it alone; ``None`` where it is the same.

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

    def regroup(self, edges: Floats) -> Pair:
        """Both sides on coarser bins, each edge one of theirs.

        Raises:
            ValueError: a categorical pair, or an edge that is not there.
        """
        if edges is self.reference.edges:
            return self
        coarse, starts = self.reference.once(_regrouped, _Same(edges))
        return Pair(coarse, self.current.grouped(edges, starts))

    @cached_property
    def n(self) -> int:
        """Rows of the reference that are in a bin."""
        return self.reference.n

    @cached_property
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

    def of_bins(self, compute: Callable[[Bins], Floats]) -> float:
        """This pair's value of ``compute(bins)``, computed once for all pairs side by side.

        Both sides have to have rows.
        """
        bins, place = self._place
        return bins.values(compute)[place]

    @cached_property
    def _place(self) -> tuple[Bins, int]:
        """Its bins, and which row of them it is: alone, unless :func:`side_by_side` says more."""
        return Bins.of([(self.reference.counts, self.current.counts, self.n, self.m)]), 0

    @property
    def sampled(self) -> Histogram:
        """The reference as what sampling noise is told from."""
        return self.reference if self.unaligned is None else self.unaligned

    @cached_property
    def scale(self) -> float:
        """``1 / n + 1 / m``, what the variance of a difference of shares goes by."""
        return 1 / self.n + 1 / self.m

    @property
    def p(self) -> Floats:
        """Shares of the reference a bin."""
        return self.reference.shares

    @property
    def q(self) -> Floats:
        """Shares of the current rows a bin."""
        return self.current.shares

    @cached_property
    def gaps(self) -> Floats:
        """``F - G`` of the distribution functions at the right end of each bin."""
        # Cumulated as integers: cumulated shares end at 1 only up to rounding.
        return self.reference.distribution[1:] - self.current.distribution[1:]

    @cached_property
    def widest(self) -> int:
        """The bin at whose right end the gap is widest."""
        return int(np.abs(self.gaps).argmax())

    @property
    def expected(self) -> Floats:
        """Shares of the reference in the bins that it has a row in.

        Sampling noise is told from these, and from how much the reference is likely to lack. What
        only the window has plays no part: a flood of new names would widen its own threshold.
        """
        return self.sampled.expected

    @cached_property
    def line(self) -> Line:
        """Both distribution functions over the values; numeric columns only."""
        return Line.of(self.reference, self.current)

    @property
    def bridge(self) -> Bridge:
        """What sampling noise is made of; numeric columns only."""
        return self.sampled.once(Bridge.of)

    @property
    def spread(self) -> float | Undefined:
        """The reference's standard deviation, as a unit; a constant has none."""
        return self.sampled.once(_spread)

    @property
    def skewness(self) -> float:
        """The reference's third standardised moment, from the means of its bins; 0 for names."""
        if isinstance(self.spread, Undefined) or self.reference.sums is None:
            return 0.0
        return self.sampled.standard_moments[2]

    def why_empty(self, *, rows: bool) -> Undefined | None:
        """Which side has no value, or, when ``rows``, not even a missing one."""
        return self._no_rows if rows else self._no_values

    @cached_property
    def _no_rows(self) -> Undefined | None:
        return self._why_empty(before=self.reference.rows, after=self.current.rows)

    @cached_property
    def _no_values(self) -> Undefined | None:
        return self._why_empty(before=self.n, after=self.m)

    def _why_empty(self, *, before: int, after: int) -> Undefined | None:
        if before and after:
            return None
        side, histogram = ("window", self.current) if before else ("baseline", self.reference)
        return Undefined(f"the {side} has no values to compare (missing: {histogram.n_missing})")


def side_by_side(pairs: Iterable[Pair]) -> None:
    """Let pairs compute together what their metrics ask of bins: arrays pay when they are long."""
    together = [pair for pair in pairs if pair.n and pair.m]
    if len(together) > 1:
        bins = Bins.of([(p.reference.counts, p.current.counts, p.n, p.m) for p in together])
        for place, pair in enumerate(together):
            # A cached property's value, given before it is asked for.
            pair.__dict__["_place"] = bins, place


@dataclass(frozen=True, eq=False)
class _Same:
    """Edges as a key: the same array, not an equal one."""

    edges: Floats

    def __hash__(self) -> int:
        return id(self.edges)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.edges is self.edges


def _regrouped(reference: Histogram, wanted: _Same) -> tuple[Histogram, npt.NDArray[np.int64]]:
    """The histogram on coarser bins, and where each of them begins."""
    if reference.edges is None:
        raise ValueError("a categorical histogram has no edges to regroup on")
    coarse = reference.regroup(wanted.edges)
    return coarse, np.concatenate(([0], np.searchsorted(reference.edges, wanted.edges) + 1))


def _spread(reference: Histogram) -> float | Undefined:
    std = reference.std
    if isinstance(std, Undefined):
        return std
    return std or Undefined(
        "the baseline's column is constant, so a shift has no scale: "
        "monitor it by psi or wasserstein"
    )
