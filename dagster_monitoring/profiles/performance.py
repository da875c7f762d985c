"""One pass over a slice's predictions with the labels there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.profiles.bins import OTHER
from dagster_monitoring.profiles.gathering import gather
from dagster_monitoring.profiles.labels import (
    LabelIndex,
    Places,
    class_names,
    is_class,
    read_values,
)
from dagster_monitoring.profiles.names import NameCounts, short
from dagster_monitoring.profiles.performance_profile import (
    PerformanceProfile,
    SegmentPerformance,
    empty_summary,
)
from dagster_monitoring.profiles.reading import Bools, Floats
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Regression,
    Task,
)
from dagster_monitoring.statistics.performance import (
    Summary,
    binary_summary,
    multiclass_summary,
    regression_summary,
)

__all__ = ["PerformanceProfile", "SegmentPerformance", "scan_performance", "score_columns"]

_ROWS = 1 << 18
"""Rows that are summarised at a time: scores are sorted, and sorting few is dear."""


def scan_performance(
    batches: Iterable[pa.RecordBatch],
    *,
    labels: pa.Table | None,
    columns: Columns,
    task: Task,
    segments: Mapping[str, tuple[str, ...]] | None = None,
) -> PerformanceProfile:
    """The performance profile of a slice: its predictions joined with their labels.

    A row whose prediction is missing, or is of a type that is none, is counted and left out of
    the summary; so is a regression's label that is no number.

    Args:
        batches: the slice's rows, with id, prediction, scores and segment columns.
        labels: ``prediction_id`` and ``label``, one row an id, and ``available_at`` if known.
            ``None``: the rows carry the label themselves, in the task's label column.
        columns: the roles of the columns.
        task: what is predicted.
        segments: the values counted apart by segment column; others are ``<other>``.

    Raises:
        SchemaMismatchError: the table of labels lacks a column.
    """
    run = _Run(task, columns, dict(segments or {}), None if labels is None else LabelIndex(labels))
    names = {columns.id, task.prediction, *score_columns(task).values(), *run.segments}
    names |= set() if labels is not None else {task.label}
    for batch in gather(batches, rows=_ROWS, names=names):
        run.add(dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows)
    return run.profile()


def score_columns(task: Task) -> dict[str, str]:
    """Score columns by class; a binary task's only one by the name of its positive class."""
    if isinstance(task, BinaryClassification):
        return {str(task.positive): task.score} if task.score else {}
    return dict(task.scores) if isinstance(task, MulticlassClassification) else {}


@dataclass(frozen=True, slots=True, eq=False)
class _Classes:
    """Classes by row; ``place`` is -1 where there is none."""

    names: list[str]
    place: Places

    @property
    def known(self) -> Bools:
        return np.asarray(self.place >= 0)

    def tally(self) -> NameCounts:
        counts = np.bincount(self.place + 1, minlength=len(self.names) + 1)[1:].tolist()
        return NameCounts.of({short(n): c for n, c in zip(self.names, counts, strict=True) if c})


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """Numbers by row; not finite where there is none."""

    values: Floats

    @property
    def known(self) -> Bools:
        return np.asarray(np.isfinite(self.values))

    def tally(self) -> NameCounts:
        return NameCounts()


