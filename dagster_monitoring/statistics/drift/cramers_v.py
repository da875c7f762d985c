"""Cramer's V."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift import chi_square
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """``sqrt(chi_square / (n + m))``: the strength of the chi-square of a 2 x K table.

    Not corrected for bias: of equal distributions it is about ``sqrt((K - 1) / (n + m))``.

    Returns:
        From 0 to 1 (no bin in common).

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> round(METRIC.compute(pair), 6)
        0.258199
    """
    return np.sqrt(np.minimum(pairs.once(chi_square.compute) / (pairs.n + pairs.m), 1.0))


def noise(pairs: Pairs, alpha: float) -> Floats:
    """From the chi-square statistic's."""
    return np.sqrt(pairs.once(chi_square.noise, alpha) / (pairs.n + pairs.m))


def error(pairs: Pairs, value: Floats) -> Floats:
    """From the chi-square statistic's, by the delta method."""
    rows = (pairs.n + pairs.m) * pairs.scale
    return chi_square.SAMPLING.root_error(pairs, value * value * rows) / np.sqrt(rows)


METRIC = DriftMetric(
    name="cramers_v",
    title="Cramer's V",
    formula=compute,
    noise=noise,
    error=error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="",
    scale="two_thirds",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Cramer (1946), Mathematical Methods of Statistics, ch. 21",
    sampling="the root of chi_square's over the rows; delta method",
    conventional_limits=(0.1, 0.3),
    limits_source="Cohen (1988), a small and a medium effect",
)
