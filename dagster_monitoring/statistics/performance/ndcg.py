"""Normalised discounted cumulative gain."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import RANKING, PerformanceMetric
from dagster_monitoring.statistics.performance._query_mean import mean_query, mean_query_error
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The gain of the first ``k`` rows over that of the best order, as a mean over queries.

    A row gains its label (not ``2 ** label - 1``), divided by ``log2(place + 1)``; rows of equal
    score share what their places give. ``k`` is the task's.

    Queries without a relevant row have no order that is wrong: they are left out.

    Returns:
        From 0 to 1; ``Undefined`` when no query has a relevant row.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import ranking_summary
        >>> query = np.array([1, 1, 1, 2, 2])
        >>> label, score = np.array([0.0, 3, 1, 1, 0]), np.array([0.9, 0.8, 0.1, 0.7, 0.2])
        >>> rows = ranking_summary(query, label, score, k=2)
        >>> round(compute(rows), 4)
        0.7606
    """
    return mean_query(summary, "ndcg")


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean over independent queries."""
    return mean_query_error(summary, "ndcg")


METRIC = PerformanceMetric(
    name="ndcg",
    title="Normalised discounted cumulative gain",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean over queries",
    tasks=RANKING,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    symmetric=False,
    unit="",
    needs_score=False,
    degenerate="undefined when no query has a relevant row; queries without one are left out",
    source="sklearn.metrics.ndcg_score(k=k); Jarvelin, Kekalainen (2002)",
)
