"""P-value of the chi-square statistic."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift import chi_square
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """How likely so large a chi-square statistic is when nothing has drifted.

    Low values tell of drift. With many rows it is low for a drift that does not matter: take
    :mod:`.cramers_v` to judge its size.

    Returns:
        From 0 to 1; 1 where there is one bin only.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> round(METRIC.compute(pair), 4)
        0.4652
    """
    return chi_square.p_value(pairs, pairs.once(chi_square.compute))


def noise(pairs: Pairs, alpha: float) -> Floats:
    """None: how many rows there are is in the value."""
    del alpha
    return np.zeros(len(pairs.n))


def error(pairs: Pairs, value: Floats) -> Floats:
    """Half of what the p-value moves by as the statistic moves by its error either way."""
    del value
    statistic = pairs.once(chi_square.compute)
    aside = chi_square.error(pairs, statistic)
    low = chi_square.p_value(pairs, statistic + aside)
    return (chi_square.p_value(pairs, np.maximum(statistic - aside, 0.0)) - low) / 2


METRIC = DriftMetric(
    name="chi_square_p_value",
    title="P-value of chi-square",
    formula=compute,
    noise=noise,
    error=error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="probability",
    scale="probit",
    minimum_n=10,
    degenerate="no value when a side is empty; 1 when all rows share one bin",
    source="Pearson (1900), as scipy.stats.chi2_contingency(correction=False)",
    sampling="it allows for the number of rows itself; its error from the statistic's",
    higher_is_worse=False,
    conventional_limits=(0.01, 0.001),
    limits_source="a tenth of Fisher's 5 and 1 % (1925), since it is asked every day",
)
