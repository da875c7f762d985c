"""Hellinger distance."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._shares import shares
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """``sqrt(sum((sqrt(p) - sqrt(q)) ** 2) / 2)``, of shares that are not floored.

    Returns:
        From 0 to 1 (no bin in common); ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> round(compute(categorical_histogram("aabb"), categorical_histogram("abbb")), 4)
        0.1846
    """
    pair = shares(reference, current)
    if isinstance(pair, Undefined):
        return pair
    p, q = pair
    squared = float(np.sum(np.square(np.sqrt(p) - np.sqrt(q)))) / 2
    return math.sqrt(min(squared, 1.0))


METRIC = DriftMetric(
    name="hellinger",
    title="Hellinger distance",
    compute=compute,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="",
    minimum_n=10,
    source="Hellinger (1909); Pardo (2006), Statistical Inference Based on Divergence Measures",
)
