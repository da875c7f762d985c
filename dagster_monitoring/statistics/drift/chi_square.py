"""Chi-square statistic."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._shares import aligned_counts
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined


def compute(reference: Histogram, current: Histogram) -> float | Undefined:
    """Pearson's statistic of the 2 x K table of counts, without Yates' correction.

    Bins that both sides leave empty are not in the table. It grows with the number of rows: take
    :mod:`.cramers_v` to compare windows of different sizes.

    Returns:
        From 0 upwards; 0 where there is one bin only; ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> compute(categorical_histogram("aabb"), categorical_histogram("abbb"))
        0.5333333333333333
    """
    pair = aligned_counts(reference, current)
    if isinstance(pair, Undefined):
        return pair
    table = np.stack(pair).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(np.sum(np.square(table - expected) / expected))


def degrees_of_freedom(reference: Histogram, current: Histogram) -> int:
    """One less than the bins that either side has a row in; at least 0."""
    used = (reference.counts + current.counts) > 0
    return max(int(np.count_nonzero(used)) - 1, 0)


def p_value(reference: Histogram, current: Histogram) -> float | Undefined:
    """How likely so large a statistic is when both sides have the same distribution.

    Returns:
        From 0 to 1, by the chi-square distribution; 1 where there is one bin only.
    """
    from scipy.special import chdtrc

    statistic = compute(reference, current)
    if isinstance(statistic, Undefined):
        return statistic
    freedom = degrees_of_freedom(reference, current)
    return float(chdtrc(freedom, statistic)) if freedom else 1.0


METRIC = DriftMetric(
    name="chi_square",
    title="Chi-square statistic",
    compute=compute,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, float("inf")),
    symmetric=True,
    unit="",
    minimum_n=10,
    source="Pearson (1900), as scipy.stats.chi2_contingency(correction=False)",
)
