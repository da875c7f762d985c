"""Kolmogorov-Smirnov statistic."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._shares import numeric_pair
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """``max |F - G|`` of the two distribution functions, at the edges of the bins.

    Between two edges it can be missed by no more than the share of the baseline in that bin:
    1/2048 on a profile's bins, nothing where each value of the baseline has a bin of its own and
    so has each gap between two of them.

    Returns:
        From 0 to 1; ``Undefined`` when either side is empty.

    Raises:
        ValueError: a categorical histogram; names have no order.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 2.5, 3.5, 4.0], edges=[2.0, 3.0])
        >>> compute(before, numeric_histogram([3.0, 3.5, 4.0, 5.0], edges=[2.0, 3.0]))
        0.5
    """
    pair = numeric_pair(reference, current)
    if isinstance(pair, Undefined):
        return pair
    before, after = pair
    # Cumulated as integers: cumulated shares end at 1 only up to rounding.
    gaps = np.cumsum(before.counts) / before.n - np.cumsum(after.counts) / after.n
    return float(np.max(np.abs(gaps)))


METRIC = DriftMetric(
    name="kolmogorov_smirnov",
    title="Kolmogorov-Smirnov statistic",
    compute=compute,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="share",
    minimum_n=10,
    source="Hodges (1958), The significance probability of the Smirnov two-sample test",
)
