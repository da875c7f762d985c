"""Change of the spread."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import folded_error, normal_quantile
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(pair: Pair) -> float | Undefined:
    """``|ln(std(current) / std(reference))|``: 0.69 when the spread doubles or halves.

    From sums, so it does not depend on the bins.

    Returns:
        From 0 upwards; ``Undefined`` when either side is empty or constant.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 3.0], edges=[2.0, 3.0])
        >>> round(compute(Pair(before, numeric_histogram([0.0, 4.0], edges=[2.0, 3.0]))), 3)
        0.693
    """
    before, after = pair.spread, pair.current.std
    if isinstance(before, Undefined) or isinstance(after, Undefined):
        return before if isinstance(before, Undefined) else after
    if not after:
        return Undefined("the window's column is constant: look at where it comes from")
    return finite(abs(math.log(after / before)))


def noise(pair: Pair, alpha: float) -> float | Undefined:
    """The normal quantile, with the kurtosis that the reference has."""
    one = pair.sampled.once(_variance_of_log)
    if isinstance(one, Undefined):
        return one
    return finite(normal_quantile(alpha / 2) * math.sqrt(one * pair.scale))


def error(pair: Pair, value: float) -> float | Undefined:
    """Of both standard deviations, by the kurtosis that each side has."""
    before, after = pair.sampled.once(_variance_of_log), _variance_of_log(pair.current)
    if isinstance(before, Undefined) or isinstance(after, Undefined):
        return before if isinstance(before, Undefined) else after
    return finite(folded_error(value, math.sqrt(before / pair.n + after / pair.m)))


def _variance_of_log(histogram: Histogram) -> float | Undefined:
    """Of the logarithm of one row's standard deviation: ``(kurtosis - 1) / 4``."""
    std = histogram.std
    if isinstance(std, Undefined) or histogram.sums is None or not std:
        return Undefined("a constant column has no spread whose error could be told")
    kurtosis = histogram.standard_moments[3]
    # A constant baseline but for rounding, or two values of equal share, have a kurtosis of 1.
    return finite(max(kurtosis - 1, 0.0) / 4)


METRIC = DriftMetric(
    name="spread_shift",
    title="Change of the spread",
    formula=compute,
    noise=noise,
    error=error,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, float("inf")),
    symmetric=True,
    unit="",
    minimum_n=20,
    degenerate="no value when a side is empty or constant",
    source="logarithm of the ratio of standard deviations: Nakagawa et al. (2015), Methods in "
    "Ecology and Evolution 6, lnVR",
    sampling="normal, by the kurtosis of the rows (delta method); too low for heavy tails",
    conventional_limits=(0.2, 0.4),
    limits_source="a spread that is 22 % and 49 % wider",
)
