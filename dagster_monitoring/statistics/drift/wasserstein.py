"""Wasserstein distance."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift import mean_shift
from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._places import most_scatter, scatter
from dagster_monitoring.statistics.drift._sampling import above_noise
from dagster_monitoring.statistics.histogram import Floats

TOLERANCE = 1e-2
"""Standard deviations; what the value may be off by beyond this is told."""


def compute(pairs: Pairs) -> Floats:
    """The integral of ``|F - G|``: how far, on average, a row has to be moved.

    Each bin's rows stand at their mean, which the sums give exactly. So it is exact where a bin
    holds one distinct value, and elsewhere off by what happens within a bin: on a profile's bins
    1e-4 standard deviations as a rule, and within 5e-3 with few rows of a heavy tail. Where it
    may be more than 1e-2 the evaluation says by how much.

    Returns:
        From 0 upwards, in the column's unit.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 2.5, 3.5], edges=[2.0, 3.0])
        >>> METRIC.compute(Pair(before, numeric_histogram([2.0, 3.5, 4.5], edges=[2.0, 3.0])))
        1.0
    """
    inside, beyond = (np.abs(area) for area in pairs.line.areas)
    inside += beyond
    return pairs.on_line.sum(inside)


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The mean's quantile, and what the rest of the distribution adds to its square.

    The distance is never less than the shift of the mean, and far out hardly more.
    """
    std, (mean, deviation) = pairs.sampled.std, pairs.once(null_moments)
    rest = mean * mean + deviation * deviation - std * std * pairs.scale
    of_mean = pairs.once(mean_shift.noise, alpha) * std
    return np.hypot(of_mean, np.sqrt(np.maximum(rest, 0.0)))


def error(pairs: Pairs, value: Floats) -> Floats:
    """By the delta method, where the value is well above noise."""
    drifted = np.sqrt(pairs.line.variance(*pairs.line.absolute_weights))
    return above_noise(value, *pairs.once(null_moments), drifted)


def null_moments(pairs: Pairs) -> tuple[Floats, Floats]:
    """Mean and deviation between two samples of each reference's population.

    Of the integral of ``|B(F(x))|``, ``B`` a Brownian bridge, on the reference's own distribution
    function ``F``: a heavy tail is as noisy as it is.
    """
    bridge, root = pairs.bridge, np.sqrt(pairs.scale)
    return bridge.mean_absolute * root, np.sqrt(bridge.variance_of_absolute) * root


def vagueness(pairs: Pairs) -> Floats:
    """The most that rows can matter which lie elsewhere in their bin than at its mean.

    Only where one function may cross the other within the bin, be it that one side alone has rows
    there: the integral of their difference follows from the means. Of all bins where that is
    within the tolerance already.
    """
    at_most, grid = pairs.once(most_vague), pairs.on_line
    is_little = at_most <= TOLERANCE * pairs.spread
    if is_little.all():
        return at_most
    at = grid.cells_of(~is_little)
    p, q, right = pairs.before.shares[at], pairs.after.shares[at], pairs.gaps[at]
    left = right - p + q
    # Before any of the current rows of the bin, or after all of them: the widest gaps inside.
    crosses = (left + p > 0) & (left - q < 0)
    at, p, q = at[crosses], p[crosses], q[crosses]
    before, after = (scatter(side, grid, at) for side in (pairs.before, pairs.after))
    return np.where(is_little, at_most, grid.at(at, p * before + q * after))


def most_vague(pairs: Pairs) -> Floats:
    """The most that rows of both sides can be away from their bins' means, on average."""
    grid = pairs.on_line
    return pairs.before.once(most_scatter, grid) + pairs.after.once(most_scatter, grid)


METRIC = DriftMetric(
    name="wasserstein",
    title="Wasserstein distance",
    formula=compute,
    noise=noise,
    error=error,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, float("inf")),
    symmetric=True,
    unit="column unit",
    scale="log",
    minimum_n=10,
    degenerate="no value when a side is empty, or when values are too large to be added; "
    "of a constant, how far the others are from it",
    source="Ramdas, Garcia, Cuturi (2015), On Wasserstein two sample testing",
    sampling="Brownian bridge on the baseline's own distribution function: del Barrio, Gine, "
    "Matran (1999), Annals of Probability 27; delta method",
    vagueness=vagueness,
    tolerance=TOLERANCE,
)
