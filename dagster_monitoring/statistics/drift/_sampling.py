"""Quantiles and standard errors that the metrics share."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

_CLOSE = 1e-3
_HARDLY_SKEWED = 0.02
_MOST_JUMPS = 12
_NUMBERS = np.arange(_MOST_JUMPS, dtype=np.float64)
_FACTORIALS = np.cumprod(np.maximum(_NUMBERS, 1))


@lru_cache(maxsize=4096)
def normal_quantile(alpha: float) -> float:
    """What a standard normal value exceeds with probability ``alpha``."""
    from scipy.special import ndtri

    return -float(ndtri(alpha))


@lru_cache(maxsize=65536)
def chi_square_quantile(freedom: float, alpha: float) -> float:
    """What a chi-square value exceeds with probability ``alpha``; 0.0 without freedom."""
    from scipy.special import chdtri

    return float(chdtri(freedom, alpha)) if freedom > 0 else 0.0


def positive_quantile(mean: float, variance: float, alpha: float) -> float:
    """The upper quantile of a sum of squares, by the scaled chi-square with its two moments.

    Source: Satterthwaite (1946), Biometrics Bulletin 2, 110-114.
    """
    if not mean > 0 or not variance > 0:
        return max(mean, 0.0)
    # In hundredths, so that the quantile is found in the cache again.
    freedom = max(round(2 * mean * mean / variance, 2), 0.01)
    return mean / freedom * chi_square_quantile(freedom, alpha)


def mixed_quantile(
    mean: float, variance: float, *, jump: float, jumps: float, alpha: float
) -> float:
    """The upper quantile of a sum of squares to which now and then a jump is added.

    Args:
        mean: of the sum of squares, above 0.
        variance: of the sum of squares, above 0.
        jump: what is added, at least 0.
        jumps: how many there are on average (a Poisson number), below 3.
        alpha: see above.
    """
    from scipy.special import chdtrc

    freedom = 2 * mean * mean / variance
    unit = freedom / mean

    chances = math.exp(-jumps) * jumps**_NUMBERS / _FACTORIALS
    jumped = _NUMBERS * jump

    def beyond(value: float) -> float:
        return float(np.dot(chances, chdtrc(freedom, unit * np.maximum(value - jumped, 0.0))))

    low, high = 0.0, _MOST_JUMPS * jump + positive_quantile(mean, variance, alpha / 2)
    while high - low > _CLOSE * high:
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > alpha else (low, middle)
    return high


@lru_cache(maxsize=4096)
def skewed_quantile(skewness: float, alpha: float) -> float:
    """The two-sided quantile of a standardised mean whose distribution is skewed.

    By Pearson's type III (a shifted gamma) distribution, whose tail a skewness of any size
    leaves finite; at least the normal one.
    """
    from scipy.special import gammainccinv

    plain = normal_quantile(alpha / 2)
    if abs(skewness) < _HARDLY_SKEWED:
        return plain
    shape = 4 / skewness**2
    return max((float(gammainccinv(shape, alpha / 2)) - shape) / math.sqrt(shape), plain)


def root_quantile(mean: float, variance: float, alpha: float) -> float:
    """The upper quantile of a root of a sum of squares, from the root's two moments.

    A chi value has about the variance 1/2, so that ``mean^2 / (2 variance) + 1/2`` is how many
    squares are in the sum.
    """
    if not mean > 0 or not variance > 0:
        return max(mean, 0.0)
    freedom = max(round(mean * mean / (2 * variance) + 0.5, 2), 1.0)
    square = (mean * mean + variance) / freedom
    return math.sqrt(square * chi_square_quantile(freedom, alpha))


def above_noise(value: float, null_mean: float, null_deviation: float, deviation: float) -> float:
    """The standard error of a distance, between what it is without a drift and with a large one.

    A distance is never negative: without a drift it has the mean and spread of noise alone, and
    the spread that the delta method gives only once it is well above. In between, the share of
    its square that noise does not explain weighs the two.
    """
    if value <= 0:
        return null_deviation
    drifted = max(1 - (null_mean / value) ** 2, 0.0)
    return math.sqrt((1 - drifted) * null_deviation**2 + drifted * deviation**2)


FOLDED_MEAN = math.sqrt(2 / math.pi)
"""The mean of the absolute value of a standard normal one."""

FOLDED_DEVIATION = math.sqrt(1 - 2 / math.pi)
"""Its standard deviation."""


def folded_error(value: float, deviation: float) -> float:
    """The standard error of ``|x|`` for a normal ``x`` of this deviation."""
    return above_noise(value, deviation * FOLDED_MEAN, deviation * FOLDED_DEVIATION, deviation)
