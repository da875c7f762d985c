"""Total variation distance."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._shares import shares
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """``sum |p - q| / 2``: the share of rows that would have to change bin.

    Returns:
        From 0 to 1; ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> compute(categorical_histogram("aabb"), categorical_histogram("abbb"))
        0.25
    """
    pair = shares(reference, current)
    if isinstance(pair, Undefined):
        return pair
    p, q = pair
    return min(float(np.sum(np.abs(p - q))) / 2, 1.0)


METRIC = DriftMetric(
    name="total_variation",
    title="Total variation distance",
    compute=compute,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="share",
    minimum_n=10,
    source="Levin, Peres, Wilmer (2009), Markov Chains and Mixing Times, ch. 4",
)
