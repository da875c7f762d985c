"""Precision."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._confusion import class_cells, macro_ratio
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """Of the rows predicted positive, the share that is: ``tp / (tp + fp)``.

    Several classes: the mean over the classes present, where a class that is never predicted
    counts 0 (scikit-learn's macro average).

    Returns:
        From 0 to 1; ``Undefined`` without labelled rows, or when nothing is predicted positive.

    Example:
        >>> from dagster_monitoring.statistics.performance import BinarySummary
        >>> rows = BinarySummary(n_labelled=9, true_positive=3, false_positive=1, false_negative=3)
        >>> compute(rows)
        0.75
    """
    cells = class_cells(summary)
    if isinstance(cells, Undefined):
        return cells
    predicted = cells.true_positive + cells.false_positive
    return macro_ratio(cells.true_positive, predicted, empty="no row is predicted positive")


METRIC = PerformanceMetric(
    name="precision",
    title="Precision",
    compute=compute,
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    unit="share",
    needs_score=False,
    source="sklearn.metrics.precision_score(average='macro', zero_division=0)",
)
