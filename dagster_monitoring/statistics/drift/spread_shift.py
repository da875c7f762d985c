"""Change of the spread."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._sampling import folded_error, normal_quantile
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats
from dagster_monitoring.statistics.undefined import Undefined


def compute(pairs: Pairs) -> Floats:
    """``|ln(std(current) / std(reference))|``: 0.69 when the spread doubles or halves.

    From sums, so it does not depend on the bins.

    Returns:
        From 0 upwards.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 3.0], edges=[2.0, 3.0])
        >>> round(METRIC.compute(Pair(before, numeric_histogram([0.0, 4.0], edges=[2.0, 3.0]))), 3)
        0.693
    """
    return np.abs(np.log(pairs.after.std / pairs.spread))


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The normal quantile, with the kurtosis that the reference has."""
    return normal_quantile(alpha / 2) * np.sqrt(_variance_of_log(pairs.sampled) * pairs.scale)


def error(pairs: Pairs, value: Floats) -> Floats:
    """Of both standard deviations, by the kurtosis that each side has."""
    before, after = _variance_of_log(pairs.sampled), _variance_of_log(pairs.after)
    return folded_error(value, np.sqrt(before / pairs.n + after / pairs.m))


def undefined(pairs: Pairs, place: int) -> Undefined:
    """A column without a spread."""
    if pairs.spread[place] > 0 and pairs.after.std[place] == 0:
        return Undefined("the window's column is constant: look at where it comes from")
    return pairs.why_no_spread(place)


def _variance_of_log(side: Side) -> Floats:
    """Of the logarithm of one row's standard deviation: ``(kurtosis - 1) / 4``; NaN of none."""
    kurtosis = side.moments[2]
    # A constant baseline but for rounding, or two values of equal share, have a kurtosis of 1.
    return np.where(side.std > 0, np.maximum(kurtosis - 1, 0.0) / 4, np.nan)


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
    scale="three_fifths",
    minimum_n=20,
    degenerate="no value when a side is empty or constant",
    source="logarithm of the ratio of standard deviations: Nakagawa et al. (2015), Methods in "
    "Ecology and Evolution 6, lnVR",
    sampling="normal, by the kurtosis of the rows (delta method); too low for heavy tails",
    undefined=undefined,
    conventional_limits=(0.2, 0.4),
    limits_source="a spread that is 22 % and 49 % wider",
)
