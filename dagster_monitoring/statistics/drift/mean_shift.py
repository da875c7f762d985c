"""Shift of the mean."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._sampling import folded_error, skewed_quantile
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """``|mean(current) - mean(reference)|`` in population standard deviations of the reference.

    From sums, so it does not depend on the bins.

    Returns:
        From 0 upwards.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 3.0], edges=[2.0, 3.0])
        >>> METRIC.compute(Pair(before, numeric_histogram([4.0], edges=[2.0, 3.0])))
        2.0
    """
    return np.abs(_moved(pairs)) / pairs.spread


def noise(pairs: Pairs, alpha: float) -> Floats:
    """A normal quantile, further out where the reference is skewed and rows are few."""
    skewness = np.round(np.abs(pairs.sampled.moments[1]) * np.sqrt(pairs.scale), 2)
    # A constant and an empty side have none.
    found = skewed_quantile(np.where(np.isfinite(skewness), skewness, 0.0), alpha)
    return found * np.sqrt(pairs.scale)


def error(pairs: Pairs, value: Floats) -> Floats:
    """Of both means, and of the standard deviation that they are told in.

    The reference is a sample too, whose mean has an error of its own whether or not the means
    differ; only what its standard deviation adds vanishes where they are equal.
    """
    ahead, half = np.copysign(1.0, _moved(pairs)), value / 2
    second, third, fourth = pairs.sampled.moments
    # The variance of ahead * z + half * z^2, z being the reference's standardised values, mean 0.
    of_reference = second + half * half * (fourth - second * second) + 2 * ahead * half * third
    of_current = np.square(pairs.after.std / pairs.spread) / pairs.m
    variance = np.maximum(of_reference, 0.0) / pairs.n + of_current
    return folded_error(value, np.sqrt(variance))


def _moved(pairs: Pairs) -> Floats:
    # Offsets from the centres, not means: a mean of 1e9 would swallow a shift of 1e-8.
    moved = pairs.after.offset - pairs.before.offset
    return moved + (pairs.after.centre - pairs.before.centre)


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
    scale="three_fifths",
    minimum_n=10,
    degenerate="no value when a side is empty, or the baseline is constant",
    source="Glass (1976), as a standardised mean difference",
    sampling="normal quantile, Pearson type III for skewed columns; delta method for the means "
    "and the standard deviation, too low for few rows of a heavy tail",
    conventional_limits=(0.25, 0.5),
    undefined=Pairs.why_no_spread,
    limits_source="Cohen (1988), about a small and a medium effect",
)
