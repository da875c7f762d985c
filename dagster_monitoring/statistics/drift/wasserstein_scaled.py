"""Wasserstein distance in standard deviations."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift import wasserstein
from dagster_monitoring.statistics.drift._line import variance
from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import above_noise
from dagster_monitoring.statistics.histogram import Floats, Histogram
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(pair: Pair) -> float | Undefined:
    """The Wasserstein distance over the reference's population standard deviation.

    Columns of any unit can share one threshold. See :mod:`.wasserstein` for its exactness.

    Returns:
        From 0 upwards; ``Undefined`` when either side is empty or the reference is constant.

    Raises:
        ValueError: a categorical histogram; names have no distance.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 3.0], edges=[2.0, 3.0])
        >>> compute(Pair(before, numeric_histogram([2.0, 4.0], edges=[2.0, 3.0])))
        1.0
    """
    distance = pair.once(wasserstein.compute)
    if isinstance(distance, Undefined):
        return distance
    scale = pair.spread
    return scale if isinstance(scale, Undefined) else finite(distance / scale)


def noise(pair: Pair, alpha: float) -> float | Undefined:
    """The distance's, in standard deviations."""
    scale, plain = pair.spread, wasserstein.noise(pair, alpha)
    if isinstance(scale, Undefined) or isinstance(plain, Undefined):
        return scale if isinstance(scale, Undefined) else plain
    return finite(plain / scale)


def error(pair: Pair, value: float) -> float | Undefined:
    """The distance's and that of the standard deviation, which share the reference's rows."""
    scale = pair.spread
    if isinstance(scale, Undefined):
        return scale
    before, after = pair.once(wasserstein.weights)
    of_current = variance(after, pair.line.q) / (scale * scale)
    # The rows of the reference move the unit too.
    squares = pair.sampled.once(_squares)
    own = squares if pair.line.used is None else squares[pair.line.used]
    both = before / scale + own * (value / 2)
    drifted = math.sqrt(variance(both, pair.line.p) / pair.n + of_current / pair.m)
    mean, deviation = wasserstein.null_moments(pair)
    return finite(above_noise(value, mean / scale, deviation / scale, drifted))


def _squares(reference: Histogram) -> Floats:
    """Squares of standardised values, each at its bin's mean."""
    return np.square(reference.standardised)


def vagueness(pair: Pair) -> float:
    """The distance's, in standard deviations."""
    scale = pair.spread
    return 0.0 if isinstance(scale, Undefined) else pair.once(wasserstein.vagueness) / scale


METRIC = DriftMetric(
    name="wasserstein_scaled",
    title="Wasserstein distance in standard deviations",
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
    source="Ramdas, Garcia, Cuturi (2015), over the reference's standard deviation",
    sampling="wasserstein's over the standard deviation; delta method for both together",
    vagueness=vagueness,
    tolerance=1e-2,
    conventional_limits=(0.1, 0.25),
    limits_source="use in the field: 0.1 is NannyML's and Evidently's",
)
