"""F1."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._confusion import f_beta
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The harmonic mean of precision and recall: ``2 tp / (2 tp + fp + fn)``.

    Several classes: the mean over the classes present (scikit-learn's macro average).

    Returns:
        From 0 to 1; ``Undefined`` without labelled rows, or when no label is positive and no
        prediction either.

    Example:
        >>> from dagster_monitoring.statistics.performance import BinarySummary
        >>> rows = BinarySummary(n_labelled=9, true_positive=3, false_positive=1, false_negative=3)
        >>> compute(rows)
        0.6
    """
    return f_beta(summary, beta=1.0)


METRIC = PerformanceMetric(
    name="f1",
    title="F1",
    compute=compute,
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    unit="",
    needs_score=False,
    source="sklearn.metrics.f1_score(average='macro', zero_division=0)",
)
