"""Kolmogorov-Smirnov statistic."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import above_noise, normal_quantile
from dagster_monitoring.statistics.histogram import Histogram

_MEAN, _DEVIATION = 0.868731, 0.260333
"""Of Kolmogorov's distribution: Marsaglia, Tsang, Wang (2003), sqrt(pi / 2) ln 2."""

_FEW_VALUES = 32
_EPSILON = 2.0**-52


def compute(pair: Pair) -> float:
    """``max |F - G|`` of the two distribution functions, at the edges of the bins.

    Between two edges it can be missed by no more than the smaller of both shares in that bin:
    1/2048 on a profile's bins against training, nothing where a bin has room for one value only.
    Where it may be more than 1e-3 (a rolling baseline beyond the range of training) the
    evaluation says by how much.

    Returns:
        From 0 to 1; ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 2.5, 3.5, 4.0], edges=[2.0, 3.0])
        >>> compute(Pair(before, numeric_histogram([3.0, 3.5, 4.0, 5.0], edges=[2.0, 3.0])))
        0.5
    """
    return abs(float(pair.gaps[pair.widest]))


def p_value(pair: Pair, statistic: float | None = None) -> float:
    """How likely so large a statistic is when both sides have the same distribution.

    Kolmogorov's distribution of ``D (sqrt(N) + 0.12 + 0.11 / sqrt(N))`` with
    ``N = n m / (n + m)``: for continuous values right within 0.02 from 300 rows a side on, and with
    20 rows a side within 0.1, of p-values below 0.1 within 0.03. Too high (on the safe side) where
    values repeat.

    Args:
        pair: both with rows.
        statistic: of the pair; computed when left out.

    Source: Stephens (1970), Journal of the Royal Statistical Society B 32, 115-122.
    """
    from scipy.special import kolmogorov

    reached = compute(pair) if statistic is None else statistic
    return float(kolmogorov(reached * _root_rows(pair)))


def noise(pair: Pair, alpha: float) -> float:
    """Kolmogorov's quantile; of few distinct values, Bonferroni's bound over them if lower."""
    smooth = _kolmogorov_quantile(alpha) / _root_rows(pair)
    return min(smooth, _of_few_values(pair, alpha)) if len(pair.expected) <= _FEW_VALUES else smooth


def error(pair: Pair, value: float) -> float:
    """The gap's where it is widest, when it is well above noise."""
    at = pair.widest
    f = float(pair.reference.cumulated[at]) / pair.n
    g = float(pair.current.cumulated[at]) / pair.m
    drifted = math.sqrt(f * (1 - f) / pair.n + g * (1 - g) / pair.m)
    widest = _widest(pair)
    return above_noise(value, _MEAN * widest, _DEVIATION * widest, drifted)


def vagueness(pair: Pair) -> float:
    """By how much the gap within a bin may exceed the widest one at an edge."""
    p, q, gaps = pair.p, pair.q, pair.gaps
    # All rows of one side before all of the other's: the gap at the left edge and one share.
    inside = np.maximum(gaps + q, p - gaps)
    reached = compute(pair)
    wider = np.flatnonzero(inside > reached + _EPSILON)
    wider = wider[~pair.reference.single(wider)]
    return float(inside[wider].max(initial=reached)) - reached


def _root_rows(pair: Pair) -> float:
    root = 1 / math.sqrt(pair.scale)
    return root + 0.12 + 0.11 / root


@lru_cache(maxsize=256)
def _kolmogorov_quantile(alpha: float) -> float:
    from scipy.special import kolmogi

    return float(kolmogi(alpha))


def _of_few_values(pair: Pair, alpha: float) -> float:
    """The largest of so many normal gaps, one at each distinct value but the last."""
    places = len(pair.expected) - 1
    if not places:
        return 0.0
    return normal_quantile(alpha / 2 / places) * _widest(pair) / 2


def _widest(pair: Pair) -> float:
    """Twice the largest deviation of a gap: 1 over the root of the rows when continuous."""
    if len(pair.expected) > _FEW_VALUES:
        return math.sqrt(pair.scale)
    return 2 * math.sqrt(pair.scale * pair.sampled.once(_largest_variance))


def _largest_variance(sampled: Histogram) -> float:
    """Of the distribution function of one row, at the distinct values but the last."""
    cumulated = np.cumsum(sampled.expected)[:-1]
    return float(np.max(cumulated * (1 - cumulated), initial=0.0))


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
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Hodges (1958), The significance probability of the Smirnov two-sample test",
    sampling="Kolmogorov's distribution, or Bonferroni over few distinct values; binomial error "
    "at the widest gap",
    vagueness=vagueness,
    conventional_limits=(0.1, 0.2),
    limits_source="use in the field",
)
