"""Population stability index."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._bins import FLOOR, Bins
from dagster_monitoring.statistics.drift._divergence import Divergence
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """``sum((q - p) * ln(q / p))`` with reference shares ``p`` and current shares ``q``.

    Each share is floored at 1e-4, so that an empty bin costs a finite amount, and shares are not
    renormalised afterwards. The value depends on the bins: this package's are the deciles of the
    baseline (``numpy.unique`` of the 10 to 90 % quantiles, linear), and the union of categories.
    It is not the figure that equal-width or moving bins give.

    Returns:
        From 0 (same shares) upwards.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> day = numeric_histogram([1.0, 2.0], edges=[1.5])
        >>> METRIC.compute(Pair(day, day))
        0.0
    """
    bins = pairs.bins
    p, q = bins.floored
    return bins.sum((q - p) * bins.log_ratio)


def _cell(x: Floats, y: Floats) -> Floats:
    return (x - y) * np.log(x / y)


def _empty(y: Floats, m: Floats) -> Floats:
    return _cell(np.minimum(FLOOR * m, y), y)


def _unseen(x: Floats, k: Floats, n: Floats, m: Floats) -> Floats:
    del n
    floor = FLOOR * m * k
    return np.maximum(x - floor, 0.0) * np.log(np.maximum(x / floor, 1.0))


def _slopes(bins: Bins) -> tuple[Floats, Floats]:
    p, q, log_ratio = bins.smoothed_ratio
    return 1 - q / p - log_ratio, 1 - p / q + log_ratio


SAMPLING = Divergence(curvature=1.0, cell=_cell, empty=_empty, unseen=_unseen, slopes=_slopes)

METRIC = DriftMetric(
    name="psi",
    title="Population stability index",
    formula=compute,
    noise=SAMPLING.null_quantile,
    error=SAMPLING.standard_error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, float("inf")),
    symmetric=True,
    unit="",
    scale="cube_root",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Siddiqi (2006), Credit Risk Scorecards, ch. 7; Yurdakul (2018) for its distribution",
    sampling="scaled chi-square, with Poisson moments for bins of fewer than 60 expected rows; "
    "delta method; rows of unseen names by Good (1953)",
    conventional_limits=(0.1, 0.25),
    limits_source="Siddiqi (2006), Credit Risk Scorecards",
)
