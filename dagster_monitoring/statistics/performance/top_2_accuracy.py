"""Top-2 accuracy."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import MULTICLASS, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.performance._top_k import top_k, top_k_error
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The share of scored rows whose true class has one of the two highest scores.

    Of classes with equal scores the one whose name sorts last comes first, as in scikit-learn.

    Returns:
        From 0 to 1; ``Undefined`` when no row is scored.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import multiclass_summary
        >>> names, scores = list("abcdef"), np.array([[0.3, 0.25, 0.2, 0.13, 0.07, 0.05]] * 2)
        >>> columns = dict(zip(names, scores.T, strict=True))
        >>> label = np.array([1, 5])
        >>> rows = multiclass_summary(label, label, classes=names, scores=columns)
        >>> compute(rows)
        0.5
    """
    return top_k(summary, 2)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: a proportion, with two rows more on each side."""
    return top_k_error(summary, 2)


METRIC = PerformanceMetric(
    name="top_2_accuracy",
    title="Top-2 accuracy",
    compute=compute,
    standard_error=standard_error,
    error_method="binomial (Agresti-Coull)",
    tasks=MULTICLASS,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    symmetric=False,
    unit="share",
    needs_score=True,
    degenerate="undefined when no row has a score",
    source="sklearn.metrics.top_k_accuracy_score(k=2)",
)
