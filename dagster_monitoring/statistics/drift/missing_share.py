"""Change of the share of missing values."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._sampling import folded_error, normal_quantile
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """``|share of missing, current - reference|``: nulls and NaN among all rows.

    Rows with a value of a wrong type are in neither. The bins do not matter.

    Returns:
        From 0 to 1.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> before = categorical_histogram(["a", "b", "b", None])
        >>> METRIC.compute(Pair.of(before, categorical_histogram([None, None, "b", None])))
        0.5
    """
    before, after = (side.n_missing / side.all_rows for side in (pairs.before, pairs.after))
    return np.abs(after - before)


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The normal quantile of a difference of shares, with the correction for their skewness."""
    scale = 1 / pairs.before.all_rows + 1 / pairs.after.all_rows
    share, z = _smoothed(pairs.before), normal_quantile(alpha / 2)
    skewed = np.maximum(z * z - 1, 0.0) * (1 - 2 * np.minimum(share, 0.5)) * scale / 6
    # A baseline without one missing value does not make the first one noise.
    found: Floats = z * np.sqrt(share * (1 - share) * scale) + np.minimum(skewed, share)
    return found


def error(pairs: Pairs, value: Floats) -> Floats:
    """Binomial, of both shares."""
    p, q = _smoothed(pairs.before), _smoothed(pairs.after)
    variance = p * (1 - p) / pairs.before.all_rows + q * (1 - q) / pairs.after.all_rows
    return folded_error(value, np.sqrt(variance))


def _smoothed(side: Side) -> Floats:
    """With half a row more on either side: none so far is not none for sure."""
    return (side.n_missing + 0.5) / (side.all_rows + 1)


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
    scale="three_fifths",
    minimum_n=10,
    degenerate="no value when a side has no rows; a column that is missing altogether has one",
    source="difference of two proportions",
    sampling="normal with skewness (Cornish, Fisher 1938); binomial error with half a row added",
    of_missing=True,
    conventional_limits=(0.05, 0.2),
    limits_source="use in the field",
)
