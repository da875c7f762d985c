"""Log loss."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import (
    BinarySummary,
    MulticlassSummary,
    Summary,
)
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``-ln(probability given to the true class)``.

    Probabilities are clipped to 1e-15 from 0 and 1; those of several classes first sum to 1.

    Returns:
        From 0 to about 34.5 (always sure and always wrong), in nats; ``Undefined`` when no row
        is scored.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import binary_summary
        >>> label = np.array([False, True, False, True])
        >>> round(compute(binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))), 4)
        0.4389
    """
    if not isinstance(summary, BinarySummary | MulticlassSummary):
        raise TypeError("log loss is defined for classification")
    if not summary.n_scored:
        return Undefined("no labelled row has a score within 0..1")
    return summary.log_loss_sum / summary.n_scored


METRIC = PerformanceMetric(
    name="log_loss",
    title="Log loss",
    compute=compute,
    tasks=CLASSIFICATION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    unit="nats",
    needs_score=True,
    source="sklearn.metrics.log_loss, after clipping to [1e-15, 1 - 1e-15]",
)
