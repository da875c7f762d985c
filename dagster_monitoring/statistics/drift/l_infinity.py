"""L-infinity distance."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import above_noise, normal_quantile

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
    return float(np.abs(pair.p - pair.q).max())


def noise(pair: Pair, alpha: float) -> float:
    """Bonferroni's bound over the bins, each with its own normal deviation and skewness."""
    deviations = _deviations(pair)
    if not len(deviations):
        return 0.0
    largest = float(deviations.max())
    cells = _as_noisy(deviations, alpha)
    # Two bins are one value and its opposite.
    z = normal_quantile(alpha / (2 * cells if len(deviations) > 2 else 2))  # noqa: PLR2004
    rare = float(pair.expected[int(deviations.argmax())])
    return z * largest + max(z * z - 1, 0.0) * (1 - 2 * min(rare, 0.5)) * pair.scale / 6


def error(pair: Pair, value: float) -> float:
    """The share's that changed most, where it is well above noise."""
    at = int(np.abs(pair.p - pair.q).argmax())
    p = float(pair.reference.counts[at] + 0.5) / (pair.n + 1)
    q = float(pair.current.counts[at] + 0.5) / (pair.m + 1)
    drifted = math.sqrt(p * (1 - p) / pair.n + q * (1 - q) / pair.m)
    return above_noise(value, *pair.once(null_moments), drifted)


def null_moments(pair: Pair) -> tuple[float, float]:
    """Mean and deviation between two samples, as if the bins were independent of each other."""
    from scipy.special import erf

    deviations = _deviations(pair)
    if not len(deviations):
        return 0.0, 0.0
    largest = float(deviations.max())
    relative = deviations[deviations > _LEAST_SIMILAR * largest] / largest
    # Two bins are one value and its opposite.
    relative = relative[:1] if len(deviations) == 2 else relative  # noqa: PLR2004
    beyond = 1 - np.prod(erf(_GRID / (relative * math.sqrt(2))), axis=1)
    mean = _GRID_STEP * float(beyond.sum())
    square = 2 * _GRID_STEP * float(np.dot(beyond, _GRID[:, 0]))
    return largest * mean, largest * math.sqrt(max(square - mean * mean, 0.0))


def _deviations(pair: Pair) -> np.ndarray:
    p = pair.expected
    return np.sqrt(p * (1 - p) * pair.scale) if len(p) > 1 else p[:0]


def _as_noisy(deviations: np.ndarray, alpha: float) -> float:
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
    sampling="Bonferroni over the bins; the delta method for the bin that changed most",
    conventional_limits=(0.1, 0.2),
    limits_source="use in the field",
)
