"""ROC AUC."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._ranking import macro_ranking
from dagster_monitoring.statistics.performance._scores import ScoreCounts
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """How often a positive row scores above a negative one; a tie counts one half.

    Exact up to 2^20 distinct scores; beyond, scores are rounded to 13 bits and the result is off
    by at most half the share of pairs that then tie, 2e-5 for scores spread evenly over 0..1.
    Several classes: the mean of each class against the rest.

    Returns:
        From 0 to 1, 0.5 for scores that tell nothing; ``Undefined`` when no row is scored, or
        a class has no positive or no negative label.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import binary_summary
        >>> label = np.array([False, True, False, True])
        >>> compute(binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8])))
        0.875
    """
    return macro_ranking(summary, _area)


def _area(counts: ScoreCounts) -> float:
    positives = counts.positives.astype(np.float64)
    negatives = counts.negatives.astype(np.float64)
    below = np.cumsum(negatives) - negatives
    won = float(np.dot(positives, below + negatives / 2))
    return won / (float(positives.sum()) * float(negatives.sum()))


METRIC = PerformanceMetric(
    name="roc_auc",
    title="ROC AUC",
    compute=compute,
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    unit="",
    needs_score=True,
    source="sklearn.metrics.roc_auc_score(multi_class='ovr', average='macro')",
)
