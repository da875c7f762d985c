"""Change of the share of missing values."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import folded_error, normal_quantile
from dagster_monitoring.statistics.histogram import Histogram


def compute(pair: Pair) -> float:
    """``|share of missing, current - reference|``: nulls and NaN among all rows.

    Rows with a value of a wrong type are in neither. The bins do not matter.

    Returns:
        From 0 to 1; ``Undefined`` when either side has no rows at all.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> before = categorical_histogram(["a", "b", "b", None])
        >>> compute(Pair.of(before, categorical_histogram([None, None, "b", None])))
        0.5
    """
    before, after = (h.n_missing / h.rows for h in (pair.reference, pair.current))
    return abs(after - before)


def noise(pair: Pair, alpha: float) -> float:
    """The normal quantile of a difference of shares, with the correction for their skewness."""
    scale = 1 / pair.reference.rows + 1 / pair.current.rows
    share, z = _smoothed(pair.reference), normal_quantile(alpha / 2)
    skewed = max(z * z - 1, 0.0) * (1 - 2 * min(share, 0.5)) * scale / 6
    # A baseline without one missing value does not make the first one noise.
    return z * math.sqrt(share * (1 - share) * scale) + min(skewed, share)


def error(pair: Pair, value: float) -> float:
    """Binomial, of both shares."""
    variance = sum(s * (1 - s) / h.rows for h in _sides(pair) for s in (_smoothed(h),))
    return folded_error(value, math.sqrt(variance))


def _sides(pair: Pair) -> tuple[Histogram, Histogram]:
    return pair.reference, pair.current


def _smoothed(histogram: Histogram) -> float:
    """With half a row more on either side: none so far is not none for sure."""
    return (histogram.n_missing + 0.5) / (histogram.rows + 1)


METRIC = DriftMetric(
    name="missing_share",
    title="Change of the share of missing values",
    formula=compute,
    noise=noise,
    error=error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="share",
    minimum_n=10,
    degenerate="no value when a side has no rows; a column that is missing altogether has one",
    source="difference of two proportions",
    sampling="normal with skewness (Cornish, Fisher 1938); binomial error with half a row added",
    of_missing=True,
    conventional_limits=(0.05, 0.2),
    limits_source="use in the field",
)
