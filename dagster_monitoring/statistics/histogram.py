"""One column's counts on bins that the baseline fixed, and the sums that go with them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.undefined import Undefined, finite

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram:
    """Counts of one column: numeric on interior edges, or categorical on names.

    Numeric bins are open on the right, ``[edges[i-1], edges[i])``; the outer two reach to
    infinity, so ``k - 1`` strictly increasing edges make ``k`` bins and no finite value is lost.

    Attributes:
        counts: rows a bin, shape ``(k,)``; missing and non-finite values are in none.
        sums: sum of ``x - centre`` a bin, shape ``(k,)``; ``None`` for a categorical column.
        edges: interior edges, shape ``(k - 1,)``; ``None`` for a categorical column.
        centre: what the sums are centred on, so that large values do not cancel.
        sum_squares: sum of ``(x - centre) ** 2`` over all bins.
        minimum: the smallest finite value, ``None`` when there is none.
        maximum: the largest finite value, ``None`` when there is none.
        n_missing: nulls and NaN.
        n_nonfinite: plus and minus infinity.
        categories: names aligned to ``counts``; ``None`` for a numeric column.

    Raises:
        ValueError: both or neither of ``edges`` and ``categories``, or shapes that do not fit.
    """

    counts: Counts
    sums: Floats | None = None
    edges: Floats | None = None
    centre: float = 0.0
    sum_squares: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    n_missing: int = 0
    n_nonfinite: int = 0
    categories: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.edges is None) == (self.categories is None):
            raise ValueError("a histogram has either edges or categories")
        bins = len(self.counts)
        if self.categories is not None and len(self.categories) != bins:
            raise ValueError(f"{len(self.categories)} categories for {bins} counts")
        if self.edges is not None and len(self.edges) + 1 != bins:
            raise ValueError(f"{len(self.edges)} interior edges for {bins} counts")
        if self.edges is not None and (self.sums is None or len(self.sums) != bins):
            raise ValueError("a numeric histogram has one sum a bin")

    @cached_property
    def n(self) -> int:
        """Rows that are in a bin."""
        return int(self.counts.sum())

    @cached_property
    def rows(self) -> int:
        """All rows: in a bin, missing or infinite."""
        return self.n + self.n_missing + self.n_nonfinite

    @property
    def is_numeric(self) -> bool:
        """Whether the bins lie on a line."""
        return self.edges is not None

    @property
    def mean(self) -> float | Undefined:
        """The exact mean of the finite values."""
        if self.sums is None:
            return Undefined("a categorical column has no mean")
        if not self.n:
            return Undefined("no finite values")
        return finite(self.centre + float(self.sums.sum()) / self.n)

    @property
    def std(self) -> float | Undefined:
        """The population standard deviation (divisor n) of the finite values."""
        if self.sums is None:
            return Undefined("a categorical column has no standard deviation")
        if not self.n:
            return Undefined("no finite values")
        if self.minimum is not None and self.minimum == self.maximum:
            return 0.0
        offset = float(self.sums.sum()) / self.n
        variance = finite(self.sum_squares / self.n - offset * offset)
        return variance if isinstance(variance, Undefined) else math.sqrt(max(variance, 0.0))

    def regroup(self, edges: Floats) -> Histogram:
        """The same rows on coarser bins; exact, since each new edge is an old one.

        Args:
            edges: interior edges, increasing, each of them one of ``self.edges``.

        Raises:
            ValueError: a categorical histogram, or an edge that is not there.

        Example:
            >>> fine = numeric_histogram([1.0, 2.0, 3.0], edges=[1.5, 2.5])
            >>> fine.regroup(np.array([2.5])).counts.tolist()
            [2, 1]
        """
        if self.edges is None or self.sums is None:
            raise ValueError("a categorical histogram has no edges to regroup on")
        edges = np.asarray(edges, dtype=np.float64)
        if edges is self.edges:
            return self
        if not has_edges(self.edges, edges):
            missing = np.setdiff1d(edges, self.edges).tolist()
            raise ValueError(f"not an edge of this histogram: {missing[:5]}")
        starts = np.concatenate(([0], np.searchsorted(self.edges, edges) + 1))
        return replace(
            self,
            counts=np.add.reduceat(self.counts, starts),
            sums=np.add.reduceat(self.sums, starts),
            edges=edges,
        )


def align(reference: Histogram, current: Histogram) -> tuple[Histogram, Histogram]:
    """Both on the same bins, so that their counts can be compared one by one.

    Categorical: the union of categories, the reference's order first, then unseen ones sorted.
    Numeric: the edges have to be the same already (see :meth:`Histogram.regroup`).

    Raises:
        ValueError: one is numeric and the other not, or their edges differ.

    Example:
        >>> a, b = align(categorical_histogram(["b", "a"]), categorical_histogram(["c"]))
        >>> a.categories, a.counts.tolist(), b.counts.tolist()
        (('a', 'b', 'c'), [1, 1, 0], [0, 0, 1])
    """
    if same_bins(reference, current):
        return reference, current
    if reference.categories is not None and current.categories is not None:
        place = {name: at for at, name in enumerate(reference.categories)}
        unseen = sorted(name for name in current.categories if name not in place)
        union = (*reference.categories, *unseen)
        place.update((name, at) for at, name in enumerate(unseen, start=len(place)))
        before, after = np.zeros((2, len(union)), dtype=np.int64)
        before[: len(reference.counts)] = reference.counts
        after[[place[name] for name in current.categories]] = current.counts
        return (
            replace(reference, counts=before, categories=union),
            replace(current, counts=after, categories=union),
        )
    if reference.edges is None or current.edges is None:
        raise ValueError("a numeric and a categorical histogram cannot be compared")
    raise ValueError("the histograms have different edges: regroup them on common ones first")


def same_bins(left: Histogram, right: Histogram) -> bool:
    """Whether the counts of two histograms can be compared one by one."""
    if left.edges is None or right.edges is None:
        return left.edges is right.edges and left.categories == right.categories
    return left.edges is right.edges or np.array_equal(left.edges, right.edges)


def has_edges(edges: Floats, wanted: Floats) -> bool:
    """Whether each of the wanted edges is one of ``edges``, which increase."""
    if not len(edges):
        return not len(wanted)
    at = np.minimum(np.searchsorted(edges, wanted), len(edges) - 1)
    return bool((edges[at] == wanted).all())


def numeric_histogram(
    values: npt.ArrayLike, *, edges: npt.ArrayLike, centre: float = 0.0
) -> Histogram:
    """A histogram of raw values, for what fits in memory.

    Args:
        values: numbers; NaN counts as missing, infinities apart.
        edges: interior edges, strictly increasing.
        centre: what the sums are centred on.
    """
    given = np.asarray(values, dtype=np.float64)
    interior = np.asarray(edges, dtype=np.float64)
    finite = given[np.isfinite(given)]
    index = np.searchsorted(interior, finite, side="right")
    offsets = finite - centre
    bins = len(interior) + 1
    with np.errstate(over="ignore"):
        squares = float(np.dot(offsets, offsets))
    return Histogram(
        counts=np.bincount(index, minlength=bins).astype(np.int64),
        sums=np.bincount(index, weights=offsets, minlength=bins).astype(np.float64),
        edges=interior,
        centre=centre,
        sum_squares=squares,
        minimum=float(finite.min()) if len(finite) else None,
        maximum=float(finite.max()) if len(finite) else None,
        n_missing=int(np.isnan(given).sum()),
        n_nonfinite=int(np.isinf(given).sum()),
    )


def categorical_histogram(values: Iterable[str | None]) -> Histogram:
    """A histogram of raw names, sorted by name; ``None`` counts as missing."""
    tally = Counter(values)
    n_missing = tally.pop(None, 0)
    names = sorted(name for name in tally if name is not None)
    return Histogram(
        counts=np.array([tally[name] for name in names], dtype=np.int64),
        categories=tuple(names),
        n_missing=n_missing,
    )
