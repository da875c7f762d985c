"""Total variation distance."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift._bins import Bins
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import (
    FOLDED_DEVIATION,
    FOLDED_MEAN,
    above_noise,
    root_quantile,
)
from dagster_monitoring.statistics.drift._unseen import unseen
from dagster_monitoring.statistics.histogram import Floats, Histogram


def compute(pair: Pair) -> float:
    """``sum |p - q| / 2``: the share of rows that would have to change bin.

    Returns:
        From 0 to 1; ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> compute(Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb")))
        0.25
    """
    return min(pair.of_bins(_distance), 1.0)


def _distance(bins: Bins) -> Floats:
    return bins.sum(bins.distances) / 2


def noise(pair: Pair, alpha: float) -> float:
    """The quantile of a chi distribution with the moments of :func:`null_moments`.

    And on top as many rows of unseen names as chance may bring.
    """
    mean, deviation = pair.once(null_moments)
    return root_quantile(mean, deviation**2, alpha) + unseen(pair, alpha).rows / pair.m


def error(pair: Pair, value: float) -> float:
    """By the delta method, where the value is well above noise."""
    return above_noise(value, *pair.once(null_moments), pair.of_bins(_deviation))


def _deviation(bins: Bins) -> Floats:
    """Of the distance, when it is well above noise."""
    sides: Floats = np.sign(bins.apart)
    # Of whole rows, whose sum is exact: the root of a difference of 1e-16 would be 1e-8.
    sums = bins.sum(sides * bins.before) / bins.n, bins.sum(sides * bins.after) / bins.m
    by_p, by_q = (1 - mean**2 for mean in sums)
    return np.sqrt(np.maximum(by_p / bins.n + by_q / bins.m, 0.0)) / 2


def null_moments(pair: Pair) -> tuple[float, float]:
    """Mean and deviation between two samples of the reference's population.

    Each ``|p - q|`` is the absolute value of a normal one; two of them with the correlation
    ``r`` have the covariance ``r^2 / pi`` times their deviations, to second order.
    """
    p = pair.expected
    if len(p) == 1:
        return 0.0, 0.0
    deviations, squares, shared = pair.sampled.once(_of_one_row)
    # A bin with fewer expected rows than one is off by twice its share at most.
    mean = float(np.minimum(deviations * (FOLDED_MEAN * math.sqrt(pair.scale)), 2 * p).sum())
    variance = pair.scale * (FOLDED_DEVIATION**2 * squares + shared / math.pi)
    return mean / 2, math.sqrt(variance) / 2


def _of_one_row(sampled: Histogram) -> tuple[Floats, float, float]:
    """The deviations of the shares, their squares' sum, and what two shares have in common."""
    p = sampled.expected
    deviations = np.sqrt(p * (1 - p))
    together = p * np.sqrt(p / (1 - p))
    shared = float(together.sum()) ** 2 - float(np.dot(together, together))
    return deviations, float(np.dot(deviations, deviations)), shared


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
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Levin, Peres, Wilmer (2009), Markov Chains and Mixing Times, ch. 4",
    sampling="a chi distribution with the moments of correlated normal shares; delta method; rows "
    "of unseen names by Good (1953), too high where many names are rare",
    conventional_limits=(0.1, 0.2),
    limits_source="use in the field",
)
