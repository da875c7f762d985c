"""One column against its baseline: on which bins, by which metric, with how much noise."""

from __future__ import annotations

import math
from collections.abc import Iterable
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

# Limits move out by what sampling alone exceeds once in a hundred.
_NOISE_ALPHA = 0.01

# Baseline columns that are remembered, with all that belongs to them: about 100 kB each.
_STAYING = 512


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One column, of all rows or of a segment, in the window and in the baseline.

    Both are put on the same bins once for all metrics that use those bins. ``stays`` says that
    later slices are compared with the same reference.
    """

    column: str
    segment: str | None
    bins: NumericBins | CategoricalBins
    reference: ColumnSummary
    current: ColumnSummary
    choice: BinChoice
    stays: bool = False

    def measure(self, metrics: Iterable[DriftMetric], note: str | None) -> list[Measurement]:
        """Each metric's value with its noise and error, or why there is none."""
        return [self._measure(metric, note) for metric in metrics]

    def pairs(self) -> list[Pair]:
        """Those whose bins metrics look at one by one."""
        pair = self._on_all_bins if self.choice == "profile" else self._on_chosen_bins
        return [] if isinstance(pair, Undefined) else [pair]

    def _measure(self, metric: DriftMetric, note: str | None) -> Measurement:
        pair = self._too_few(metric) or self._pair(metric)
        value = pair if isinstance(pair, Undefined) else metric.compute(pair)
        if isinstance(pair, Undefined) or isinstance(value, Undefined):
            # A segment may be as small as it likes; too few rows of a whole window are a fault.
            expected = self.segment is not None
            reason = value.reason if isinstance(value, Undefined) else note
            return self._measurement(metric, reason, expected=expected)
        return self._measurement(
            metric,
            "; ".join(part for part in (note, _vague(metric, pair)) if part) or None,
            value=value,
            noise=_known(metric.null_quantile(pair, alpha=_NOISE_ALPHA)) or 0.0,
            standard_error=_known(metric.standard_error(pair, value)),
        )

    def _measurement(
        self,
        metric: DriftMetric,
        reason: str | None,
        *,
        expected: bool = False,
        value: float | None = None,
        noise: float = 0.0,
        standard_error: float | None = None,
    ) -> Measurement:
        return Measurement(
            metric=metric.name,
            column=self.column,
            segment=self.segment,
            value=value,
            reason=reason,
            expected=expected,
            n=self._rows[0][0],
            noise=noise,
            standard_error=standard_error,
            worse="upper" if metric.higher_is_worse else "lower",
        )

    def _too_few(self, metric: DriftMetric) -> Undefined | None:
        for what, (values, rows) in zip(("window", "baseline"), self._rows, strict=True):
            found = rows if metric.of_missing else values
            if found < metric.minimum_n:
                return Undefined(
                    f"the {what} has {found} values of this column, and {metric.name} needs "
                    f"{metric.minimum_n}"
                )
        return None

    @cached_property
    def _rows(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Values and rows, of the window and of the baseline."""
        now, before = self.current, self.reference
        return (now.n, now.rows), (before.n, before.rows)

    def _pair(self, metric: DriftMetric) -> Pair | Undefined:
        """Both on the bins that the monitor asks for, or on those that the metric prefers."""
        if self.choice == "profile" or (self.choice == "default" and metric.bins == "profile"):
            return self._on_all_bins
        return self._on_chosen_bins

    @cached_property
    def _on_all_bins(self) -> Pair | Undefined:
        histogram = _remembered if self.stays else _histogram
        before = histogram(self.reference, self.bins)
        now = _histogram(self.current, self.bins)
        if isinstance(before, Undefined):
            return before
        return now if isinstance(now, Undefined) else Pair.of(before, now)

    @cached_property
    def _on_chosen_bins(self) -> Pair | Undefined:
        pair = self._on_all_bins
        if isinstance(pair, Undefined) or not isinstance(self.bins, NumericBins):
            return pair
        edges, has = _interior_edges(self.bins, self.choice), pair.reference.edges
        if edges is not None and has is not None and has_edges(has, edges):
            return pair.regroup(edges)
        if self.segment is not None and edges is not None:
            return Undefined("counts of segments do not keep these bins; declare bins: deciles")
        return Undefined(
            "the baseline was built when no monitor asked for these bins. Build a new one (the "
            "model's setup job), or declare bins: deciles"
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


_remembered = lru_cache(maxsize=_STAYING)(_histogram)


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


def _known(value: float | Undefined) -> float | None:
    return None if isinstance(value, Undefined) else value


def _vague(metric: DriftMetric, pair: Pair) -> str | None:
    """A note on a value that the bins tell roughly only."""
    vagueness = metric.told_vagueness(pair)
    if not vagueness:
        return None
    how = f"to within {vagueness:.2g} only" if math.isfinite(vagueness) else "roughly only"
    return (
        f"known {how}: of rows in one bin only their mean is known, and some bins are too wide for "
        "that; build a new baseline for finer ones"
    )