class _Run:
    """The state of one pass."""

    def __init__(
        self,
        task: Task,
        columns: Columns,
        segments: Mapping[str, tuple[str, ...]],
        index: LabelIndex | None,
    ) -> None:
        self.segments = {c: (*values, OTHER) for c, values in segments.items()}
        self._task, self._columns, self._index = task, columns, index
        self._total = SegmentPerformance(n=0, n_labelled=0, summary=empty_summary(task))
        self._parts = {f"{c}={v}": self._total for c, own in self.segments.items() for v in own}
        self._n_without_prediction = 0
        self._predictions, self._labels = NameCounts(), NameCounts()
        self._span: tuple[datetime, datetime] | None = None
        self._centre: float | None = None

    def add(self, arrays: Mapping[str, pa.Array], rows: int) -> None:
        """Add one batch."""
        label = self._find_labels(arrays, rows)
        truth = _read(label, self._task)
        guess = _read(arrays.get(self._task.prediction, pa.nulls(rows)), self._task)
        labelled = np.asarray(label.is_valid().to_numpy(zero_copy_only=False))
        batch = _Batch(self._task, truth, guess, self._read_scores(arrays), self._centre_of(truth))
        self._n_without_prediction += rows - int(guess.known.sum())
        self._predictions += guess.tally()
        self._labels += truth.tally()
        everyone = np.arange(rows)
        self._total += _part(batch, labelled, everyone)
        for column, values in self.segments.items():
            place = _segment_places(arrays.get(column), values, rows)
            order = np.argsort(place, kind="stable")
            ends = np.cumsum(np.bincount(place, minlength=len(values)))
            for value, own in zip(values, np.split(order, ends[:-1]), strict=True):
                if len(own):
                    self._parts[f"{column}={value}"] += _part(batch, labelled, own)

    def profile(self) -> PerformanceProfile:
        """What was added."""
        first, last = self._span or (None, None)
        return PerformanceProfile(
            summary=self._total.summary,
            n=self._total.n,
            n_labelled=self._total.n_labelled,
            n_without_prediction=self._n_without_prediction,
            segments=self._parts,
            predictions=self._predictions,
            labels=self._labels,
            first_available_at=first,
            last_available_at=last,
        )

    def _find_labels(self, arrays: Mapping[str, pa.Array], rows: int) -> pa.Array:
        if self._index is None:
            return arrays.get(self._task.label, pa.nulls(rows))
        ids = arrays.get(self._columns.id)
        if ids is None:
            return pa.nulls(rows)
        at = self._index.find(ids)
        found = at[at >= 0]
        span = self._index.available(found)
        if span:
            before = self._span or span
            self._span = (min(before[0], span[0]), max(before[1], span[1]))
        return self._index.label.take(pa.array(at, mask=at < 0))

    def _read_scores(self, arrays: Mapping[str, pa.Array]) -> dict[str, Floats]:
        """Scores by class; none at all unless every class's column is there."""
        wanted = score_columns(self._task)
        if not all(name in arrays for name in wanted.values()):
            return {}
        return {label: read_values(arrays[name]) for label, name in wanted.items()}

    def _centre_of(self, truth: _Classes | _Values) -> float:
        """The first label there is: what label sums of the whole slice are centred on."""
        if self._centre is None and isinstance(truth, _Values) and truth.known.any():
            self._centre = float(truth.values[truth.known][0])
        return self._centre or 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """A batch's labels, predictions and scores by row."""

    task: Task
    truth: _Classes | _Values
    guess: _Classes | _Values
    scores: Mapping[str, Floats]
    centre: float

    def summary(self, rows: Places) -> Summary:
        """The summary of rows that have both a label and a prediction."""
        truth, guess = self.truth, self.guess
        if isinstance(truth, _Values) and isinstance(guess, _Values):
            return regression_summary(truth.values[rows], guess.values[rows], centre=self.centre)
        if not (isinstance(truth, _Classes) and isinstance(guess, _Classes)):
            raise TypeError("labels and predictions are read in the same way")
        scores = {label: values[rows] for label, values in self.scores.items()}
        if isinstance(self.task, BinaryClassification):
            positive = self.task.positive
            return binary_summary(
                _flags(truth, positive)[truth.place[rows]],
                _flags(guess, positive)[guess.place[rows]],
                next(iter(scores.values()), None),
            )
        classes = sorted({*truth.names, *guess.names, *scores})
        return multiclass_summary(
            _among(truth, classes)[truth.place[rows]],
            _among(guess, classes)[guess.place[rows]],
            classes=classes,
            scores=scores or None,
        )


def _part(batch: _Batch, labelled: Bools, rows: Places) -> SegmentPerformance:
    usable = labelled[rows] & batch.truth.known[rows] & batch.guess.known[rows]
    return SegmentPerformance(
        n=len(rows), n_labelled=int(labelled[rows].sum()), summary=batch.summary(rows[usable])
    )


def _read(array: pa.Array, task: Task) -> _Classes | _Values:
    if isinstance(task, Regression):
        return _Values(read_values(array))
    names, place = class_names(array)
    return _Classes(names, place)


def _flags(classes: _Classes, positive: int | str | bool) -> Bools:  # noqa: FBT001 - a label
    return np.array([is_class(name, positive) for name in classes.names], dtype=np.bool_)


def _among(classes: _Classes, union: list[str]) -> npt.NDArray[np.int64]:
    place = {name: i for i, name in enumerate(union)}
    return np.array([place[name] for name in classes.names], dtype=np.int64)


def _segment_places(array: pa.Array | None, values: tuple[str, ...], rows: int) -> Places:
    """The place of each row's segment in ``values``, whose last is all others."""
    other = len(values) - 1
    if array is None:
        return np.full(rows, other, dtype=np.intp)
    names, place = class_names(array, whole=False)
    own = {value: i for i, value in enumerate(values)}
    mapping = np.array([*(own.get(short(n), other) for n in names), other], dtype=np.intp)
    found: Places = mapping[place]
    return found
