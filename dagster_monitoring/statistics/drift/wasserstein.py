"""Wasserstein distance."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift import mean_shift
from dagster_monitoring.statistics.drift._line import variance
from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._places import half_widths, most_scatter, scatter
from dagster_monitoring.statistics.drift._sampling import above_noise
from dagster_monitoring.statistics.histogram import Floats, Histogram
from dagster_monitoring.statistics.undefined import Undefined, finite

TOLERANCE = 1e-2
"""Standard deviations; what the value may be off by beyond this is told."""


def compute(pair: Pair) -> float | Undefined:
    """The integral of ``|F - G|``: how far, on average, a row has to be moved.

    Each bin's rows stand at their mean, which the sums give exactly. So it is exact where a bin
    holds one distinct value, and elsewhere off by what happens within a bin: on a profile's bins
    1e-4 standard deviations as a rule, and within 5e-3 with few rows of a heavy tail. Where it
    may be more than 1e-2 the evaluation says by how much.

    Returns:
        From 0 upwards, in the column's unit; ``Undefined`` when either side is empty.

    Raises:
        ValueError: a categorical histogram; names have no distance.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 2.5, 3.5], edges=[2.0, 3.0])
        >>> compute(Pair(before, numeric_histogram([2.0, 3.5, 4.5], edges=[2.0, 3.0])))
        1.0
    """
    return finite(float(np.abs(pair.line.areas).sum()))


def noise(pair: Pair, alpha: float) -> float | Undefined:
    """The mean's quantile, and what the rest of the distribution adds to its square.

    The distance is never less than the shift of the mean, and far out hardly more.
    """
    scale = pair.reference.std
    if isinstance(scale, Undefined):
        return scale
    mean, deviation = null_moments(pair)
    rest = mean * mean + deviation * deviation - scale * scale * pair.scale
    of_mean = mean_shift.noise(pair, alpha) * scale
    return finite(math.hypot(of_mean, math.sqrt(max(rest, 0.0))))


def error(pair: Pair, value: float) -> float | Undefined:
    """By the delta method, where the value is well above noise."""
    before, after = pair.once(weights)
    drifted = variance(before, pair.line.p) / pair.n + variance(after, pair.line.q) / pair.m
    return finite(above_noise(value, *null_moments(pair), math.sqrt(drifted)))


def weights(pair: Pair) -> tuple[Floats, Floats]:
    """What a row of the reference takes off the distance in each bin, and a current one adds."""
    return pair.line.weights(np.copysign(pair.line.widths, pair.line.gaps) * (pair.line.gaps != 0))


def null_moments(pair: Pair) -> tuple[float, float]:
    """Mean and deviation between two samples of the reference's population.

    Of the integral of ``|B(F(x))|``, ``B`` a Brownian bridge, on the reference's own distribution
    function ``F``: a heavy tail is as noisy as it is.
    """
    bridge, root = pair.bridge, math.sqrt(pair.scale)
    return bridge.mean_absolute * root, math.sqrt(bridge.variance_of_absolute) * root


def vagueness(pair: Pair) -> float:
    """The most that rows can matter which lie elsewhere in their bin than at its mean.

    Only where one function may cross the other within the bin, be it that one side alone has rows
    there: the integral of their difference follows from the means. Of all bins where that is
    within the tolerance already.
    """
    at_most, spread = pair.once(most_vague), pair.spread
    if not isinstance(spread, Undefined) and at_most <= TOLERANCE * spread:
        return at_most
    p, q, right = pair.p, pair.q, pair.gaps
    left = right - p + q
    # Before any of the current rows of the bin, or after all of them: the widest gaps inside.
    highest, lowest = left + p, left - q
    at = np.flatnonzero((highest > 0) & (lowest < 0))
    if not len(at):
        return 0.0
    before, after = scatter(pair.reference, at), scatter(pair.current, at)
    return float(np.dot(p[at], before) + np.dot(q[at], after))


def most_vague(pair: Pair) -> float:
    """The most that rows of both sides can be away from their bins' means, on average."""
    widths = pair.sampled.once(half_widths)
    return pair.sampled.once(_of_itself) + most_scatter(pair.current, widths)


def _of_itself(reference: Histogram) -> float:
    return most_scatter(reference, reference.once(half_widths))


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
    minimum_n=10,
    degenerate="no value when a side is empty, or when values are too large to be added; "
    "of a constant, how far the others are from it",
    source="Ramdas, Garcia, Cuturi (2015), On Wasserstein two sample testing",
    sampling="Brownian bridge on the baseline's own distribution function: del Barrio, Gine, "
    "Matran (1999), Annals of Probability 27; delta method",
    vagueness=vagueness,
    tolerance=TOLERANCE,
)
