"""Population stability index."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._shares import FLOOR, shares
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """``sum((q - p) * ln(q / p))`` with reference shares ``p`` and current shares ``q``.

    Each share is floored at 1e-4, so that an empty bin costs a finite amount, and shares are not
    renormalised afterwards. The value depends on the bins: this package's are the deciles of the
    baseline (``numpy.unique`` of the 10 to 90 % quantiles, linear), and the union of categories.
    It is not the figure that equal-width or moving bins give.

    Returns:
        From 0 (same shares) upwards; ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> day = numeric_histogram([1.0, 2.0], edges=[1.5])
        >>> compute(day, day)
        0.0
    """
    pair = shares(reference, current)
    if isinstance(pair, Undefined):
        return pair
    p, q = (np.maximum(share, FLOOR) for share in pair)
    return float(np.sum((q - p) * np.log(q / p)))


METRIC = DriftMetric(
    name="psi",
    title="Population stability index",
    compute=compute,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, float("inf")),
    symmetric=True,
    unit="",
    minimum_n=10,
    source="Siddiqi (2006), Credit Risk Scorecards, ch. 7; Yurdakul (2018) for its distribution",
)
