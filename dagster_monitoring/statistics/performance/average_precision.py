"""Average precision."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.performance._cumulative import cumulative, weighed
from dagster_monitoring.statistics.performance._curve import macro_curve, macro_curve_error
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
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
        >>> rows = binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))
        >>> round(compute(rows), 4)
        0.8333
    """
    return macro_curve(summary, _area)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`, by the delta method; several classes count as independent.

    What one more row at each score would change is known in closed form.
    """
    return macro_curve_error(summary, _spread)


def _area(counts: ScoreCounts) -> float:
    sums = cumulative(counts)
    return weighed(sums.precision, sums.positives) / sums.n_positive


def _spread(counts: ScoreCounts) -> float:
    sums = cumulative(counts)
    value = weighed(sums.precision, sums.positives) / sums.n_positive
    share = sums.positives / sums.rows
    lost = share * sums.precision
    # A row counts at its own score and at all below.
    by_positive = sums.precision - value + np.cumsum(share - lost)
    by_negative = np.cumsum(lost)
    variance = weighed(np.square(by_positive), sums.positives) + weighed(
        np.square(by_negative), sums.negatives
    )
    return math.sqrt(variance) / sums.n_positive


METRIC = PerformanceMetric(
    name="average_precision",
    title="Average precision",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method; several classes as independent",
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    symmetric=False,
    unit="",
    needs_score=True,
    minimum_n=2,
    degenerate="undefined when a class has no positive or no negative label, or no row a score",
    source="sklearn.metrics.average_precision_score(average='macro')",
    by_class=True,
)
