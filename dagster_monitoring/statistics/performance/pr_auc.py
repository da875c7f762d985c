"""Area under the precision-recall curve."""

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
    """The area below straight lines between the points of the precision-recall curve.

    The trapezoidal rule over recall, from the point of recall 0 and precision 1. Straight lines
    between points can't be reached by any cut-off, so that this is kinder than
    :mod:`.average_precision`, the area under the curve's steps: by much where positives are few
    or scores tie. Several classes: the mean of each class against the rest.

    Returns:
        From 0 to 1; ``Undefined`` when no row is scored, or a class has no positive or no
        negative label.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import binary_summary
        >>> label = np.array([False, True, False, True])
        >>> rows = binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))
        >>> round(compute(rows), 4)
        0.9167
    """
    return macro_curve(summary, _area)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`, by the delta method; several classes count as independent.

    What one more row at each score would change is known in closed form.
    """
    return macro_curve_error(summary, _spread)


def _area(counts: ScoreCounts) -> float:
    sums = cumulative(counts)
    return weighed(_height(sums.precision), sums.positives) / sums.n_positive


def _spread(counts: ScoreCounts) -> float:
    sums = cumulative(counts)
    height = _height(sums.precision)
    value = weighed(height, sums.positives) / sums.n_positive
    # A point of the curve bounds two trapezia, its own and that of the next score below.
    touching = (sums.positives + np.concatenate(([0.0], sums.positives[:-1]))) / 2
    share = touching / sums.rows
    lost = share * sums.precision
    # A row counts at its own score and at all below.
    by_positive = height - value + np.cumsum(share - lost)
    by_negative = np.cumsum(lost)
    variance = weighed(np.square(by_positive), sums.positives) + weighed(
        np.square(by_negative), sums.negatives
    )
    return math.sqrt(variance) / sums.n_positive


def _height(precision: Floats) -> Floats:
    """The mean of the precision at each point and at that of the next score above."""
    above: Floats = np.append(precision[1:], 1.0)
    return (precision + above) / 2


METRIC = PerformanceMetric(
    name="pr_auc",
    title="PR AUC",
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
    source="sklearn.metrics.auc of precision_recall_curve; Davis, Goadrich (2006)",
    by_class=True,
)
