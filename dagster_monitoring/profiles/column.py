"""What a profile knows of one column: counts on the baseline's bins, and they add."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import OTHER, CategoricalBins, NumericBins
from dagster_monitoring.profiles.fixed_sums import FixedSums
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.statistics.histogram import Histogram

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class NumericColumn:
    """Counts and sums of a numeric column.

    Attributes:
        counts: rows a bin, shape ``(k,)``.
        sums: sum of ``x - centre`` a bin, shape ``(k,)``; the centre is the bins'.
        sum_squares: sum of ``(x - centre) ** 2``, shape ``(1,)``.
        n_null: rows without a value.
        n_nan: rows that are "not a number".
        n_positive_infinite: rows that are infinite, or larger than can be squared.
        n_negative_infinite: the same below zero.
        n_type_fault: rows whose value is of a type that is no number.
        minimum: the smallest finite value; ``None`` when there is none, and in a segment.
        maximum: the largest finite value; ``None`` when there is none, and in a segment.
    """

    counts: Counts
    sums: FixedSums
    sum_squares: FixedSums
    n_null: int = 0
    n_nan: int = 0
    n_positive_infinite: int = 0
    n_negative_infinite: int = 0
    n_type_fault: int = 0
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def empty(cls, bins: NumericBins) -> NumericColumn:
        """No rows."""
        size = len(bins.edges) + 1
        return cls(
            counts=np.zeros(size, dtype=np.int64),
            sums=FixedSums.zeros(size, exponent=bins.exponent),
            sum_squares=FixedSums.zeros(1, exponent=bins.squares_exponent),
        )

    @cached_property
    def n(self) -> int:
        """Rows with a finite number."""
        return int(self.counts.sum())

    @property
    def n_missing(self) -> int:
        """Rows without a number: null or NaN."""
        return self.n_null + self.n_nan

    @property
    def n_nonfinite(self) -> int:
        """Rows that are infinite."""
        return self.n_positive_infinite + self.n_negative_infinite

    @property
    def rows(self) -> int:
        """All rows of the files that had the column."""
        return self.n + self.n_missing + self.n_nonfinite + self.n_type_fault

    def __add__(self, other: NumericColumn) -> NumericColumn:
        _same_bins(len(self.counts), len(other.counts))
        return NumericColumn(
            counts=self.counts + other.counts,
            sums=self.sums + other.sums,
            sum_squares=self.sum_squares + other.sum_squares,
            n_null=self.n_null + other.n_null,
            n_nan=self.n_nan + other.n_nan,
            n_positive_infinite=self.n_positive_infinite + other.n_positive_infinite,
            n_negative_infinite=self.n_negative_infinite + other.n_negative_infinite,
            n_type_fault=self.n_type_fault + other.n_type_fault,
            minimum=min(_given(self.minimum, other.minimum), default=None),
            maximum=max(_given(self.maximum, other.maximum), default=None),
        )

    def histogram(self, bins: NumericBins) -> Histogram:
        """The counts with their edges; a segment's counts lie on ``segment_edges``.

        Each value was rounded to a whole number of units, ``2 ** -36`` of the baseline's usual
        distance from the centre (beyond 1,024 such distances: to 1 part in ``2 ** 37``), and
        its square likewise. Only then come the roundings of the floats given here.

        Raises:
            ValueError: the column was not counted on these bins.
        """
        on_segment = len(self.counts) != len(bins.edges) + 1
        return Histogram(
            counts=self.counts,
            sums=self.sums.floats(),
            edges=bins.segment_edges if on_segment else bins.edges,
            centre=bins.centre,
            sum_squares=float(self.sum_squares.floats()[0]),
            minimum=self.minimum,
            maximum=self.maximum,
            n_missing=self.n_missing,
            n_nonfinite=self.n_nonfinite,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class CategoricalColumn:
    """Counts of a categorical column.

    Attributes:
        counts: rows by name of the vocabulary, shape ``(k,)``.
        unseen: rows by name that the vocabulary does not have; in a segment, all of them
            under one name.
        n_null: rows without a value.
        n_type_fault: rows whose value is of a type that is no category, for instance a list.
    """

    counts: Counts
    unseen: NameCounts
    n_null: int = 0
    n_type_fault: int = 0

    @classmethod
    def empty(cls, names: int) -> CategoricalColumn:
        """No rows, on a vocabulary of so many names."""
        return cls(counts=np.zeros(names, dtype=np.int64), unseen=NameCounts())

    @cached_property
    def n(self) -> int:
        """Rows with a category."""
        return int(self.counts.sum()) + self.unseen.total

    @property
    def n_missing(self) -> int:
        """Rows without a category."""
        return self.n_null

    @property
    def n_unseen(self) -> int:
        """Rows with a category that the vocabulary does not have."""
        return self.unseen.total

    @property
    def n_nonfinite(self) -> int:
        """Always 0: a category is not a number."""
        return 0

    @property
    def distinct(self) -> int:
        """Different categories: exact below 1,000 unseen ones, beyond it within about 6 %."""
        return int(np.count_nonzero(self.counts)) + self.unseen.distinct

    @property
    def rows(self) -> int:
        """All rows of the files that had the column."""
        return self.n + self.n_null + self.n_type_fault

    def __add__(self, other: CategoricalColumn) -> CategoricalColumn:
        _same_bins(len(self.counts), len(other.counts))
        return CategoricalColumn(
            counts=self.counts + other.counts,
            unseen=self.unseen + other.unseen,
            n_null=self.n_null + other.n_null,
            n_type_fault=self.n_type_fault + other.n_type_fault,
        )

    def histogram(self, bins: CategoricalBins) -> Histogram:
        """The counts with their names: the vocabulary, then unseen names, then the rest.

        Raises:
            ValueError: the column was not counted on these bins.
        """
        on_segment = len(self.counts) != len(bins.vocabulary)
        names = bins.segment_vocabulary if on_segment else bins.vocabulary
        unseen = dict(self.unseen.counts)
        if self.unseen.rest:
            unseen[OTHER] = unseen.get(OTHER, 0) + self.unseen.rest
        counts = np.concatenate((self.counts, np.array([*unseen.values()], dtype=np.int64)))
        return Histogram(counts=counts, categories=(*names, *unseen), n_missing=self.n_missing)


ColumnSummary = NumericColumn | CategoricalColumn


def empty_column(bins: NumericBins | CategoricalBins) -> ColumnSummary:
    """A column of no rows on a baseline's bins."""
    if isinstance(bins, NumericBins):
        return NumericColumn.empty(bins)
    return CategoricalColumn.empty(len(bins.vocabulary))


def add_columns(left: ColumnSummary, right: ColumnSummary) -> ColumnSummary:
    """The sum of two summaries of the same column.

    Raises:
        ValueError: they were counted on different bins.
    """
    if isinstance(left, NumericColumn) and isinstance(right, NumericColumn):
        return left + right
    if isinstance(left, CategoricalColumn) and isinstance(right, CategoricalColumn):
        return left + right
    raise ValueError("a numeric and a categorical summary cannot be added")


def _same_bins(left: int, right: int) -> None:
    if left != right:
        raise ValueError(f"counted on different bins: {left} and {right} of them")


def _given(*values: float | None) -> list[float]:
    return [value for value in values if value is not None]
