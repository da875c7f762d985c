"""Matthews correlation."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.performance._confusion import ClassTable, agreement
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._scores import Floats
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The correlation of true and predicted class; of several classes Gorodkin's R_K.

    ``(tp tn - fp fn) / sqrt((tp + fp) (tp + fn) (tn + fp) (tn + fn))`` for two classes.

    Returns:
        From -1 to 1, 0 for predictions that tell nothing; ``Undefined`` when all labels, or all
        predictions, are of one class.

    Example:
        >>> from dagster_monitoring.statistics.performance import BinarySummary
        >>> rows = BinarySummary(
        ...     n_labelled=9, true_negative=2, true_positive=3, false_positive=1, false_negative=3
        ... )
        >>> round(compute(rows), 4)
        0.1581
    """
    found = agreement(summary, _of_table)
    return found if isinstance(found, Undefined) else found[0]


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: the delta method on the confusion table."""
    found = agreement(summary, _of_table)
    return found if isinstance(found, Undefined) else found[1]


def _of_table(table: ClassTable) -> tuple[float, Floats] | Undefined:
    """The value, and its change for one row more in each cell."""
    chance = float(np.dot(table.true, table.predicted))
    n, hits = table.n, float(table.correct.sum())
    spread = (
        (n * n - float(np.dot(table.predicted, table.predicted))),
        (n * n - float(np.dot(table.true, table.true))),
    )
    if spread[0] <= 0 or spread[1] <= 0:
        return Undefined("all labels, or all predictions, are of one class")
    scale = math.sqrt(spread[0] * spread[1])
    value = (n * hits - chance) / scale
    sides = table.predicted[:, None] + table.true[None, :]
    slope = hits + n * np.eye(len(table.cells)) - sides
    widening = (n - table.predicted)[None, :] / spread[0] + (n - table.true)[:, None] / spread[1]
    return min(max(value, -1.0), 1.0), slope / scale - value * widening


METRIC = PerformanceMetric(
    name="mcc",
    title="Matthews correlation",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method on the confusion table",
    tasks=CLASSIFICATION,
    bounds=(-1.0, 1.0),
    higher_is_better=True,
    symmetric=True,
    unit="",
    needs_score=False,
    minimum_n=2,
    degenerate="undefined when all labels, or all predictions, are of one class",
    source="sklearn.metrics.matthews_corrcoef; Gorodkin (2004), Comput. Biol. Chem. 28",
    by_class=True,
)
