"""L-infinity distance."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._shares import shares
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """``max |p - q|``: the change of the share that changed most.

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
    return float(np.max(np.abs(p - q)))


METRIC = DriftMetric(
    name="l_infinity",
    title="L-infinity distance",
    compute=compute,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="share",
    minimum_n=10,
    source="Chebyshev distance of the share vectors",
)
