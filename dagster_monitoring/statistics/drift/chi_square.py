"""Chi-square statistic."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._bins import Bins
from dagster_monitoring.statistics.drift._divergence import Divergence
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """Pearson's statistic of the 2 x K table of counts, without Yates' correction.

    Bins that both sides leave empty are not in the table. It grows with the number of rows: take
    :mod:`.cramers_v` to compare windows of different sizes.

    Returns:
        From 0 upwards; 0 where there is one bin only.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> round(METRIC.compute(pair), 12)
        0.533333333333
    """
    bins = pairs.bins
    total = np.maximum(bins.before + bins.after, 1)
    return bins.n * bins.m * bins.sum(bins.apart * bins.apart / total)


def degrees_of_freedom(pairs: Pairs) -> Floats:
    """One less than the bins that either side has a row in; at least 0."""
    bins = pairs.bins
    return np.maximum(bins.count(bins.before + bins.after > 0) - 1, 0.0)


def p_value(pairs: Pairs, statistic: Floats) -> Floats:
    """How likely so large a statistic is when both sides have the same distribution.

    Args:
        pairs: both sides with rows.
        statistic: one of each pair.

    Returns:
        From 0 to 1, by the chi-square distribution; 1 where there is one bin only.
    """
    from scipy.special import chdtrc

    freedom = pairs.once(degrees_of_freedom)
    return np.where(freedom > 0, chdtrc(freedom, statistic), 1.0)


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The chi-square distribution's quantile, corrected for bins of few expected rows."""
    return SAMPLING.null_quantile(pairs, alpha) / pairs.scale


def error(pairs: Pairs, value: Floats) -> Floats:
    """By the delta method; never less than without any drift."""
    return SAMPLING.standard_error(pairs, value) / pairs.scale


def _cell(x: Floats, y: Floats) -> Floats:
    return np.square(x - y) / y


def _empty(y: Floats, m: Floats) -> Floats:
    del m
    return y


def _unseen(x: Floats, k: Floats, n: Floats, m: Floats) -> Floats:
    del k
    rows = n + m
    # Over the pooled share, which is the current one's m / (n + m); and as that grows, the other
    # bins' pooled shares are less than the reference's.
    return x * rows / m + x * x / m * x / (rows - x)


def _slopes(bins: Bins) -> tuple[Floats, Floats]:
    p, q = bins.smoothed
    of_reference = bins.each(bins.n / (bins.n + bins.m))
    apart = (q - p) / (of_reference * p + (1 - of_reference) * q)
    squared = apart * apart
    return -2 * apart - of_reference * squared, 2 * apart - (1 - of_reference) * squared


SAMPLING = Divergence(curvature=1.0, cell=_cell, empty=_empty, unseen=_unseen, slopes=_slopes)
"""Of the statistic times ``1/n + 1/m``: ``sum((q - p)^2 / pooled share)``."""

METRIC = DriftMetric(
    name="chi_square",
    title="Chi-square statistic",
    formula=compute,
    noise=noise,
    error=error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, float("inf")),
    symmetric=True,
    unit="",
    scale="cube_root",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Pearson (1900), as scipy.stats.chi2_contingency(correction=False)",
    sampling="chi-square, with Poisson moments for bins of fewer than 60 expected rows; "
    "delta method; rows of unseen names by Good (1953), too high where many names are rare",
)
