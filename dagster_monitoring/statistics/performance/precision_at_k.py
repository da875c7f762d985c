"""Precision at k."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import RANKING, PerformanceMetric
from dagster_monitoring.statistics.performance._query_mean import mean_query, mean_query_error
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The share of relevant rows (label above 0) among a query's first ``k``, as a mean.

    Of a query with fewer rows, among all of them. Rows of equal score share their places. ``k`` is
    the task's.

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
        0.5
    """
    return mean_query(summary, "precision_at_k")


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean over independent queries."""
    return mean_query_error(summary, "precision_at_k")


METRIC = PerformanceMetric(
    name="precision_at_k",
    title="Precision at k",
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
    source="Manning, Raghavan, Schutze (2008), Introduction to Information Retrieval, 8.4",
)
