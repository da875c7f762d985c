"""One summary of each task, made by hand, with whole numbers that floats can't hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.performance_profile import PerformanceProfile, SegmentPerformance
from dagster_monitoring.schema import (
    BinaryClassification,
    MulticlassClassification,
    Ranking,
    Regression,
    Task,
)
from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.performance import (
    MOMENTS,
    QUERY_METRICS,
    BinarySummary,
    ErrorCounts,
    Losses,
    MulticlassSummary,
    QuerySums,
    RankingSummary,
    RegressionSummary,
    ScoreCounts,
    Summary,
)

TASKS: Mapping[str, Task] = {
    "binary": BinaryClassification(label="y", prediction="p"),
    "several": MulticlassClassification(label="y", prediction="p"),
    "regression": Regression(label="y", prediction="p"),
    "ranking": Ranking(label="y", prediction="p", group="q"),
}


def scores(*given: float, exact: bool = True, rows: int = 2**60 + 1) -> ScoreCounts:
    n = len(given)
    return ScoreCounts(
        scores=np.array(given),
        negatives=np.arange(n, dtype=np.int64) + rows,
        positives=np.arange(n, dtype=np.int64) * 3,
        exact=exact,
    )


SUMMARIES: Mapping[str, Summary] = {
    "binary": BinarySummary(
        n_labelled=20,
        true_negative=2,
        false_positive=3,
        false_negative=4,
        true_positive=11,
        n_scored=19,
        score_counts=scores(0.0, 0.1, 1.0),
    ),
    "several": MulticlassSummary(
        classes=("a", "b", "c"),
        confusion=np.array([[0, 2**60 + 1, 0], [3, 0, 0], [0, 0, 5]]),
        n_correct=5,
        n_scored=7,
        rank_counts=np.arange(10, dtype=np.int64),
        log_loss_sum=ExactSum.of([0.1]),
        log_loss_square_sum=ExactSum.of([0.2]),
        squared_error_sum=ExactSum.of([0.3]),
        squared_error_square_sum=ExactSum.of([0.4]),
        per_class=(scores(0.25), ScoreCounts(), scores(0.1, 0.5, exact=False, rows=4)),
    ),
    "regression": RegressionSummary(
        n_labelled=5,
        sums={name: ExactSum.of([0.1 * i]) for i, name in enumerate(MOMENTS)},
        absolute_errors=ErrorCounts(cells=np.array([3, 2**60 + 1]), counts=np.array([1, 2**60])),
    ),
    "ranking": RankingSummary(
        n_labelled=9,
        n_queries=4,
        n_queries_without=2,
        sums={
            name: QuerySums(total=ExactSum.of([0.1 * i]), squares=ExactSum.of([0.01 * i]))
            for i, name in enumerate(QUERY_METRICS)
        },
    ),
}

ROUNDED = BinarySummary(
    n_labelled=3,
    true_negative=3,
    n_scored=3,
    score_counts=scores(0.5, exact=False, rows=3),
    losses=Losses(log_loss=ExactSum.of([0.1]), squared_error=ExactSum.of([0.7])),
)
UNKNOWN = RegressionSummary(n_labelled=1, sums=dict.fromkeys(MOMENTS))


def profile_of(summary: Summary, **parts: Summary) -> PerformanceProfile:
    """A profile with that summary, and segments ``city=<name>`` with theirs."""
    return PerformanceProfile(
        summary=summary,
        n=100,
        n_labelled=90,
        n_without_prediction=7,
        segments={
            f"city={name}": SegmentPerformance(n=10 + i, n_labelled=5 + i, summary=own)
            for i, (name, own) in enumerate(parts.items())
        },
        predictions=NameCounts(counts={"0": 60, "1": 30}, total=93),
        labels=NameCounts(counts={"0": 50, "1": 35}, total=90),
        first_available_at=datetime(2024, 1, 3, 4, 5, 6, 7, tzinfo=UTC),
        last_available_at=datetime(2024, 2, 1, tzinfo=UTC),
    )
