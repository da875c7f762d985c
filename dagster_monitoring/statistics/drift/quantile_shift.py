"""Largest shift of a quantile."""

from __future__ import annotations

from dagster_monitoring.statistics.drift import _quantile_shift as shift
from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Both tails, both quartiles, and the median."""


def compute(pairs: Pairs) -> Floats:
    """The most that the 5, 25, 50, 75 or 95 % quantile moved, in the reference's deviations.

    ``max |q(current) - q(reference)| / std(reference)``, each quantile the smallest value up to
    which at least that share of the rows lies (``numpy.quantile(method="inverted_cdf")``), told
    by the mean of its bin: exact where the bin holds one distinct value.

    Returns:
        From 0 upwards.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 1.0, 3.0, 3.0], edges=[2.0, 3.5])
        >>> METRIC.compute(Pair(before, numeric_histogram([1.0, 3.0, 3.0, 7.0], edges=[2.0, 3.5])))
        4.0
    """
    return shift.largest_shift(pairs, SHARES)


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The baseline's quantiles between which those of so few rows lie."""
    return shift.null_quantile(pairs, SHARES, alpha)


def error(pairs: Pairs, value: Floats) -> Floats:
    """From the quantiles around the one that moved most."""
    return shift.standard_error(pairs, SHARES, value)


def vagueness(pairs: Pairs) -> Floats:
    """How far the quantiles may be from their bins' means."""
    return shift.vagueness(pairs, SHARES)


METRIC = DriftMetric(
    name="quantile_shift",
    title="Largest shift of a quantile",
    formula=compute,
    noise=noise,
    error=error,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, float("inf")),
    symmetric=False,
    unit="standard deviations",
    scale="cube_root",
    minimum_n=20,
    degenerate="no value when a side is empty, or the baseline is constant",
    source="Hyndman, Fan (1996), Sample quantiles in statistical packages, definition 1",
    sampling="beta distribution of a rank, Bonferroni over the quantiles; Woodruff (1952)",
    vagueness=vagueness,
    undefined=Pairs.why_no_spread,
    tolerance=1e-2,
)
