"""Shift of the mean."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import folded_error, skewed_quantile
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(pair: Pair) -> float | Undefined:
    """``|mean(current) - mean(reference)|`` in population standard deviations of the reference.

    From sums, so it does not depend on the bins.

    Returns:
        From 0 upwards; ``Undefined`` when either side is empty or the reference is constant.

    Raises:
        ValueError: a categorical histogram; names have no mean.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 3.0], edges=[2.0, 3.0])
        >>> compute(Pair(before, numeric_histogram([4.0], edges=[2.0, 3.0])))
        2.0
    """
    scale = pair.spread
    if isinstance(scale, Undefined):
        return scale
    # Offsets from the centres, not means: a mean of 1e9 would swallow a shift of 1e-8.
    return finite(abs(_moved(pair)) / scale)


def noise(pair: Pair, alpha: float) -> float:
    """A normal quantile, further out where the reference is skewed and rows are few."""
    skewness = round(abs(pair.skewness) * math.sqrt(pair.scale), 2)
    return skewed_quantile(skewness, alpha) * math.sqrt(pair.scale)


def error(pair: Pair, value: float) -> float | Undefined:
    """Of both means, and of the standard deviation that they are told in.

    The reference is a sample too, whose mean has an error of its own whether or not the means
    differ; only what its standard deviation adds vanishes where they are equal.
    """
    scale, after = pair.spread, pair.current.std
    if isinstance(scale, Undefined) or isinstance(after, Undefined):
        return scale if isinstance(scale, Undefined) else after
    ahead, half = math.copysign(1.0, _moved(pair)), value / 2
    _, second, third, fourth = pair.sampled.standard_moments
    # The variance of ahead * z + half * z^2, z being the reference's standardised values, mean 0.
    of_reference = second + half * half * (fourth - second * second) + 2 * ahead * half * third
    variance = max(of_reference, 0.0) / pair.n + (after / scale) * (after / scale) / pair.m
    return finite(folded_error(value, math.sqrt(variance)))


def _moved(pair: Pair) -> float:
    moved = pair.current.offset - pair.reference.offset
    return moved + (pair.current.centre - pair.reference.centre)


METRIC = DriftMetric(
    name="mean_shift",
    title="Shift of the mean",
    formula=compute,
    noise=noise,
    error=error,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, float("inf")),
    symmetric=False,
    unit="standard deviations",
    minimum_n=10,
    degenerate="no value when a side is empty, or the baseline is constant",
    source="Glass (1976), as a standardised mean difference",
    sampling="normal quantile, Pearson type III for skewed columns; delta method for the means "
    "and the standard deviation, too low for few rows of a heavy tail",
    conventional_limits=(0.25, 0.5),
    limits_source="Cohen (1988), about a small and a medium effect",
)
