"""L-infinity distance."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift._bins import Bins
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import above_noise, normal_quantile
from dagster_monitoring.statistics.drift._unseen import unseen
from dagster_monitoring.statistics.histogram import Floats, Histogram

_LEAST_SIMILAR = 0.05
"""Bins whose deviation is a smaller part of the largest one's do not make the maximum."""

_GRID_STEP = 0.2
_GRID = np.arange(_GRID_STEP / 2, 5, _GRID_STEP)[:, None]


def compute(pair: Pair) -> float:
    """``max |p - q|``: the change of the share that changed most.

    Returns:
        From 0 to 1; ``Undefined`` when either side is empty.

    Example:
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> compute(Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb")))
        0.25
    """
    return pair.of_bins(_widest)


def _widest(bins: Bins) -> Floats:
    return bins.largest(bins.distances)


def noise(pair: Pair, alpha: float) -> float:
    """Bonferroni's bound over the bins, each with its own normal deviation and skewness.

    No less than what as many rows of one unseen name are as chance may bring.
    """
    of_unseen = unseen(pair, alpha).largest / pair.m
    if len(pair.expected) == 1:
        return of_unseen
    z, largest, rare = pair.sampled.once(_noisiest, alpha)
    skewed = max(z * z - 1, 0.0) * (1 - 2 * min(rare, 0.5)) * pair.scale / 6
    return max(z * largest * math.sqrt(pair.scale) + skewed, of_unseen)


def error(pair: Pair, value: float) -> float:
    """The share's that changed most, where it is well above noise."""
    return above_noise(value, *null_moments(pair), pair.of_bins(_deviation))


def _deviation(bins: Bins) -> Floats:
    """Of the difference of the share that changed most."""
    widest = np.flatnonzero(bins.distances == bins.each(_widest(bins)))
    at = np.empty(len(bins.sizes), dtype=np.int64)
    # The first of several: what is written last stays.
    at[bins.numbers[widest[::-1]]] = widest[::-1]
    p, q = (bins.before[at] + 0.5) / (bins.n + 1), (bins.after[at] + 0.5) / (bins.m + 1)
    return np.sqrt(p * (1 - p) / bins.n + q * (1 - q) / bins.m)


def null_moments(pair: Pair) -> tuple[float, float]:
    """Mean and deviation between two samples, as if the bins were independent of each other."""
    if len(pair.expected) == 1:
        return 0.0, 0.0
    mean, deviation = pair.sampled.once(_moments_of_one_row)
    return mean * math.sqrt(pair.scale), deviation * math.sqrt(pair.scale)


def _moments_of_one_row(sampled: Histogram) -> tuple[float, float]:
    from scipy.special import erf

    deviations = _deviations(sampled)
    largest = float(deviations.max())
    relative = deviations[deviations > _LEAST_SIMILAR * largest] / largest
    # Two bins are one value and its opposite.
    relative = relative[:1] if len(deviations) == 2 else relative  # noqa: PLR2004
    beyond = 1 - np.prod(erf(_GRID / (relative * math.sqrt(2))), axis=1)
    mean = _GRID_STEP * float(beyond.sum())
    square = 2 * _GRID_STEP * float(np.dot(beyond, _GRID[:, 0]))
    return largest * mean, largest * math.sqrt(max(square - mean * mean, 0.0))


def _deviations(sampled: Histogram) -> Floats:
    p = sampled.expected
    return np.sqrt(p * (1 - p))


def _noisiest(sampled: Histogram, alpha: float) -> tuple[float, float, float]:
    """Which quantile of the noisiest share, its deviation, and the share itself."""
    deviations = _deviations(sampled)
    cells = _as_noisy(deviations, alpha)
    # Two bins are one value and its opposite.
    z = normal_quantile(alpha / (2 * cells if len(deviations) > 2 else 2))  # noqa: PLR2004
    at = int(deviations.argmax())
    return z, float(deviations[at]), float(sampled.expected[at])


def _as_noisy(deviations: Floats, alpha: float) -> float:
    """How many bins as noisy as the noisiest all of them are worth, as far out as ``alpha``."""
    from scipy.special import ndtr

    relative = deviations / deviations.max()
    relative = relative[relative > _LEAST_SIMILAR]
    z = normal_quantile(alpha / (2 * len(relative)))
    return max(float(ndtr(-z / relative).sum()) / float(ndtr(-z)), 1.0)


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
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Chebyshev distance of the share vectors",
    sampling="Bonferroni over the bins, and unseen names by Good (1953); the delta method for the "
    "bin that changed most",
    conventional_limits=(0.1, 0.2),
    limits_source="use in the field",
)
