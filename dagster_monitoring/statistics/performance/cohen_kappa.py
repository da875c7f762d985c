"""Cohen's kappa."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.performance._confusion import ClassTable, agreement
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._scores import Floats
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """Agreement of truth and prediction beyond chance: ``(p_o - p_e) / (1 - p_e)``.

    ``p_o`` is the accuracy, ``p_e`` what predictions drawn with the same shares would reach.

    Returns:
        From -1 to 1, 0 for predictions that tell nothing; ``Undefined`` when labels and
        predictions are all of one and the same class.

    Example:
        >>> from dagster_monitoring.statistics.performance import BinarySummary
        >>> rows = BinarySummary(
        ...     n_labelled=9, true_negative=2, true_positive=3, false_positive=1, false_negative=3
        ... )
        >>> round(compute(rows), 4)
        0.1429
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
    scale = n * n - chance
    if scale <= 0:
        return Undefined("all labels and all predictions are of one class")
    value = (n * hits - chance) / scale
    sides = table.predicted[:, None] + table.true[None, :]
    slope = hits + n * np.eye(len(table.cells)) - sides
    return value, (slope - value * (2 * n - sides)) / scale


METRIC = PerformanceMetric(
    name="cohen_kappa",
    title="Cohen's kappa",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method on the confusion table",
    tasks=CLASSIFICATION,
    bounds=(-1.0, 1.0),
    higher_is_better=True,
    symmetric=True,
    unit="",
    needs_score=False,
    degenerate="undefined when labels and predictions are all of one class",
    source="sklearn.metrics.cohen_kappa_score; Cohen (1960)",
    by_class=True,
)
