"""Counting one numeric column piece by piece, whichever kernel does the inner work."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import LARGEST, NumericBins
from dagster_monitoring.profiles.column import NumericColumn
from dagster_monitoring.profiles.engines import local
from dagster_monitoring.profiles.engines.cubes import Cube, SegmentRows
from dagster_monitoring.profiles.engines.local import CountPiece
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.tally import REACH_BITS, TIER_BITS, Tally
from dagster_monitoring.profiles.reading import Numbers, is_null
from dagster_monitoring.profiles.segments import NumericBlock

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_NULL, _NAN, _POSITIVE, _NEGATIVE, _WRONG = range(5)


class NumericCounter:
    """Counts one numeric column piece by piece.

    Args:
        bins: what to count on.
        cube: which segment columns to count together.
        work: buffers, shared by all columns.
    """

    def __init__(self, bins: NumericBins, cube: Cube, work: Workspace) -> None:
        self._bins = bins
        self._work = work
        self._tally = Tally(bins, cube)
        self._reach = 2.0 ** (bins.exponent + REACH_BITS)
        self._faults = np.zeros(5, dtype=np.int64)
        self._segment_faults = [np.zeros((n, 5), dtype=np.int64) for n in cube.sizes]
        self._range: tuple[float, float] | None = None

    def add(self, numbers: Numbers, rows: SegmentRows, count: CountPiece) -> None:
        """Count at most ``PIECE`` rows."""
        values = numbers.values
        if not len(values):
            return
        low, high = float(values.min()), float(values.max())
        aside: Bools | None = None
        # Written so that NaN, which compares as false, is set aside too.
        if not (low >= -LARGEST and high <= LARGEST):
            aside = ~(np.abs(values) <= LARGEST)
            self._count_aside(numbers, aside, rows)
            kept = values[~aside]
            if not len(kept):
                return
            low, high = float(kept.min()), float(kept.max())
        self._stretch(low, high)
        away = max(self._bins.centre - low, high - self._bins.centre)
        if away >= self._reach:
            aside = self._count_far(values, aside, rows)
            away = self._reach
        tier = self._tally.tier(0)
        tier.make_room(len(values) * (int(away * tier.inverse) + 1))
        count(values, aside, rows, self._tally, tier, self._work)

    def add_wrong(self, null: Bools, rows: SegmentRows) -> None:
        """Count rows of a type that is no number; nulls among them stay nulls."""
        self._add_faults(np.where(null, _NULL, _WRONG), rows)

    def column(self) -> NumericColumn:
        """What was counted."""
        null, nan, positive, negative, wrong = self._faults.tolist()
        low, high = self._range or (None, None)
        return NumericColumn(
            counts=self._tally.counts[:-1],
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
            NumericBlock(counts=counts, sums=sums, sum_squares=squares, faults=faults)
            for counts, sums, squares, faults in zip(
                self._tally.segment_counts(),
                self._tally.segment_sums(),
                self._tally.segment_squares(),
                self._segment_faults,
                strict=True,
            )
        ]

    def _count_far(self, values: Floats, aside: Bools | None, rows: SegmentRows) -> Bools:
        """Count what is too far away for the column's unit in coarser ones; gives what is set
        aside now."""
        away = np.abs(values - self._bins.centre)
        is_far = away >= self._reach
        if aside is not None:
            is_far &= ~aside
        at = np.flatnonzero(is_far)
        # The exponent of a float, for which 2 ** e has e + 1.
        beyond = np.frexp(away[at])[1] - (self._bins.exponent + REACH_BITS + 1)
        level = beyond // TIER_BITS + 1
        for own in np.unique(level).tolist():
            chosen = at[level == own]
            tier = self._tally.tier(own)
            tier.make_room(len(chosen) << REACH_BITS)
            local.count_piece(
                values[chosen], None, rows.take(chosen), self._tally, tier, self._work
            )
        return is_far if aside is None else aside | is_far

    def _count_aside(self, numbers: Numbers, aside: Bools, rows: SegmentRows) -> None:
        at = np.flatnonzero(aside)
        values = numbers.values[at]
        kind = np.where(np.isnan(values), _NAN, np.where(values > 0, _POSITIVE, _NEGATIVE))
        n_null = numbers.array.null_count
        if n_null == np.count_nonzero(kind == _NAN):
            kind[kind == _NAN] = _NULL
        elif n_null:
            kind[is_null(numbers.array)[at]] = _NULL
        self._add_faults(kind, rows, at)

    def _add_faults(
        self,
        kind: npt.NDArray[np.int64],
        rows: SegmentRows,
        at: npt.NDArray[np.intp] | slice = slice(None),
    ) -> None:
        self._faults += np.bincount(kind, minlength=5)
        for faults, place in zip(self._segment_faults, rows.places, strict=True):
            faults += np.bincount(place[at] * 5 + kind, minlength=faults.size).reshape(-1, 5)

    def _stretch(self, low: float, high: float) -> None:
        before = self._range or (low, high)
        # Adding 0 makes 0.0 of -0.0: which of them comes first is a matter of order.
        self._range = (min(before[0], low) + 0.0, max(before[1], high) + 0.0)
