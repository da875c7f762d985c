"""Shift of the median."""

from __future__ import annotations

from dagster_monitoring.statistics.drift import _quantile_shift as shift
from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats

_HALF = (0.5,)


def compute(pairs: Pairs) -> Floats:
    """``|median(current) - median(reference)|`` in standard deviations of the reference.

    The median is the smallest value that at least half of the rows reach not above
    (``numpy.quantile(x, 0.5, method="inverted_cdf")``), told by the mean of its bin: exact where
    the bin holds one distinct value. A tail or an outlier does not move it.

    Returns:
        From 0 upwards.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 1.0, 3.0, 3.0], edges=[2.0, 3.5])
        >>> METRIC.compute(Pair(before, numeric_histogram([3.0, 3.0, 900.0], edges=[2.0, 3.5])))
        2.0
    """
    return shift.largest_shift(pairs, _HALF)


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The baseline's quantiles between which a median of so few rows lies."""
    return shift.null_quantile(pairs, _HALF, alpha)


def error(pairs: Pairs, value: Floats) -> Floats:
    """From the quantiles around both medians."""
    return shift.standard_error(pairs, _HALF, value)


def vagueness(pairs: Pairs) -> Floats:
    """How far both medians may be from their bins' means."""
    return shift.vagueness(pairs, _HALF)


METRIC = DriftMetric(
    name="median_shift",
    title="Shift of the median",
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
    source="Hyndman, Fan (1996), Sample quantiles in statistical packages, definition 1",
    sampling="beta distribution of a rank; Woodruff (1952), Confidence intervals for medians",
    vagueness=vagueness,
    undefined=Pairs.why_no_spread,
    tolerance=1e-2,
    conventional_limits=(0.25, 0.5),
    limits_source="as mean_shift",
)
