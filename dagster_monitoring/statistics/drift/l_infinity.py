"""L-infinity distance."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._rows import Rows
from dagster_monitoring.statistics.drift._sampling import above_noise, normal_quantile
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.drift._unseen import unseen
from dagster_monitoring.statistics.histogram import Floats

_LEAST_SIMILAR = 0.05
"""Bins whose deviation is a smaller part of the largest one's do not make the maximum."""

_GRID_STEP = 0.2
_GRID = np.arange(_GRID_STEP / 2, 5, _GRID_STEP)[:, None]


def compute(pairs: Pairs) -> Floats:
    """``max |p - q|``: the change of the share that changed most.

    Returns:
        From 0 to 1.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> METRIC.compute(Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb")))
        0.25
    """
    return pairs.bins.largest(pairs.bins.distances)


def noise(pairs: Pairs, alpha: float) -> Floats:
    """Bonferroni's bound over the bins, each with its own normal deviation and skewness.

    No less than what as many rows of one unseen name are as chance may bring.
    """
    z, largest, rare = pairs.sampled.once(_noisiest, alpha)
    skewed = np.maximum(z * z - 1, 0.0) * (1 - 2 * np.minimum(rare, 0.5)) * pairs.scale / 6
    found = z * largest * np.sqrt(pairs.scale) + skewed
    found = np.where(pairs.sampled.n_filled > 1, found, 0.0)
    lacked = pairs.once(unseen, alpha)
    return found if lacked is None else np.maximum(found, lacked.largest / pairs.m)


def error(pairs: Pairs, value: Floats) -> Floats:
    """The share's that changed most, where it is well above noise."""
    bins = pairs.bins
    at = bins.widest(bins.distances)
    p, q = (bins.before[at] + 0.5) / (bins.n + 1), (bins.after[at] + 0.5) / (bins.m + 1)
    deviation = np.sqrt(p * (1 - p) / bins.n + q * (1 - q) / bins.m)
    mean, null = (root * np.sqrt(pairs.scale) for root in pairs.sampled.once(null_moments))
    return above_noise(value, mean, null, deviation)


def null_moments(sampled: Side) -> tuple[Floats, Floats]:
    """Mean and deviation between two samples, as if the bins were independent of each other.

    Of samples of one row; those of more go by the root of their scale.
    """
    from scipy.special import erf

    largest, relative = sampled.once(_relative)
    # The noisiest bin itself is always among them, so that no row is without.
    at = np.flatnonzero(relative > _LEAST_SIMILAR)
    rows = Rows(sampled.rows.count(relative > _LEAST_SIMILAR).astype(np.int64))
    within = np.multiply.reduceat(erf(_GRID / (relative[at] * math.sqrt(2))), rows.starts, axis=1)
    # Two bins are one value and its opposite.
    beyond = 1 - np.where(sampled.n_filled == 2, np.sqrt(within), within)  # noqa: PLR2004
    mean, square = _GRID_STEP * _sums(beyond), 2 * _GRID_STEP * _sums(beyond * _GRID)
    return largest * mean, largest * np.sqrt(np.maximum(square - mean * mean, 0.0))


def _sums(parts: Floats) -> Floats:
    """The sum of each column's cells, one after the other also where there is one column only."""
    found: Floats = np.add.accumulate(parts)[-1]
    return found


def _relative(sampled: Side) -> tuple[Floats, Floats]:
    """The largest deviation of a share in each row, and all in parts of it."""
    deviations = np.sqrt(sampled.shares * (1 - sampled.shares))
    largest = sampled.rows.largest(deviations)
    each = sampled.rows.each(largest)
    # Of one bin alone there is none: it is as noisy as itself.
    return largest, np.where(each > 0, deviations / each, 1.0)


def _noisiest(sampled: Side, alpha: float) -> tuple[Floats, Floats, Floats]:
    """Which quantile of the noisiest share, its deviation, and the share itself."""
    largest, relative = sampled.once(_relative)
    # Two bins are one value and its opposite.
    cells = np.where(sampled.n_filled > 2, _as_noisy(sampled, alpha), 1.0)  # noqa: PLR2004
    at = sampled.rows.widest(relative)
    return normal_quantile(alpha / (2 * cells)), largest, sampled.shares[at]


def _as_noisy(sampled: Side, alpha: float) -> Floats:
    """How many bins as noisy as the noisiest all of them are worth, as far out as ``alpha``."""
    from scipy.special import ndtr

    _, relative = sampled.once(_relative)
    is_similar = relative > _LEAST_SIMILAR
    z = normal_quantile(alpha / (2 * sampled.rows.count(is_similar)))
    beyond = np.where(is_similar, ndtr(-sampled.rows.each(z) / relative), 0.0)
    found: Floats = np.maximum(sampled.rows.sum(beyond) / ndtr(-z), 1.0)
    return found


METRIC = DriftMetric(
    name="l_infinity",
    title="L-infinity distance",
    formula=compute,
    noise=noise,
    error=error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="share",
    scale="cube_root",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Chebyshev distance of the share vectors",
    sampling="Bonferroni over the bins, and unseen names by Good (1953); the delta method for the "
    "bin that changed most",
    conventional_limits=(0.1, 0.2),
    limits_source="use in the field",
)
