"""Mean average precision."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import RANKING, PerformanceMetric
from dagster_monitoring.statistics.performance._query_mean import mean_query, mean_query_error
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean over a query's relevant rows of the precision down to each, as a mean over queries.

    Relevant is a label above 0; rows of equal score are taken together.

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
        0.7917
    """
    return mean_query(summary, "map")


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean over independent queries."""
    return mean_query_error(summary, "map")


METRIC = PerformanceMetric(
    name="map",
    title="Mean average precision",
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
    source="sklearn.metrics.average_precision_score a query; Manning et al. (2008), 8.4",
)
