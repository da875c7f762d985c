"""How late each row's label came, from when it became available."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.arrays import is_null, plain
from dagster_monitoring.profiles.delays import (
    EDGES,
    Arrivals,
    DelayCounts,
    delay_cells,
    tally_by_age,
)
from dagster_monitoring.profiles.labels import Places
from dagster_monitoring.profiles.predictions import Classes, Values
from dagster_monitoring.profiles.reading import Bools, read_moments

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CELLS = len(EDGES) + 1
# Farther moments are none that labels come at, and their differences are no 64-bit numbers.
_FARTHEST = 1 << 61


@dataclass(frozen=True, slots=True, eq=False)
class Late:
    """Cells of the rows of a batch; -1 where it is not known when the label came, or is none.

    Attributes:
        delay: of the time from the prediction, shape ``(n,)``.
        age: of the time from the slice's end; all -1 where that is not known.
    """

    delay: Places
    age: Places

    def delays(self) -> DelayCounts:
        """Of all rows."""
        return DelayCounts.of_cells(self.delay[self.delay >= 0])

    def by_group(self, group: Places) -> dict[int, DelayCounts]:
        """Of each group that has any, from each row's group."""
        known = self.delay >= 0
        if not known.any():
            return {}
        counts = np.bincount(group[known] * _CELLS + self.delay[known])
        found: dict[int, dict[int, int]] = {}
        for key in np.flatnonzero(counts).tolist():
            found.setdefault(key // _CELLS, {})[key % _CELLS] = int(counts[key])
        return {own: DelayCounts(counts=cells) for own, cells in found.items()}

    def arrivals(self, truth: Classes | Values) -> Arrivals:
        """Of all rows, with what their labels are."""
        known = self.age >= 0
        cells = self.age[known]
        own = (
            Classes(truth.names, truth.place[known])
            if isinstance(truth, Classes)
            else Values(truth.values[known])
        )
        return Arrivals(ages=DelayCounts.of_cells(cells), labels=tally_by_age(cells, own))


def lateness(available: pa.Array, timestamps: pa.Array | None, end: datetime | None) -> Late:
    """How late labels came.

    Args:
        available: when each row's label became available, UTC microseconds; null for none.
        timestamps: of the predictions; a row without one counts from ``end``.
        end: the slice's end; without it, rows without a timestamp have no delay.
    """
    there = ~is_null(available)
    came, _ = _microseconds(available)
    age = np.full(len(came), -1, dtype=np.intp)
    start, known = np.zeros(len(came), dtype=np.int64), np.zeros(len(came), dtype=np.bool_)
    if end is not None:
        ended = (end - _EPOCH) // timedelta(microseconds=1)
        age[there] = delay_cells(came[there] - ended)
        start[:], known[:] = ended, True
    if timestamps is not None:
        given, is_given = _microseconds(timestamps)
        start, known = np.where(is_given, given, start), known | is_given
    delay = np.full(len(came), -1, dtype=np.intp)
    usable = there & known
    delay[usable] = delay_cells(came[usable] - start[usable])
    return Late(delay, age)


def _microseconds(array: pa.Array) -> tuple[npt.NDArray[np.int64], Bools]:
    """Moments by row, and which rows have one."""
    array = plain(array)
    moments = read_moments(array).microseconds
    there = ~is_null(array)
    values = np.zeros(len(array), dtype=np.int64)
    if not len(moments):
        return values, np.zeros(len(array), dtype=np.bool_)
    values[there] = np.clip(moments, -_FARTHEST, _FARTHEST)
    return values, there
