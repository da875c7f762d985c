"""What metrics on predicted classes have in common."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dagster_monitoring.statistics.performance._scores import Floats
from dagster_monitoring.statistics.performance._summary import (
    BinarySummary,
    MulticlassSummary,
    Summary,
)
from dagster_monitoring.statistics.undefined import Undefined


class ClassCells(NamedTuple):
    """Rows a class, as floats: the positive class of two, or each class that is present."""

    true_positive: Floats
    false_positive: Floats
    false_negative: Floats


def class_cells(summary: Summary) -> ClassCells | Undefined:
    """The cells of each class against the rest.

    Of several classes, those that no label and no prediction has are left out.

    Raises:
        TypeError: the summary of a regression.
    """
    if not isinstance(summary, BinarySummary | MulticlassSummary):
        raise TypeError("this metric is defined for classification")
    if not summary.n_labelled:
        return Undefined("no labelled rows")
    if isinstance(summary, BinarySummary):
        return ClassCells(
            np.array([summary.true_positive], dtype=np.float64),
            np.array([summary.false_positive], dtype=np.float64),
            np.array([summary.false_negative], dtype=np.float64),
        )
    table = summary.confusion.astype(np.float64)
    hits, predicted, true = np.diagonal(table), table.sum(axis=0), table.sum(axis=1)
    present = (predicted + true) > 0
    return ClassCells(hits[present], (predicted - hits)[present], (true - hits)[present])


def macro_ratio(part: Floats, whole: Floats, *, empty: str) -> float | Undefined:
    """The mean over classes of ``part / whole``.

    One class: ``Undefined`` when ``whole`` is 0. Several: such a class counts 0, as in
    scikit-learn (a class that is never predicted has earned no precision).

    Args:
        part: shape ``(classes,)``.
        whole: shape ``(classes,)``.
        empty: the reason when there is nothing to divide by.
    """
    if not whole.any():
        return Undefined(empty)
    return float(np.mean(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)))


def f_beta(summary: Summary, *, beta: float) -> float | Undefined:
    """``(1 + beta^2) tp / ((1 + beta^2) tp + beta^2 fn + fp)``, averaged over classes."""
    cells = class_cells(summary)
    if isinstance(cells, Undefined):
        return cells
    weight = beta * beta
    part = (1 + weight) * cells.true_positive
    whole = part + weight * cells.false_negative + cells.false_positive
    return macro_ratio(part, whole, empty="no positive label and none predicted")
