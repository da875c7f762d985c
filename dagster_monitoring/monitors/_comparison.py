"""One column against its baseline: on which bins, and what a metric's telling means for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from dagster_monitoring.monitors._monitor import Measurement
from dagster_monitoring.profiles.bins import CategoricalBins, NumericBins, equal_width_edges
from dagster_monitoring.profiles.column import CategoricalColumn, ColumnSummary, NumericColumn
from dagster_monitoring.profiles.doane import doane_edges
from dagster_monitoring.statistics.drift import DriftMetric, Pair
from dagster_monitoring.statistics.histogram import Floats, Histogram, has_edges
from dagster_monitoring.statistics.undefined import Undefined

BinChoice = Literal["default", "deciles", "profile", "doane"] | int
"""As declared, a number being so many bins of equal width."""

Row = tuple[float | Undefined, float, float | None, float]
"""What a metric tells of one comparison: its value, noise, standard error and vagueness."""

_STAYING = 512
"""Baseline columns that are remembered: about 30 kB each."""

_RECENT = 512
"""Columns of windows that are remembered: other monitors compare them with other baselines."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One column, of all rows or of a segment, in the window and in the baseline.

    ``stays`` says that later slices are compared with the same reference; ``note`` goes beside
    its values.
    """

    column: str
    segment: str | None
    bins: NumericBins | CategoricalBins
    reference: ColumnSummary
    current: ColumnSummary
    choice: BinChoice
    metrics: Sequence[DriftMetric]
    stays: bool = False
    note: str | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether the column is one of numbers."""
        return isinstance(self.bins, NumericBins)

    @cached_property
    def pair(self) -> Pair | Undefined:
        """Both sides on all bins, or why they can't be compared."""
        before = (_staying if self.stays else _histogram)(self.reference, self.bins)
        now = _recent(self.current, self.bins)
        if isinstance(before, Undefined):
            return before
        return now if isinstance(now, Undefined) else Pair.of(before, now)

    @cached_property
    def edges(self) -> Floats | Undefined | None:
        """Of the bins that the monitor asks for; ``None`` for all of the pair's own."""
        pair = self.pair
        if isinstance(pair, Undefined) or not isinstance(self.bins, NumericBins):
            return None
        if self.choice == "profile" or pair.reference.edges is None:
            return None
        edges = _interior_edges(self.bins, self.choice)
        if edges is not None and _has_edges(self.bins, self.choice, len(pair.reference.edges)):
            return edges
        if self.segment is not None and edges is not None:
            return Undefined("counts of segments do not keep these bins; declare bins: deciles")
        return Undefined(
            "the baseline was built when no monitor asked for these bins. Build a new one (the "
            "model's setup job), or declare bins: deciles"
        )

    def measurements(
        self, metrics: Sequence[DriftMetric], told: Sequence[Row]
    ) -> list[Measurement]:
        """Each metric's value with its noise and error, or why there is none.

        Args:
            metrics: its own.
            told: what each of them tells of it.
        """
        column, segment, note, n, least = self.column, self.segment, self.note, self.n, self._least
        found: list[Measurement] = []
        for metric, (value, noise, error, vagueness) in zip(metrics, told, strict=True):
            if least[metric.of_missing] < metric.minimum_n:
                found.append(self._without(metric, self._too_few(metric)))
            elif isinstance(value, Undefined):
                found.append(self._without(metric, value))
            else:
                # By place, as there are many: by name it takes four times as long.
                own = Measurement(
                    metric.name,
                    value,
                    n,
                    column,
                    segment,
                    _with(note, vagueness) if vagueness else note,
                    noise,
                    error,
                    "upper" if metric.higher_is_worse else "lower",
                    metric.higher_is_worse,
                    metric.scale,
                )
                found.append(own)
        return found

    def _without(self, metric: DriftMetric, why: Undefined) -> Measurement:
        # A segment may be as small as it likes; too few rows of a whole window are a fault.
        return Measurement(
            metric=metric.name,
            column=self.column,
            segment=self.segment,
            value=None,
            reason=why.reason,
            expected=self.segment is not None,
            n=self.n,
            worse="upper" if metric.higher_is_worse else "lower",
        )

    def _too_few(self, metric: DriftMetric) -> Undefined:
        now, before = (own[metric.of_missing] for own in self._rows)
        what, found = ("window", now) if now < metric.minimum_n else ("baseline", before)
        return Undefined(
            f"the {what} has {found} values of this column, and {metric.name} needs "
            f"{metric.minimum_n}"
        )

    @cached_property
    def n(self) -> int:
        """The window's values."""
        return self._rows[0][0]

    @cached_property
    def _least(self) -> tuple[int, int]:
        """Values and rows, of the side that has fewer."""
        (values, rows), (values_before, rows_before) = self._rows
        return min(values, values_before), min(rows, rows_before)

    @cached_property
    def _rows(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Values and rows, of the window and of the baseline."""
        now, before = self.current, self.reference
        if isinstance(self.pair, Undefined):
            return (now.n, now.rows), (before.n, before.rows)
        current, reference = self.pair.current, self.pair.reference
        return (
            (current.n, current.rows + now.n_type_fault),
            (reference.n, reference.rows + before.n_type_fault),
        )


def _histogram(
    summary: ColumnSummary, bins: NumericBins | CategoricalBins
) -> Histogram | Undefined:
    if isinstance(bins, CategoricalBins):
        if isinstance(summary, CategoricalColumn):
            return summary.histogram(bins)
        return Undefined("the column was counted as a number; scan the slice anew")
    if isinstance(summary, NumericColumn):
        return summary.histogram(bins)
    return Undefined("the column was counted by category; scan the slice anew")


_staying = lru_cache(maxsize=_STAYING)(_histogram)
_recent = lru_cache(maxsize=_RECENT)(_histogram)


@lru_cache(maxsize=_STAYING)
def _interior_edges(bins: NumericBins, choice: BinChoice) -> Floats | None:
    """The edges to regroup on; ``None`` for Doane's when the baseline was not asked for them."""
    if bins.minimum is None or bins.maximum is None:
        return bins.deciles
    if isinstance(choice, int):
        return equal_width_edges(bins.minimum, bins.maximum, choice)
    if choice != "doane":
        return bins.deciles
    return None if bins.doane is None else doane_edges(bins.minimum, bins.maximum, bins.doane)


@lru_cache(maxsize=_STAYING)
def _has_edges(bins: NumericBins, choice: BinChoice, edges: int) -> bool:
    """Whether counts on so many edges, all of the column's or a segment's, can be regrouped."""
    own, wanted = bins.edges, _interior_edges(bins, choice)
    own = own if len(own) == edges else bins.segment_edges
    return wanted is not None and has_edges(own, wanted)


def _with(note: str | None, vagueness: float) -> str:
    """A note on a value that the bins tell roughly only."""
    how = f"to within {vagueness:.2g} only" if math.isfinite(vagueness) else "roughly only"
    told = (
        f"known {how}: of rows in one bin only their mean is known, and some bins are too wide for "
        "that; build a new baseline for finer ones"
    )
    return f"{note}; {told}" if note else told
