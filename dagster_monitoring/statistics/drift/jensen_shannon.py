"""Jensen-Shannon distance."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._shares import shares
from dagster_monitoring.statistics.histogram import Floats, Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """The square root of the Jensen-Shannon divergence in base 2: the distance, a metric.

    The divergence is ``(KL(p, m) + KL(q, m)) / 2`` with ``m = (p + q) / 2``, of shares that are
    not floored, as ``scipy.spatial.distance.jensenshannon(p, q, base=2)``. It depends on the
    bins: the baseline's deciles, unless the monitor asks for equal-width edges.

    Returns:
        From 0 to 1 (no bin in common); ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> round(compute(categorical_histogram("aabb"), categorical_histogram("abbb")), 4)
        0.2209
    """
    pair = shares(reference, current)
    if isinstance(pair, Undefined):
        return pair
    p, q = pair
    used = (p + q) > 0
    return math.sqrt(min(max(_divergence(p[used], q[used]), 0.0), 1.0))


def _divergence(p: Floats, q: Floats) -> float:
    # In the relative difference d the equal parts of p and q cancel exactly, so that a small
    # distance keeps its digits: with p / m written out, sqrt() would turn 1e-16 into 1e-8.
    d = (p - q) / (p + q)
    one_sided = np.abs(d) == 1
    d = np.where(one_sided, 0.0, d)
    both = (1 + d) * np.log1p(d) + (1 - d) * np.log1p(-d)
    terms = (p + q) / 2 * np.where(one_sided, 2 * math.log(2), both)
    return float(np.sum(terms)) / (2 * math.log(2))


METRIC = DriftMetric(
    name="jensen_shannon",
    title="Jensen-Shannon distance",
    compute=compute,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="",
    minimum_n=10,
    source="Lin (1991); Endres, Schindelin (2003), A new metric for probability distributions",
)
