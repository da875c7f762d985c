"""Total variation distance."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._sampling import (
    FOLDED_DEVIATION,
    FOLDED_MEAN,
    above_noise,
    root_quantile,
)
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.drift._unseen import unseen
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """``sum |p - q| / 2``: the share of rows that would have to change bin.

    Returns:
        From 0 to 1.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> METRIC.compute(Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb")))
        0.25
    """
    return np.minimum(pairs.bins.sum(pairs.bins.distances) / 2, 1.0)


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The quantile of a chi distribution with the moments of :func:`null_moments`.

    And on top as many rows of unseen names as chance may bring.
    """
    mean, deviation = pairs.once(null_moments)
    found, lacked = root_quantile(mean, deviation**2, alpha), pairs.once(unseen, alpha)
    return found if lacked is None else found + lacked.rows / pairs.m


def error(pairs: Pairs, value: Floats) -> Floats:
    """By the delta method, where the value is well above noise."""
    bins = pairs.bins
    sides: Floats = np.sign(bins.apart)
    # Of whole rows, whose sum is exact: the root of a difference of 1e-16 would be 1e-8.
    by_p, by_q = bins.sum(sides * bins.before) / bins.n, bins.sum(sides * bins.after) / bins.m
    variance = (1 - by_p * by_p) / bins.n + (1 - by_q * by_q) / bins.m
    deviation = np.sqrt(np.maximum(variance, 0.0)) / 2
    return above_noise(value, *pairs.once(null_moments), deviation)


def null_moments(pairs: Pairs) -> tuple[Floats, Floats]:
    """Mean and deviation between two samples of each reference's population.

    Each ``|p - q|`` is the absolute value of a normal one; two of them with the correlation
    ``r`` have the covariance ``r^2 / pi`` times their deviations, to second order.
    """
    sampled = pairs.sampled
    deviations, squares, shared = sampled.once(_of_one_row)
    # A bin with fewer expected rows than one is off by twice its share at most.
    usual = deviations * sampled.rows.each(FOLDED_MEAN * np.sqrt(pairs.scale))
    mean = sampled.rows.sum(np.minimum(usual, 2 * sampled.shares))
    variance = pairs.scale * (FOLDED_DEVIATION**2 * squares + shared / np.pi)
    varies = sampled.n_filled > 1
    return np.where(varies, mean / 2, 0.0), np.where(varies, np.sqrt(variance) / 2, 0.0)


def _of_one_row(sampled: Side) -> tuple[Floats, Floats, Floats]:
    """The deviations of the shares, their squares' sum, and what two shares have in common."""
    p, total = sampled.shares, sampled.rows.sum
    together = p * np.sqrt(p / (1 - p))
    shared = np.square(total(together)) - total(together * together)
    return np.sqrt(p * (1 - p)), total(p * (1 - p)), shared


METRIC = DriftMetric(
    name="total_variation",
    title="Total variation distance",
    formula=compute,
    noise=noise,
    error=error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="share",
    scale="two_thirds",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Levin, Peres, Wilmer (2009), Markov Chains and Mixing Times, ch. 4",
    sampling="a chi distribution with the moments of correlated normal shares; delta method; rows "
    "of unseen names by Good (1953), too high where many names are rare",
    conventional_limits=(0.1, 0.2),
    limits_source="use in the field",
)
