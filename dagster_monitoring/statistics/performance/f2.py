"""F2."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._confusion import f_beta
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The F-beta score that weighs recall twice: ``5 tp / (5 tp + 4 fn + fp)``.

    Several classes: the mean over the classes present (scikit-learn's macro average).

    Returns:
        From 0 to 1; ``Undefined`` without labelled rows, or when no label is positive and no
        prediction either.

    Example:
        >>> from dagster_monitoring.statistics.performance import BinarySummary
        >>> rows = BinarySummary(n_labelled=9, true_positive=3, false_positive=1, false_negative=3)
        >>> compute(rows)
        0.5357142857142857
    """
    return f_beta(summary, beta=2.0)


METRIC = PerformanceMetric(
    name="f2",
    title="F2",
    compute=compute,
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    unit="",
    needs_score=False,
    source="sklearn.metrics.fbeta_score(beta=2, average='macro', zero_division=0)",
)
