"""Wasserstein distance in standard deviations."""

from __future__ import annotations

from dagster_monitoring.statistics.drift import wasserstein
from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._shares import spread
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """The Wasserstein distance over the reference's population standard deviation.

    Columns of any unit can share one threshold. See :mod:`.wasserstein` for its exactness.

    Returns:
        From 0 upwards; ``Undefined`` when either side is empty or the reference is constant.

    Raises:
        ValueError: a categorical histogram; names have no distance.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 3.0], edges=[2.0, 3.0])
        >>> compute(before, numeric_histogram([2.0, 4.0], edges=[2.0, 3.0]))
        1.0
    """
    distance = wasserstein.compute(reference, current)
    if isinstance(distance, Undefined):
        return distance
    scale = spread(reference)
    return scale if isinstance(scale, Undefined) else finite(distance / scale)


METRIC = DriftMetric(
    name="wasserstein_scaled",
    title="Wasserstein distance in standard deviations",
    compute=compute,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, float("inf")),
    symmetric=False,
    unit="standard deviations",
    minimum_n=10,
    source="Ramdas, Garcia, Cuturi (2015), over the reference's standard deviation",
)
