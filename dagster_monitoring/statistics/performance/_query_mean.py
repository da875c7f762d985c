"""What metrics of a ranking have in common: they are means over queries."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._queries import QueryMetric, RankingSummary
from dagster_monitoring.statistics.performance._spread import error_of_mean
from dagster_monitoring.statistics.performance._summary import Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined


def mean_query(summary: Summary, metric: QueryMetric) -> float | Undefined:
    """The mean over the queries that have a relevant row."""
    found = _relevant(summary)
    if isinstance(found, Undefined):
        return found
    return min(float(found.sums[metric].total) / found.n_queries, 1.0)


def mean_query_error(summary: Summary, metric: QueryMetric) -> float | Undefined:
    """The standard error of :func:`mean_query`."""
    found = _relevant(summary)
    if isinstance(found, Undefined):
        return found
    sums = found.sums[metric]
    return error_of_mean(float(sums.total), float(sums.squares), found.n_queries)


def _relevant(summary: Summary) -> RankingSummary | Undefined:
    found = labelled(summary, RankingSummary)
    if isinstance(found, Undefined):
        return found
    if not found.n_queries:
        return Undefined(
            f"none of {found.n_queries_without} queries has a row whose label is above 0"
        )
    return found
