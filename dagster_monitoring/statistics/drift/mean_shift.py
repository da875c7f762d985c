"""Shift of the mean."""

from __future__ import annotations

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._shares import numeric_pair, spread
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """``|mean(current) - mean(reference)|`` in population standard deviations of the reference.

    From sums, so it does not depend on the bins.

    Returns:
        From 0 upwards; ``Undefined`` when either side is empty or the reference is constant.

    Raises:
        ValueError: a categorical histogram; names have no mean.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 3.0], edges=[2.0, 3.0])
        >>> compute(before, numeric_histogram([4.0], edges=[2.0, 3.0]))
        2.0
    """
    pair = numeric_pair(reference, current)
    if isinstance(pair, Undefined):
        return pair
    scale = spread(reference)
    if isinstance(scale, Undefined):
        return scale
    # Offsets from the centres, not means: a mean of 1e9 would swallow a shift of 1e-8.
    before, after = (float(h.sums.sum()) / h.n for h in pair)
    return finite(abs(after - before + (current.centre - reference.centre)) / scale)


METRIC = DriftMetric(
    name="mean_shift",
    title="Shift of the mean",
    compute=compute,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, float("inf")),
    symmetric=False,
    unit="standard deviations",
    minimum_n=10,
    source="Glass (1976), as a standardised mean difference",
)
