"""A batch's labels, predictions and scores, row by row, ready to be summed by group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.arrays import is_null
from dagster_monitoring.profiles.labels import Places, class_names, is_class, read_values
from dagster_monitoring.profiles.names import NameCounts, short
from dagster_monitoring.profiles.reading import Bools, Floats, WrongType, hash_ids
from dagster_monitoring.schema import (
    BinaryClassification,
    MulticlassClassification,
    Ranking,
    Regression,
    Task,
)
from dagster_monitoring.statistics.performance import (
    BinaryRows,
    MulticlassRows,
    RankingSummary,
    RegressionRows,
    ranking_summary,
)

Scalar = TypeVar("Scalar", bound=np.generic)

_SMALL_RANGE = 1 << 12
"""Integers no farther apart are told apart by counting, which is faster than by hashing."""


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Classes by row; ``place`` is -1 where there is none."""

    names: list[str]
    place: Places

    @property
    def known(self) -> Bools:
        """Which rows have one."""
        return np.asarray(self.place >= 0)

    def tally(self) -> NameCounts:
        """Rows by class."""
        counts = np.bincount(kept(self.place, self.known), minlength=len(self.names)).tolist()
        return NameCounts.of({short(n): c for n, c in zip(self.names, counts, strict=True) if c})


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Numbers by row; not finite where there is none."""

    values: Floats

    @property
    def known(self) -> Bools:
        """Which rows have one."""
        return np.asarray(np.isfinite(self.values))

    def tally(self) -> NameCounts:
        """Nothing: numbers are not counted by name."""
        return NameCounts()


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Ranked rows that have a query, a score and a label of at least 0.

    Attributes:
        query: the hash of each row's query.
        label: relevance by row.
        score: by row.
        known: which rows of the batch these are.
    """

    query: npt.NDArray[np.uint64]
    label: Floats
    score: Floats
    known: Bools

    def by_group(self, group: Places, size: int, *, k: int) -> list[RankingSummary]:
        """The summary of each of ``size`` groups of rows, from each row's group."""
        order = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group, minlength=size))
        return [
            ranking_summary(self.query[own], self.label[own], self.score[own], k=k)
            for own in np.split(order, ends[:-1])
        ]


Summable = BinaryRows | MulticlassRows | RegressionRows


def read_outputs(array: pa.Array, task: Task) -> Classes | Values:
    """Labels or predictions as the task has them: classes or numbers."""
    if isinstance(task, Regression | Ranking):
        return Values(read_values(array))
    few = _few_integers(array)
    return few or Classes(*class_names(array))


def summable(
    task: Task,
    truth: Classes | Values,
    guess: Classes | Values,
    scores: Mapping[str, Floats],
    usable: Bools,
) -> Summable:
    """Rows that have both a label and a prediction, of any task but a ranking.

    Args:
        task: what is predicted.
        truth: labels by row.
        guess: predictions by row.
        scores: scores by class and row.
        usable: which rows have both.

    Raises:
        TypeError: labels and predictions were not read for this task.
    """
    if isinstance(truth, Values) and isinstance(guess, Values):
        return RegressionRows(kept(truth.values, usable), kept(guess.values, usable))
    if not (isinstance(truth, Classes) and isinstance(guess, Classes)):
        raise TypeError("labels and predictions are read in the same way")
    label, prediction = kept(truth.place, usable), kept(guess.place, usable)
    given = {name: kept(values, usable) for name, values in scores.items()}
    if isinstance(task, BinaryClassification):
        return BinaryRows(
            _flags(truth, task)[label],
            _flags(guess, task)[prediction],
            next(iter(given.values()), None),
        )
    classes = sorted({short(name) for name in (*truth.names, *guess.names, *given)})
    return MulticlassRows(
        _among(truth, classes)[label],
        _among(guess, classes)[prediction],
        classes=classes,
        scores={short(name): values for name, values in given.items()} or None,
    )


def read_queries(
    array: pa.Array | None, truth: Classes | Values, guess: Classes | Values
) -> Queries:
    """Ranked rows; a query is known by the hash of its text.

    Raises:
        TypeError: labels and predictions were not read for a ranking.
    """
    if not (isinstance(truth, Values) and isinstance(guess, Values)):
        raise TypeError("labels and scores of a ranking are numbers")
    query = np.zeros(len(truth.values), dtype=np.uint64)
    known = np.zeros(len(query), dtype=np.bool_)
    if array is not None and not isinstance(hashes := hash_ids(array), WrongType):
        there = ~is_null(array)
        query[there] = hashes
        known = there & truth.known & guess.known & (truth.values >= 0)
    return Queries(query[known], truth.values[known], guess.values[known], known)


def join_queries(parts: Iterable[Queries]) -> Queries:
    """The rows of several batches as of one."""
    held = [*parts]
    return Queries(
        np.concatenate([part.query for part in held]),
        np.concatenate([part.label for part in held]),
        np.concatenate([part.score for part in held]),
        np.concatenate([part.known for part in held]),
    )


def score_columns(task: Task) -> dict[str, str]:
    """Score columns by class; a binary task's only one by the name of its positive class."""
    if isinstance(task, BinaryClassification):
        return {str(task.positive): task.score} if task.score else {}
    return dict(task.scores) if isinstance(task, MulticlassClassification) else {}


def output_columns(task: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Numeric and categorical columns that the model itself gives: scores and prediction.

    Example:
        >>> output_columns(BinaryClassification(label="y", prediction="p", score="s"))
        (('s',), ('p',))
    """
    if isinstance(task, Regression | Ranking):
        return (task.prediction,), ()
    return tuple(score_columns(task).values()), (task.prediction,)


def joined_columns(task: Task) -> tuple[str, ...]:
    """The columns of a slice that its rows are judged by, labels and the id apart."""
    group = (task.group,) if isinstance(task, Ranking) else ()
    return (task.prediction, *score_columns(task).values(), *group)


def kept(values: npt.NDArray[Scalar], usable: Bools) -> npt.NDArray[Scalar]:
    """The usable rows, without a copy where all are."""
    return values if usable.all() else values[usable]


def _few_integers(array: pa.Array) -> Classes | None:
    """What :func:`class_names` gives, sooner; ``None`` unless all are integers in a small range."""
    if not pa.types.is_integer(array.type) or array.null_count or not len(array):
        return None
    values = array.to_numpy()
    low, high = int(values.min()), int(values.max())
    if high - low >= _SMALL_RANGE or high > np.iinfo(np.int64).max:
        return None
    offset = values.astype(np.intp, copy=False)
    offset = offset - low if low else offset
    there = np.flatnonzero(np.bincount(offset)).tolist()
    names = sorted(str(low + at) for at in there)
    if [int(name) - low for name in names] == [*range(len(names))]:
        return Classes(names, offset)
    place = np.zeros(high - low + 1, dtype=np.intp)
    place[[int(name) - low for name in names]] = np.arange(len(names))
    return Classes(names, place[offset])


def _flags(classes: Classes, task: BinaryClassification) -> Bools:
    return np.array([is_class(name, task.positive) for name in classes.names], dtype=np.bool_)


def _among(classes: Classes, union: list[str]) -> npt.NDArray[np.int64]:
    place = {name: i for i, name in enumerate(union)}
    return np.array([place[short(name)] for name in classes.names], dtype=np.int64)
