"""Accuracy."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.performance._binary import BinarySummary
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._multiclass import MulticlassSummary
from dagster_monitoring.statistics.performance._summary import Summary, classified
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The share of labelled rows whose predicted class is the true one.

    Returns:
        From 0 to 1; ``Undefined`` without labelled rows.

    Example:
        >>> compute(BinarySummary(n_labelled=4, true_positive=2, true_negative=1, false_negative=1))
        0.75
    """
    found = classified(summary)
    return found if isinstance(found, Undefined) else _correct(found) / found.n_labelled


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: a proportion, with two rows more on each side.

    Source: Agresti, Coull (1998), The American Statistician 52.
    """
    found = classified(summary)
    if isinstance(found, Undefined):
        return found
    n = found.n_labelled + 4
    share = (_correct(found) + 2) / n
    return math.sqrt(share * (1 - share) / n)


def _correct(summary: BinarySummary | MulticlassSummary) -> int:
    if isinstance(summary, BinarySummary):
        return summary.true_positive + summary.true_negative
    return summary.n_correct


METRIC = PerformanceMetric(
    name="accuracy",
    title="Accuracy",
    compute=compute,
    standard_error=standard_error,
    error_method="binomial (Agresti-Coull)",
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    symmetric=True,
    unit="share",
    needs_score=False,
    degenerate="undefined without labelled rows only",
    source="sklearn.metrics.accuracy_score",
)
