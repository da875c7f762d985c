"""Accuracy."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import (
    BinarySummary,
    MulticlassSummary,
    Summary,
)
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The share of labelled rows whose predicted class is the true one.

    Returns:
        From 0 to 1; ``Undefined`` without labelled rows.

    Example:
        >>> compute(BinarySummary(n_labelled=4, true_positive=2, true_negative=1, false_negative=1))
        0.75
    """
    if isinstance(summary, BinarySummary):
        hits = summary.true_positive + summary.true_negative
    elif isinstance(summary, MulticlassSummary):
        hits = int(np.trace(summary.confusion))
    else:
        raise TypeError("accuracy is defined for classification")
    if not summary.n_labelled:
        return Undefined("no labelled rows")
    return hits / summary.n_labelled


METRIC = PerformanceMetric(
    name="accuracy",
    title="Accuracy",
    compute=compute,
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    unit="share",
    needs_score=False,
    source="sklearn.metrics.accuracy_score",
)
