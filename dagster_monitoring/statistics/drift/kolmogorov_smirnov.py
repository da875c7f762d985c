"""Kolmogorov-Smirnov statistic."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._rows import Flags
from dagster_monitoring.statistics.drift._sampling import above_noise, normal_quantile
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats

_MEAN, _DEVIATION = 0.868731, 0.260333
"""Of Kolmogorov's distribution: Marsaglia, Tsang, Wang (2003), sqrt(pi / 2) ln 2."""

_FEW_VALUES = 32
_EPSILON = 2.0**-52


def compute(pairs: Pairs) -> Floats:
    """``max |F - G|`` of the two distribution functions, at the edges of the bins.

    Between two edges it can be missed by no more than the smaller of both shares in that bin:
    1/2048 on a profile's bins against training, nothing where a bin has room for one value only.
    Where it may be more than 1e-3 (a rolling baseline beyond the range of training) the
    evaluation says by how much.

    Returns:
        From 0 to 1.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 2.5, 3.5, 4.0], edges=[2.0, 3.0])
        >>> METRIC.compute(Pair(before, numeric_histogram([3.0, 3.5, 4.0, 5.0], edges=[2.0, 3.0])))
        0.5
    """
    return pairs.before.rows.largest(np.abs(pairs.gaps))


def p_value(pairs: Pairs, statistic: Floats) -> Floats:
    """How likely so large a statistic is when both sides have the same distribution.

    Kolmogorov's distribution of ``D (sqrt(N) + 0.12 + 0.11 / sqrt(N))`` with
    ``N = n m / (n + m)``: for continuous values right within 0.02 from 300 rows a side on, and with
    20 rows a side within 0.1, of p-values below 0.1 within 0.03. Too high (on the safe side) where
    values repeat.

    Args:
        pairs: both sides with rows.
        statistic: one of each pair.

    Source: Stephens (1970), Journal of the Royal Statistical Society B 32, 115-122.
    """
    from scipy.special import kolmogorov

    found: Floats = kolmogorov(statistic * _root_rows(pairs))
    return found


def noise(pairs: Pairs, alpha: float) -> Floats:
    """Kolmogorov's quantile; of few distinct values, Bonferroni's bound over them if lower."""
    from scipy.special import kolmogi

    smooth = kolmogi(alpha) / _root_rows(pairs)
    # The largest of so many normal gaps, one at each distinct value but the last.
    places = np.maximum(pairs.sampled.n_filled - 1, 1.0)
    few = normal_quantile(alpha / 2 / places) * _widest(pairs) / 2
    found: Floats = np.where(_has_few_values(pairs), np.minimum(smooth, few), smooth)
    return found


def error(pairs: Pairs, value: Floats) -> Floats:
    """The gap's where it is widest, when it is well above noise."""
    at = pairs.before.rows.widest(np.abs(pairs.gaps))
    f, g = pairs.before.distribution[at], pairs.after.distribution[at]
    drifted = np.sqrt(f * (1 - f) / pairs.n + g * (1 - g) / pairs.m)
    widest = _widest(pairs)
    return above_noise(value, _MEAN * widest, _DEVIATION * widest, drifted)


def vagueness(pairs: Pairs) -> Floats:
    """By how much the gap within a bin may exceed the widest one at an edge."""
    grid, gaps = pairs.on_line, pairs.gaps
    # All rows of one side before all of the other's: the gap at the left edge and one share.
    inside = np.maximum(gaps + pairs.after.shares, pairs.before.shares - gaps)
    reached = pairs.once(compute)
    wider = np.flatnonzero(inside > grid.each(reached + _EPSILON))
    wider = wider[~grid.single[wider]]
    found = reached.copy()
    np.maximum.at(found, grid.numbers[wider], inside[wider])
    return found - reached


def _root_rows(pairs: Pairs) -> Floats:
    root = 1 / np.sqrt(pairs.scale)
    return root + 0.12 + 0.11 / root


def _has_few_values(pairs: Pairs) -> Flags:
    found: Flags = pairs.sampled.n_filled <= _FEW_VALUES
    return found


def _widest(pairs: Pairs) -> Floats:
    """Twice the largest deviation of a gap: 1 over the root of the rows when continuous."""
    few = 4 * pairs.sampled.once(_largest_variance)
    return np.sqrt(pairs.scale * np.where(_has_few_values(pairs), few, 1.0))


def _largest_variance(sampled: Side) -> Floats:
    """Of the distribution function of one row, at the distinct values."""
    return sampled.rows.largest(sampled.distribution * (1 - sampled.distribution))


METRIC = DriftMetric(
    name="kolmogorov_smirnov",
    title="Kolmogorov-Smirnov statistic",
    formula=compute,
    noise=noise,
    error=error,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="share",
    scale="fourth_root",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Hodges (1958), The significance probability of the Smirnov two-sample test",
    sampling="Kolmogorov's distribution, or Bonferroni over few distinct values; binomial error "
    "at the widest gap",
    vagueness=vagueness,
    conventional_limits=(0.1, 0.2),
    limits_source="use in the field",
)
