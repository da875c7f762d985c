"""Cramer's V."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.drift import chi_square
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """``sqrt(chi_square / (n + m))``: the strength of the chi-square of a 2 x K table.

    Not corrected for bias: of equal distributions it is about ``sqrt((K - 1) / (n + m))``.

    Returns:
        From 0 to 1 (no bin in common); ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> compute(categorical_histogram("aabb"), categorical_histogram("abbb"))
        0.2581988897471611
    """
    statistic = chi_square.compute(reference, current)
    if isinstance(statistic, Undefined):
        return statistic
    return math.sqrt(min(statistic / (reference.n + current.n), 1.0))


METRIC = DriftMetric(
    name="cramers_v",
    title="Cramer's V",
    compute=compute,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="",
    minimum_n=10,
    source="Cramer (1946), Mathematical Methods of Statistics, ch. 21",
)
