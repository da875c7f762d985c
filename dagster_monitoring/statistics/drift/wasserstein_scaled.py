"""Wasserstein distance in standard deviations."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift import wasserstein
from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._sampling import above_noise
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """The Wasserstein distance over the reference's population standard deviation.

    Columns of any unit can share one threshold. See :mod:`.wasserstein` for its exactness.

    Returns:
        From 0 upwards.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 3.0], edges=[2.0, 3.0])
        >>> METRIC.compute(Pair(before, numeric_histogram([2.0, 4.0], edges=[2.0, 3.0])))
        1.0
    """
    return pairs.once(wasserstein.compute) / pairs.spread


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The distance's, in standard deviations."""
    return pairs.once(wasserstein.noise, alpha) / pairs.spread


def error(pairs: Pairs, value: Floats) -> Floats:
    """The distance's and that of the standard deviation, which share the reference's rows."""
    grid, scale = pairs.on_line, pairs.spread
    before, after = pairs.line.absolute_weights
    # The rows of the reference move the unit too.
    squares = pairs.sampled.once(_squares)
    unit = grid.each(scale)
    both = squares * grid.each(value / 2)
    both += before / unit
    drifted = np.sqrt(pairs.line.variance(both, after / unit))
    mean, deviation = pairs.once(wasserstein.null_moments)
    return above_noise(value, mean / scale, deviation / scale, drifted)


def _squares(reference: Side) -> Floats:
    """Squares of standardised values, each at its bin's mean."""
    return np.square(reference.standardised)


def vagueness(pairs: Pairs) -> Floats:
    """The distance's, in standard deviations; 0 without one."""
    found = pairs.once(wasserstein.vagueness) / pairs.spread
    return np.where(np.isnan(pairs.spread), 0.0, found)


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
    scale="log",
    minimum_n=10,
    degenerate="no value when a side is empty, or the baseline is constant",
    source="Ramdas, Garcia, Cuturi (2015), over the reference's standard deviation",
    sampling="wasserstein's over the standard deviation; delta method for both together",
    vagueness=vagueness,
    tolerance=1e-2,
    undefined=Pairs.why_no_spread,
    conventional_limits=(0.1, 0.25),
    limits_source="use in the field: 0.1 is NannyML's and Evidently's",
)
