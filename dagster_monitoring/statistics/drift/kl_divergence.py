"""Kullback-Leibler divergence."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._shares import FLOOR, shares
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """``KL(q || p) = sum(q * ln(q / p))`` of the current shares ``q`` from the reference's ``p``.

    Each share is floored at 1e-4 and both are then rescaled to sum to 1: without the rescaling
    floored shares could give less than 0. In nats. It depends on the bins, as all of its kind.

    Returns:
        From 0 upwards; ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> round(compute(categorical_histogram("aabb"), categorical_histogram("abbb")), 4)
        0.1308
    """
    pair = shares(reference, current)
    if isinstance(pair, Undefined):
        return pair
    p, q = (np.maximum(share, FLOOR) for share in pair)
    p, q = p / p.sum(), q / q.sum()
    return max(float(np.sum(q * np.log(q / p))), 0.0)


METRIC = DriftMetric(
    name="kl_divergence",
    title="Kullback-Leibler divergence",
    compute=compute,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, float("inf")),
    symmetric=False,
    unit="nats",
    minimum_n=10,
    source="Kullback, Leibler (1951), On information and sufficiency",
)
