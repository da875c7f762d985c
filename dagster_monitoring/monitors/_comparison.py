"""One column against its baseline: on which bins, by which metric, with how much noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dagster_monitoring.monitors._monitor import Measurement
from dagster_monitoring.profiles.bins import CategoricalBins, NumericBins, equal_width_edges
from dagster_monitoring.profiles.column import CategoricalColumn, ColumnSummary, NumericColumn
from dagster_monitoring.statistics.drift import DriftMetric
from dagster_monitoring.statistics.histogram import Floats, Histogram, align
from dagster_monitoring.statistics.noise import null_quantile
from dagster_monitoring.statistics.undefined import Undefined

BinChoice = Literal["default", "deciles", "profile"] | int
"""As declared, a number being so many bins of equal width."""

# Limits move out by what sampling alone exceeds once in a hundred.
_NOISE_ALPHA = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One column, of all rows or of a segment, in the window and in the baseline."""

    column: str
    segment: str | None
    bins: NumericBins | CategoricalBins
    reference: ColumnSummary
    current: ColumnSummary

    @property
    def kind(self) -> Literal["numeric", "categorical"]:
        """What the column holds."""
        return "numeric" if isinstance(self.bins, NumericBins) else "categorical"

    def measure(self, metric: DriftMetric, choice: BinChoice, note: str | None) -> Measurement:
        """The metric's value with its noise, or why there is none."""
        value, noise = self._value(metric, choice)
        return Measurement(
            metric=metric.name,
            column=self.column,
            segment=self.segment,
            value=None if isinstance(value, Undefined) else value,
            reason=value.reason if isinstance(value, Undefined) else note,
            # A segment may be as small as it likes; too few rows of a whole window are a fault.
            expected=isinstance(value, Undefined) and self.segment is not None,
            n=self.current.n,
            noise=noise,
            worse="upper" if metric.higher_is_worse else "lower",
        )

    def _value(self, metric: DriftMetric, choice: BinChoice) -> tuple[float | Undefined, float]:
        for summary, what in ((self.current, "the window"), (self.reference, "the baseline")):
            if summary.n < metric.minimum_n:
                return _too_few(metric, summary.n, what), 0.0
        pair = self._histograms(metric, choice)
        if isinstance(pair, Undefined):
            return pair, 0.0
        reference, current = pair
        value = metric.compute(reference, current)
        cells = int(np.count_nonzero(reference.counts + current.counts))
        noise = null_quantile(
            metric.name,
            n_reference=reference.n,
            n_current=current.n,
            cells=cells,
            alpha=_NOISE_ALPHA,
        )
        return value, noise

    def _histograms(
        self, metric: DriftMetric, choice: BinChoice
    ) -> tuple[Histogram, Histogram] | Undefined:
        bins, reference, current = self.bins, self.reference, self.current
        if isinstance(bins, CategoricalBins):
            if isinstance(reference, CategoricalColumn) and isinstance(current, CategoricalColumn):
                return align(reference.histogram(bins), current.histogram(bins))
            return Undefined("the column was counted as a number; scan the slice anew")
        if isinstance(reference, NumericColumn) and isinstance(current, NumericColumn):
            pair = (reference.histogram(bins), current.histogram(bins))
            return _on_edges(pair, _interior_edges(bins, metric, choice))
        return Undefined("the column was counted by category; scan the slice anew")


def _on_edges(
    pair: tuple[Histogram, Histogram], edges: Floats | None
) -> tuple[Histogram, Histogram] | Undefined:
    reference, current = pair
    if edges is None:
        return align(reference, current)
    if reference.edges is None or not np.isin(edges, reference.edges).all():
        return Undefined("the counts do not keep these bins; declare bins: deciles")
    return align(reference.regroup(edges), current.regroup(edges))


def _interior_edges(bins: NumericBins, metric: DriftMetric, choice: BinChoice) -> Floats | None:
    """The edges to regroup on; ``None``: all that the profile has."""
    if isinstance(choice, int):
        if bins.minimum is None or bins.maximum is None:
            return bins.deciles
        return equal_width_edges(bins.minimum, bins.maximum, choice)
    wanted = metric.bins if choice == "default" else choice
    return bins.deciles if wanted == "deciles" else None


def _too_few(metric: DriftMetric, rows: int, what: str) -> Undefined:
    return Undefined(
        f"{what} has {rows} values of this column, and {metric.name} needs {metric.minimum_n}"
    )
