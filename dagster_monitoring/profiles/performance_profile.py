"""Labelled predictions of a slice as sums that add: every performance metric is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

from dagster_monitoring.profiles.delays import Arrivals, DelayCounts
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.schema import (
    BinaryClassification,
    MulticlassClassification,
    Ranking,
    Task,
)
from dagster_monitoring.statistics.performance import (
    BinarySummary,
    MulticlassSummary,
    RankingSummary,
    RegressionSummary,
    Summary,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentPerformance:
    """One segment of a slice.

    Attributes:
        n: rows.
        n_labelled: rows with a label.
        summary: the rows with a label and a prediction.
        delays: its labels by how long after their prediction they came.
    """

    n: int
    n_labelled: int
    summary: Summary
    delays: DelayCounts = field(default_factory=DelayCounts)

    def __add__(self, other: SegmentPerformance) -> SegmentPerformance:
        return SegmentPerformance(
            n=self.n + other.n,
            n_labelled=self.n_labelled + other.n_labelled,
            summary=add_summaries(self.summary, other.summary),
            delays=self.delays + other.delays,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PerformanceProfile:
    """A slice's labelled predictions; :func:`empty_performance` is the identity of ``+``.

    Attributes:
        n: rows of the slice, labelled or not.
        n_labelled: rows with a label.
        n_without_prediction: rows without a prediction that can be read.
        summary: the rows with a label and a prediction.
        segments: the same by segment name, ``"carrier=UA"``.
        predictions: rows by predicted class; empty where numbers are predicted.
        labels: rows by true class; empty where numbers are predicted.
        first_available_at: when the first of the labels reached us, where that is known.
        last_available_at: when the last of them did.
        delays: labels by how long after their prediction they came; after the slice's end where
            a row has no timestamp. Only those of which it is known when they came.
        arrivals: labels by how long after the slice's end they came, and what they were.
    """

    summary: Summary
    n: int = 0
    n_labelled: int = 0
    n_without_prediction: int = 0
    segments: Mapping[str, SegmentPerformance] = field(default_factory=dict)
    predictions: NameCounts = field(default_factory=NameCounts)
    labels: NameCounts = field(default_factory=NameCounts)
    first_available_at: datetime | None = None
    last_available_at: datetime | None = None
    delays: DelayCounts = field(default_factory=DelayCounts)
    arrivals: Arrivals = field(default_factory=Arrivals)

    @property
    def prediction_counts(self) -> Mapping[str, int]:
        """Rows by predicted class."""
        return self.predictions.counts

    @property
    def label_counts(self) -> Mapping[str, int]:
        """Rows by true class."""
        return self.labels.counts

    def __add__(self, other: PerformanceProfile) -> PerformanceProfile:
        first = [t for t in (self.first_available_at, other.first_available_at) if t]
        last = [t for t in (self.last_available_at, other.last_available_at) if t]
        return PerformanceProfile(
            summary=add_summaries(self.summary, other.summary),
            n=self.n + other.n,
            n_labelled=self.n_labelled + other.n_labelled,
            n_without_prediction=self.n_without_prediction + other.n_without_prediction,
            segments=_add_segments(self.segments, other.segments),
            predictions=self.predictions + other.predictions,
            labels=self.labels + other.labels,
            first_available_at=min(first, default=None),
            last_available_at=max(last, default=None),
            delays=self.delays + other.delays,
            arrivals=self.arrivals + other.arrivals,
        )


def empty_summary(task: Task) -> Summary:
    """The summary of no rows."""
    if isinstance(task, BinaryClassification):
        return BinarySummary()
    if isinstance(task, MulticlassClassification):
        return MulticlassSummary()
    return RankingSummary() if isinstance(task, Ranking) else RegressionSummary()


def empty_performance(task: Task) -> PerformanceProfile:
    """The performance profile of no rows."""
    return PerformanceProfile(summary=empty_summary(task))


def merge_performance(profiles: Iterable[PerformanceProfile], *, task: Task) -> PerformanceProfile:
    """The performance of all rows together; of no rows when there are no profiles."""
    return reduce(PerformanceProfile.__add__, profiles, empty_performance(task))


def add_summaries(left: Summary, right: Summary) -> Summary:
    """The sum of two summaries of one task.

    Raises:
        ValueError: they are of different tasks.
    """
    if isinstance(left, BinarySummary) and isinstance(right, BinarySummary):
        return left + right
    if isinstance(left, MulticlassSummary) and isinstance(right, MulticlassSummary):
        return left + right
    if isinstance(left, RegressionSummary) and isinstance(right, RegressionSummary):
        return left + right
    if isinstance(left, RankingSummary) and isinstance(right, RankingSummary):
        return left + right
    raise ValueError(
        f"summaries of different tasks do not add: {type(left).__name__}, {type(right).__name__}"
    )


def _add_segments(
    left: Mapping[str, SegmentPerformance], right: Mapping[str, SegmentPerformance]
) -> dict[str, SegmentPerformance]:
    both = {name: left[name] + right[name] for name in left if name in right}
    return {name: both.get(name) or left.get(name) or right[name] for name in (*left, *right)}
