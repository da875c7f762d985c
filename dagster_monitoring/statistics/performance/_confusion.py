"""What metrics on predicted classes have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from dagster_monitoring.statistics.performance._binary import BinarySummary
from dagster_monitoring.statistics.performance._groups import Places
from dagster_monitoring.statistics.performance._scores import Counts, Floats
from dagster_monitoring.statistics.performance._spread import error_of_table
from dagster_monitoring.statistics.performance._summary import Summary, classified
from dagster_monitoring.statistics.undefined import Undefined

Average = Literal["macro", "micro", "weighted"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassTable:
    """Rows by true class (first axis) and predicted class, of the classes that are present.

    Attributes:
        cells: shape ``(K, K)``.
        judged: the classes that are averaged over: the positive one of two, all of several.
    """

    cells: Floats
    judged: Places
    correct: Floats = field(init=False)
    predicted: Floats = field(init=False)
    true: Floats = field(init=False)
    n: float = field(init=False)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "correct", np.diagonal(self.cells))
        set_(self, "predicted", self.cells.sum(axis=0))
        set_(self, "true", self.cells.sum(axis=1))
        set_(self, "n", float(self.cells.sum()))

    def smoothed(self) -> ClassTable:
        """The same with four rows more, spread evenly, so that no share is 0 or 1.

        Source: Agresti, Coull (1998), The American Statistician 52.
        """
        return ClassTable(cells=self.cells + 4.0 / self.cells.size, judged=self.judged)


def class_table(summary: Summary) -> ClassTable | Undefined:
    """The confusion table of a classifier; ``Undefined`` without labelled rows.

    Raises:
        TypeError: the summary of another task.
    """
    found = classified(summary)
    if isinstance(found, Undefined):
        return found
    if isinstance(found, BinarySummary):
        return ClassTable(cells=two_classes(found).astype(np.float64), judged=np.array([1]))
    table = found.confusion
    present = np.flatnonzero(table.sum(axis=0) + table.sum(axis=1))
    cells = table[np.ix_(present, present)].astype(np.float64)
    return ClassTable(cells=cells, judged=np.arange(len(present)))


def two_classes(summary: BinarySummary) -> Counts:
    """Negative, then positive; by true class, then by predicted one."""
    return np.array(
        [
            [summary.true_negative, summary.false_positive],
            [summary.false_negative, summary.true_positive],
        ],
        dtype=np.int64,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRatio:
    """A share of each class against the rest.

    Attributes:
        part: how often the numerator counts a class's correct rows, its predicted rows, its true
            rows, and all rows.
        whole: the same of the denominator.
        empty: the reason when no class has anything to divide by.
    """

    part: tuple[float, float, float, float]
    whole: tuple[float, float, float, float]
    empty: str

    def value(self, summary: Summary, average: Average = "macro") -> float | Undefined:
        """The share of the positive class of two; of several, averaged.

        ``macro``: the mean over the classes present; one that has nothing to divide by counts 0,
        as in scikit-learn. ``weighted``: the same, by true rows. ``micro``: numerators and
        denominators of the classes added up first.

        Raises:
            TypeError: the summary of another task.
        """
        table = class_table(summary)
        if isinstance(table, Undefined):
            return table
        part, whole = self._parts(table)
        if not whole.any():
            return Undefined(self.empty)
        return _averaged(_quotient(part, whole), part, whole, table, average)

    def error(self, summary: Summary, average: Average = "macro") -> float | Undefined:
        """The standard error of :meth:`value`: the delta method on the confusion table."""
        value = self.value(summary, average)
        table = class_table(summary)
        if isinstance(value, Undefined):
            return value
        if isinstance(table, Undefined):
            return table
        table = table.smoothed()
        part, whole = self._parts(table)
        share = _quotient(part, whole)
        if average == "micro":
            slopes = self._slopes(part.sum() / whole.sum(), whole.sum())
        elif average == "weighted":
            weight = table.true[table.judged] / table.true[table.judged].sum()
            slopes = self._slopes(share, whole) * weight
            centre = float(np.dot(weight, share))
            slopes[2] += (share - centre) / table.true[table.judged].sum()
        else:
            slopes = self._slopes(share, whole) / len(table.judged)
        return error_of_table(table.cells, _gradient(slopes, table))

    def _parts(self, table: ClassTable) -> tuple[Floats, Floats]:
        own = table.judged
        counts = np.stack(
            [table.correct[own], table.predicted[own], table.true[own], np.full(len(own), table.n)]
        )
        return np.array(self.part) @ counts, np.array(self.whole) @ counts

    def _slopes(self, share: Floats | float, whole: Floats | float) -> Floats:
        """The change of each share for one more of each count, shape ``(4, K)`` or ``(4, 1)``."""
        steps = np.subtract(np.array(self.part)[:, None], np.outer(self.whole, share))
        slopes: Floats = steps / whole
        return slopes


def _quotient(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _averaged(
    share: Floats, part: Floats, whole: Floats, table: ClassTable, average: Average
) -> float | Undefined:
    if average == "micro":
        return float(part.sum() / whole.sum())
    if average == "macro":
        return float(share.mean())
    weight = table.true[table.judged]
    if not weight.any():
        return Undefined("no label is of a class that is judged")
    return float(np.dot(weight, share) / weight.sum())


def _gradient(slopes: Floats, table: ClassTable) -> Floats:
    """What one more row in each cell changes, from what one more of each class's counts does."""
    size = len(table.cells)
    wide = np.zeros((4, size))
    wide[:, table.judged] = slopes
    correct, predicted, true, rows = wide
    gradient: Floats = np.diag(correct) + predicted[None, :] + true[:, None] + rows.sum()
    return gradient


def agreement(
    summary: Summary, of_table: Callable[[ClassTable], tuple[float, Floats] | Undefined]
) -> tuple[float, float] | Undefined:
    """A value of the whole table and its standard error, both from ``of_table``.

    Args:
        summary: of a classifier.
        of_table: gives the value, and its change for one row more in each cell.

    Raises:
        TypeError: the summary of another task.
    """
    table = class_table(summary)
    if isinstance(table, Undefined):
        return table
    found, around = of_table(table), of_table(table.smoothed())
    if isinstance(found, Undefined):
        return found
    if isinstance(around, Undefined):
        return around
    return found[0], error_of_table(table.smoothed().cells, around[1])
