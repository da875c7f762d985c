"""Balanced accuracy."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.performance._confusion import class_table
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._scores import Floats
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined

_FEWEST = 2


def compute(summary: Summary) -> float | Undefined:
    """The mean over the true classes of the share of their rows that is predicted so.

    Two classes: the mean of recall and specificity. Unlike accuracy it does not rise by always
    saying the commonest class.

    Returns:
        From 0 to 1, one over the number of classes for predictions that tell nothing;
        ``Undefined`` when the labels are of fewer than two classes.

    Example:
        >>> from dagster_monitoring.statistics.performance import BinarySummary
        >>> rows = BinarySummary(
        ...     n_labelled=9, true_negative=2, true_positive=3, false_positive=1, false_negative=3
        ... )
        >>> round(compute(rows), 4)
        0.5833
    """
    found = _hits(summary)
    return found if isinstance(found, Undefined) else float(np.mean(found[0] / found[1]))


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: independent proportions, two rows more on each side.

    Source: Agresti, Coull (1998), The American Statistician 52.
    """
    found = _hits(summary)
    if isinstance(found, Undefined):
        return found
    share, rows = (found[0] + 2) / (found[1] + 4), found[1] + 4
    return float(np.sqrt(np.sum(share * (1 - share) / rows))) / len(rows)


def _hits(summary: Summary) -> tuple[Floats, Floats] | Undefined:
    """Correct rows and all rows of each true class."""
    table = class_table(summary)
    if isinstance(table, Undefined):
        return table
    there = table.true > 0
    if there.sum() < _FEWEST:
        return Undefined("labels of one class only")
    return table.correct[there], table.true[there]


METRIC = PerformanceMetric(
    name="balanced_accuracy",
    title="Balanced accuracy",
    compute=compute,
    standard_error=standard_error,
    error_method="independent proportions",
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    symmetric=False,
    unit="share",
    needs_score=False,
    minimum_n=2,
    degenerate="undefined when all labels are of one class",
    source="sklearn.metrics.balanced_accuracy_score; Brodersen et al. (2010)",
)
