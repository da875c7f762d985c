"""ROC AUC."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.performance._cumulative import cumulative, weighed
from dagster_monitoring.statistics.performance._curve import macro_curve, macro_curve_error
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._scores import Floats, ScoreCounts
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
        >>> rows = binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))
        >>> compute(rows)
        0.875
    """
    return macro_curve(summary, _area)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`; several classes count as independent.

    Source: DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44, in its form for counts.
    """
    return macro_curve_error(summary, _spread)


def _area(counts: ScoreCounts) -> float:
    sums = cumulative(counts)
    won = weighed(sums.negatives_below, sums.positives)
    return won / (sums.n_positive * sums.n_negative)


def _spread(counts: ScoreCounts) -> float:
    """From how much of the other class each row beats."""
    sums, area = cumulative(counts), _area(counts)
    won = sums.negatives_below / sums.n_negative - area
    lost = sums.positives_below / sums.n_positive - (1 - area)
    return math.sqrt(
        _mean_variance(won, sums.positives, sums.n_positive)
        + _mean_variance(lost, sums.negatives, sums.n_negative)
    )


def _mean_variance(distance: Floats, rows: Floats, n: float) -> float:
    return weighed(np.square(distance), rows) / (n * max(n - 1, 1.0))


METRIC = PerformanceMetric(
    name="roc_auc",
    title="ROC AUC",
    compute=compute,
    standard_error=standard_error,
    error_method="DeLong; several classes as independent",
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    symmetric=False,
    unit="",
    needs_score=True,
    minimum_n=2,
    degenerate="undefined when a class has no positive or no negative label, or no row a score",
    source="sklearn.metrics.roc_auc_score(multi_class='ovr', average='macro')",
    by_class=True,
)
