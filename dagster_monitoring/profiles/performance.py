"""One pass over a slice's predictions with the labels there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.arrays import is_null
from dagster_monitoring.profiles.arriving import lateness
from dagster_monitoring.profiles.bins import OTHER
from dagster_monitoring.profiles.delays import Arrivals
from dagster_monitoring.profiles.gathering import gather
from dagster_monitoring.profiles.labels import LabelIndex, Places, class_names, read_values
from dagster_monitoring.profiles.names import NameCounts, short
from dagster_monitoring.profiles.performance_profile import (
    PerformanceProfile,
    SegmentPerformance,
    add_summaries,
    empty_summary,
)
from dagster_monitoring.profiles.predictions import (
    Classes,
    Queries,
    Summable,
    Values,
    join_queries,
    joined_columns,
    kept,
    read_outputs,
    read_queries,
    score_columns,
    summable,
)
from dagster_monitoring.profiles.reading import Bools, Floats
from dagster_monitoring.schema import Columns, Ranking, Task
from dagster_monitoring.statistics.performance import RegressionRows, Summary

__all__ = ["PerformanceProfile", "SegmentPerformance", "scan_performance", "score_columns"]

_CELLS = 1 << 20
"""Rows times score columns that are summed at a time: merging what was sorted is dear."""

_FEWEST_ROWS = 1 << 15


def scan_performance(
    batches: Iterable[pa.RecordBatch],
    *,
    labels: pa.Table | None,
    columns: Columns,
    task: Task,
    segments: Mapping[str, tuple[str, ...]] | None = None,
    end: datetime | None = None,
) -> PerformanceProfile:
    """The performance profile of a slice: its predictions joined with their labels.

    A row whose prediction is missing, or is of a type that is none, is counted and left out of
    the summary; so is a regression's label that is no number. A ranking's rows are held (40 bytes
    each) until the slice ends, since a query may lie in several batches.

    Args:
        batches: the slice's rows, with id, prediction, scores, query and segment columns.
        labels: ``prediction_id`` and ``label``, one row an id, and ``available_at`` if known.
            ``None``: the rows carry the label themselves, in the task's label column.
        columns: the roles of the columns.
        task: what is predicted.
        segments: the values counted apart by segment column; others are ``<other>``.
        end: the slice's end, with a time zone, which ages of labels count from.

    Raises:
        SchemaMismatchError: the table of labels lacks a column.
    """
    index = None if labels is None else LabelIndex(labels)
    run = _Run(task, columns, dict(segments or {}), index, end)
    keys = {task.label} if labels is None else {columns.id, columns.timestamp}
    names = {*joined_columns(task), *run.segments, *keys}
    rows = max(_CELLS // max(len(score_columns(task)), 1), _FEWEST_ROWS)
    # Arithmetic with a signalling NaN, as R's NA is, would warn.
    with np.errstate(invalid="ignore"):
        for batch in gather(batches, rows=rows, names=names):
            run.add(dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows)
        return run.profile()


class _Run:
    """The state of one pass."""

    def __init__(
        self,
        task: Task,
        columns: Columns,
        segments: Mapping[str, tuple[str, ...]],
        index: LabelIndex | None,
        end: datetime | None,
    ) -> None:
        self._end = end
        self._arrivals = Arrivals()
        self.segments = {c: (*values, OTHER) for c, values in segments.items()}
        self._task, self._columns, self._index = task, columns, index
        self._total = SegmentPerformance(n=0, n_labelled=0, summary=empty_summary(task))
        self._parts = {f"{c}={v}": self._total for c, own in self.segments.items() for v in own}
        self._n_without_prediction = 0
        self._predictions, self._labels = NameCounts(), NameCounts()
        self._span: tuple[datetime, datetime] | None = None
        self._ranked: list[tuple[Queries, list[Places]]] = []

    def add(self, arrays: Mapping[str, pa.Array], rows: int) -> None:
        """Add one batch."""
        label, available = self._find_labels(arrays, rows)
        truth = read_outputs(label, self._task)
        guess = read_outputs(arrays.get(self._task.prediction, pa.nulls(rows)), self._task)
        labelled = ~is_null(label)
        self._n_without_prediction += rows - int(guess.known.sum())
        self._predictions += guess.tally()
        self._labels += truth.tally()
        places = [_segment_places(arrays.get(c), v, rows) for c, v in self.segments.items()]
        by_column = [[empty_summary(self._task)] * len(v) for v in self.segments.values()]
        total = empty_summary(self._task)
        if isinstance(self._task, Ranking):
            ranked = read_queries(arrays.get(self._task.group), truth, guess)
            self._ranked.append((ranked, [place[ranked.known] for place in places]))
        else:
            usable = labelled & truth.known & guess.known
            ready = summable(self._task, truth, guess, self._read_scores(arrays), usable)
            by_column = [
                [*ready.by_group(kept(place, usable), len(values))]
                for place, values in zip(places, self.segments.values(), strict=True)
            ]
            total = _total(ready, by_column, int(usable.sum()))
        self._count(labelled, places, total, by_column)
        if available is not None:
            self._add_delays(available, arrays.get(self._columns.timestamp), truth, places)

    def profile(self) -> PerformanceProfile:
        """What was added."""
        first, last = self._span or (None, None)
        self._add_ranked()
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
            delays=self._total.delays,
            arrivals=self._arrivals,
        )

    def _count(
        self,
        labelled: Bools,
        places: Sequence[Places],
        total: Summary,
        by_column: Sequence[Sequence[Summary]],
    ) -> None:
        self._total += SegmentPerformance(
            n=len(labelled), n_labelled=int(labelled.sum()), summary=total
        )
        for (column, values), place, summaries in zip(
            self.segments.items(), places, by_column, strict=True
        ):
            rows = np.bincount(place, minlength=len(values)).tolist()
            known = np.bincount(place[labelled], minlength=len(values)).tolist()
            for value, n, n_labelled, own in zip(values, rows, known, summaries, strict=True):
                if n:
                    self._parts[f"{column}={value}"] += SegmentPerformance(
                        n=n, n_labelled=n_labelled, summary=own
                    )

    def _add_ranked(self) -> None:
        """Add ranked rows, now that every query is whole."""
        if not (self._ranked and isinstance(self._task, Ranking)):
            return
        rows = join_queries(queries for queries, _ in self._ranked)
        places = [np.concatenate(own) for own in zip(*(p for _, p in self._ranked), strict=True)]
        everyone = np.zeros(len(rows.query), dtype=np.intp)
        total = rows.by_group(everyone, 1, k=self._task.k)[0]
        self._total = replace(self._total, summary=total)
        for (column, values), place in zip(self.segments.items(), places, strict=True):
            for value, own in zip(
                values, rows.by_group(place, len(values), k=self._task.k), strict=True
            ):
                name = f"{column}={value}"
                self._parts[name] = replace(self._parts[name], summary=own)

    def _add_delays(
        self,
        available: pa.Array,
        timestamps: pa.Array | None,
        truth: Classes | Values,
        places: Sequence[Places],
    ) -> None:
        late = lateness(available, timestamps, self._end)
        self._total = replace(self._total, delays=self._total.delays + late.delays())
        self._arrivals += late.arrivals(truth)
        for (column, values), place in zip(self.segments.items(), places, strict=True):
            for at, delays in late.by_group(place).items():
                name = f"{column}={values[at]}"
                own = self._parts[name]
                self._parts[name] = replace(own, delays=own.delays + delays)

    def _find_labels(
        self, arrays: Mapping[str, pa.Array], rows: int
    ) -> tuple[pa.Array, pa.Array | None]:
        """Each row's label, and when it became available where that is known."""
        if self._index is None:
            return arrays.get(self._task.label, pa.nulls(rows)), None
        ids = arrays.get(self._columns.id)
        if ids is None:
            return pa.nulls(rows), None
        at = self._index.find(ids)
        available = self._index.available(at)
        if available is not None and available.null_count < rows:
            span = pc.min_max(available).as_py()
            before = self._span or (span["min"], span["max"])
            self._span = (min(before[0], span["min"]), max(before[1], span["max"]))
        return self._index.label.take(pa.array(at, mask=at < 0)), available

    def _read_scores(self, arrays: Mapping[str, pa.Array]) -> dict[str, Floats]:
        """Scores by class; none at all unless every class's column is there."""
        wanted = score_columns(self._task)
        if not all(name in arrays for name in wanted.values()):
            return {}
        return {label: read_values(arrays[name]) for label, name in wanted.items()}


def _total(ready: Summable, by_column: Sequence[Sequence[Summary]], n: int) -> Summary:
    """All rows together; a regression's from its segments, as adding them is cheap and exact."""
    if by_column and isinstance(ready, RegressionRows):
        return reduce(add_summaries, by_column[0])
    return ready.by_group(np.zeros(n, dtype=np.intp), 1)[0]


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
