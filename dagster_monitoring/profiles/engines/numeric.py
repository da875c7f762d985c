"""Counting one numeric column piece by piece, whichever kernel does the inner work."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.arrays import is_null
from dagster_monitoring.profiles.bins import LARGEST, NumericBins
from dagster_monitoring.profiles.column import NumericColumn
from dagster_monitoring.profiles.engines.cubes import Cube, SegmentRows
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.loops import PIECE, Loops
from dagster_monitoring.profiles.engines.tally import REACH_BITS, TIER_BITS, Tally
from dagster_monitoring.profiles.reading import Numbers
from dagster_monitoring.profiles.segments import NumericBlock

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_KINDS = 6
_NULL, _NAN, _POSITIVE, _NEGATIVE, _WRONG, _FAR = range(_KINDS)


class NumericCounter:
    """Counts one numeric column piece by piece.

    Args:
        bins: what to count on.
        cube: which segment columns to count together.
        work: buffers, shared by all columns.
    """

    def __init__(self, bins: NumericBins, cube: Cube, work: Workspace) -> None:
        self._bins = bins
        self._cube = cube
        self._work = work
        self._tally = Tally(bins, cube)
        self._reach = 2.0 ** (bins.exponent + REACH_BITS)
        # A unit so large that what counts as infinite is near: then nothing is.
        self._has_near = abs(bins.centre) + self._reach < LARGEST
        self._faults = np.zeros(_KINDS, dtype=np.int64)
        self._cell_faults = np.zeros((cube.cells, _KINDS), dtype=np.int64)
        self._range: tuple[float, float] | None = None

    def add(self, numbers: Numbers, rows: SegmentRows, loops: Loops) -> None:
        """Count at most ``loops.ROWS`` rows."""
        if not len(numbers.array):
            return
        near = loops.count_near(numbers.array, rows, self._tally) if self._has_near else None
        if near is None and len(numbers.array) <= PIECE:
            self._add(numbers, rows, loops)
            return
        if near is not None and near.low <= near.high:
            self._stretch(near.low, near.high)
        if near is not None:
            self._add_faults(_FAR, rows, near.others)
        left = np.arange(len(numbers.array)) if near is None else near.others
        for start in range(0, len(left), PIECE):
            others = left[start : start + PIECE]
            own = rows.take(others, self._cube)
            self._add(Numbers(numbers.array.take(pa.array(others))), own, loops)

    def _add(self, numbers: Numbers, rows: SegmentRows, loops: Loops) -> None:
        values = numbers.values
        low, high, aside = _range_of(values)
        if aside is not None:
            self._count_aside(numbers, aside, rows)
        if low <= high:
            self._stretch(low, high)
        away = max(self._bins.centre - low, high - self._bins.centre, 0.0)
        if away >= self._reach:
            aside = self._count_far(values, aside, rows, loops)
            away = self._reach
        tier = self._tally.tier(0)
        tier.make_room(len(values), int(away * tier.inverse))
        loops.count_piece(values, aside, rows, self._tally, tier, self._work)

    def add_wrong(self, null: Bools, rows: SegmentRows) -> None:
        """Count rows of a type that is no number; nulls among them stay nulls."""
        self._add_faults(_NULL, rows, np.flatnonzero(null))
        self._add_faults(_WRONG, rows, np.flatnonzero(~null))

    def column(self) -> NumericColumn:
        """What was counted."""
        counts = self._tally.counts()
        faults = _with_nulls(self._faults, counts[-1:])
        null, nan, positive, negative, wrong = faults.tolist()
        low, high = self._range or (None, None)
        return NumericColumn(
            counts=counts[:-1],
            sums=self._tally.sums(),
            sum_squares=self._tally.squares(),
            n_null=null,
            n_nan=nan,
            n_positive_infinite=positive,
            n_negative_infinite=negative,
            n_type_fault=wrong,
            minimum=low,
            maximum=high,
        )

    def blocks(self) -> list[NumericBlock]:
        """What was counted by segment, one block a segment column."""
        return [
            NumericBlock(
                counts=counts,
                sums=sums,
                sum_squares=squares,
                faults=_with_nulls(faults, without[:, None]),
            )
            for counts, without, sums, squares, faults in zip(
                self._tally.segment_counts(),
                self._tally.segment_without(),
                self._tally.segment_sums(),
                self._tally.segment_squares(),
                cast(list[npt.NDArray[np.int64]], self._cube.by_column(self._cell_faults)),
                strict=True,
            )
        ]

    def _count_far(
        self, values: Floats, aside: Bools | None, rows: SegmentRows, loops: Loops
    ) -> Bools:
        """Count in coarser units what is too far away; gives what is set aside now."""
        away = np.abs(values - self._bins.centre)
        is_far = away >= self._reach
        if aside is not None:
            is_far &= ~aside
        at = np.flatnonzero(is_far)
        self._add_faults(_FAR, rows, at)
        # The exponent of a float, for which 2 ** e has e + 1.
        beyond = np.frexp(away[at])[1] - (self._bins.exponent + REACH_BITS + 1)
        level = beyond // TIER_BITS + 1
        for own in np.flatnonzero(np.bincount(level)).tolist():
            chosen = at[level == own]
            tier = self._tally.tier(own)
            tier.make_room(len(chosen), 1 << REACH_BITS)
            loops.count_piece(
                values[chosen], None, rows.take(chosen, self._cube), self._tally, tier, self._work
            )
        return is_far if aside is None else aside | is_far

    def _count_aside(self, numbers: Numbers, aside: Bools, rows: SegmentRows) -> None:
        """Count what is neither a number nor null; nulls are what the kernel counts besides."""
        n_null = numbers.array.null_count
        if n_null == np.count_nonzero(aside):
            return
        if n_null:
            aside = aside & ~is_null(numbers.array)
        at = np.flatnonzero(aside)
        values = numbers.values[at]
        for kind, own in (
            (_NAN, np.isnan(values)),
            (_POSITIVE, values > 0),
            (_NEGATIVE, values < 0),
        ):
            self._add_faults(kind, rows, at[own])

    def _add_faults(self, kind: int, rows: SegmentRows, at: npt.NDArray[np.integer]) -> None:
        self._faults[kind] += len(at)
        for cells in rows.cells(self._cube):
            self._cell_faults[:, kind] += np.bincount(cells[at], minlength=self._cube.cells)

    def _stretch(self, low: float, high: float) -> None:
        before = self._range or (low, high)
        # Adding 0 makes 0.0 of -0.0: which of them comes first is a matter of order.
        self._range = (min(before[0], low) + 0.0, max(before[1], high) + 0.0)


def _range_of(values: Floats) -> tuple[float, float, Bools | None]:
    """The smallest and the largest number (of none: the former is larger), and which are none."""
    low, high = float(values.min()), float(values.max())
    # Written so that NaN, which compares as false, does not pass.
    if low >= -LARGEST and high <= LARGEST:
        return low, high, None
    aside = ~(np.abs(values) <= LARGEST)
    kept = values[~aside]
    return float(kept.min(initial=np.inf)), float(kept.max(initial=-np.inf)), aside


def _with_nulls(
    faults: npt.NDArray[np.int64], without: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Faults as a column has them: the kernel counted rows without a number, nulls among them."""
    named = faults[..., [_NAN, _POSITIVE, _NEGATIVE, _FAR]].sum(axis=-1, keepdims=True)
    found = faults[..., :_FAR].copy()
    found[..., :1] += without - named
    return found
