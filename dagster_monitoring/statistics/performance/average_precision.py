"""Average precision."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._ranking import macro_ranking
from dagster_monitoring.statistics.performance._scores import ScoreCounts
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """``sum((R_i - R_(i-1)) * P_i)`` over the distinct scores as cut-offs, from the highest.

    The area under the steps of the precision-recall curve, not under straight lines between its
    points. Several classes: the mean of each class against the rest.

    Returns:
        From 0 to 1, the positives' share for scores that tell nothing; ``Undefined`` when no
        row is scored, or a class has no positive or no negative label.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import binary_summary
        >>> label = np.array([False, True, False, True])
        >>> round(compute(binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))), 4)
        0.8333
    """
    return macro_ranking(summary, _area)


def _area(counts: ScoreCounts) -> float:
    positives = counts.positives[::-1].astype(np.float64)
    negatives = counts.negatives[::-1].astype(np.float64)
    found = np.cumsum(positives)
    precision = found / (found + np.cumsum(negatives))
    return min(float(np.dot(positives / found[-1], precision)), 1.0)


METRIC = PerformanceMetric(
    name="average_precision",
    title="Average precision",
    compute=compute,
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    unit="",
    needs_score=True,
    source="sklearn.metrics.average_precision_score(average='macro')",
)
