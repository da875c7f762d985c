"""Quantiles and standard errors that the metrics share; numbers or arrays of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from dagster_monitoring.statistics.drift._rows import Places
from dagster_monitoring.statistics.histogram import Floats

_CLOSE = 1e-3
_HARDLY_SKEWED = 0.02
_MOST_JUMPS = 12
_SELDOM = 1e-4
_TINY = float(np.finfo(np.float64).tiny)
_NUMBERS = np.arange(_MOST_JUMPS, dtype=np.float64)
_FACTORIALS = np.cumprod(np.maximum(_NUMBERS, 1))

_KEPT = 8192
"""Quantiles that are remembered: rows a day and bins hardly change."""


def normal_quantile(alpha: float | Floats) -> Floats:
    """What a standard normal value exceeds with probability ``alpha``."""
    from scipy.special import ndtri

    found: Floats = -ndtri(alpha)
    return found


def chi_square_quantile(freedom: Floats, alpha: float) -> Floats:
    """What a chi-square value exceeds with probability ``alpha``; 0.0 without freedom."""
    return np.array([_chi_square_quantile(own, alpha) for own in freedom.tolist()])


@lru_cache(maxsize=_KEPT)
def _chi_square_quantile(freedom: float, alpha: float) -> float:
    from scipy.special import chdtri

    return float(chdtri(freedom, alpha)) if freedom > 0 else 0.0


def positive_quantile(mean: Floats, variance: Floats, alpha: float) -> Floats:
    """The upper quantile of a sum of squares, by the scaled chi-square with its two moments.

    Source: Satterthwaite (1946), Biometrics Bulletin 2, 110-114.
    """
    # In hundredths, so that the quantile is found among those that are remembered.
    freedom = np.maximum(np.round(2 * mean * mean / variance, 2), 0.01)
    varies = (mean > 0) & (variance > 0)
    found = mean / freedom * chi_square_quantile(np.where(varies, freedom, 1.0), alpha)
    return np.where(varies, found, np.maximum(mean, 0.0))


def mixed_quantile(
    mean: Floats, variance: Floats, *, jump: Floats, jumps: Floats, alpha: float
) -> Floats:
    """The upper quantile of a sum of squares to which now and then a jump is added.

    Args:
        mean: of the sum of squares, above 0.
        variance: of the sum of squares, above 0.
        jump: what is added, at least 0.
        jumps: how many there are on average (a Poisson number), below 3.
        alpha: see above.
    """
    from scipy.special import chdtrc

    chances = np.exp(-jumps)[:, None] * jumps[:, None] ** _NUMBERS / _FACTORIALS
    more = 1 - chances.cumsum(axis=1)
    # What is that seldom is left out of each pair's sum, so that it does not depend on the others.
    used = np.count_nonzero(more > _SELDOM * alpha, axis=1)
    numbers = _NUMBERS[: used.max() + 1]
    chances = np.where(numbers <= used[:, None], chances[:, : len(numbers)], 0.0)
    jumped = jump[:, None] * numbers
    freedom = (2 * mean * mean / variance)[:, None]
    unit = freedom / mean[:, None]

    def beyond(value: Floats, at: Places) -> Floats:
        left = np.maximum(value[:, None] - jumped[at], 0.0)
        parts = chances[at] * chdtrc(freedom[at], unit[at] * left)
        # One after the other: nothing more changes the sum.
        found: Floats = np.add.accumulate(parts, axis=1)[:, -1]
        return found / alpha

    # More jumps than so many are as seldom as half of alpha, and more of the rest than that, too.
    most = np.count_nonzero(more > alpha / 2, axis=1)
    return _where_one(beyond, 1 / alpha, most * jump + positive_quantile(mean, variance, alpha / 2))


def _where_one(falls: Callable[[Floats, Places], Floats], at_zero: float, high: Floats) -> Floats:
    """Where falling functions are 1, to within a thousandth of either.

    By the Illinois method on the logarithms: a line through both ends tells where to look next;
    an end that stays is then taken for half as far away, so that the other one does not creep.

    Args:
        falls: of values, and of the places of the functions that they are for.
        at_zero: what each of them is at 0, above 1.
        high: where each of them is below 1, be it 0.

    Source: Dowell, Jarratt (1971), A modified regula falsi method, BIT 11, 168-174.
    """
    at, found, low = np.arange(len(high)), high.copy(), np.zeros(len(high))
    above, below = np.full(len(high), math.log(at_zero)), _logarithm(falls(high, at))
    came = np.zeros(len(high))
    while len(at):
        middle = low + (high - low) * (above / (above - below))
        height = _logarithm(falls(middle, at))
        found[at], left = middle, height > 0
        above = np.where(left, height, np.where(came < 0, above / 2, above))
        below = np.where(left, np.where(came > 0, below / 2, below), height)
        low, high = np.where(left, middle, low), np.where(left, high, middle)
        came = np.where(left, 1.0, -1.0)
        wide = (np.abs(height) > _CLOSE) & (high - low > _CLOSE * high)
        at, came = at[wide], came[wide]
        low, high, above, below = low[wide], high[wide], above[wide], below[wide]
    return found


def _logarithm(values: Floats) -> Floats:
    """Finite for 0 too: a line that ends infinitely far down tells of no place between."""
    return np.log(np.maximum(values, _TINY))


def skewed_quantile(skewness: Floats, alpha: float) -> Floats:
    """The two-sided quantile of a standardised mean whose distribution is skewed.

    By Pearson's type III (a shifted gamma) distribution, whose tail a skewness of any size
    leaves finite; at least the normal one.
    """
    return np.array([_skewed_quantile(own, alpha) for own in skewness.tolist()])


@lru_cache(maxsize=_KEPT)
def _skewed_quantile(skewness: float, alpha: float) -> float:
    from scipy.special import gammainccinv

    plain = float(normal_quantile(alpha / 2))
    if abs(skewness) < _HARDLY_SKEWED:
        return plain
    shape = 4 / skewness**2
    return max((float(gammainccinv(shape, alpha / 2)) - shape) / math.sqrt(shape), plain)


def root_quantile(mean: Floats, variance: Floats, alpha: float) -> Floats:
    """The upper quantile of a root of a sum of squares, from the root's two moments.

    A chi value has about the variance 1/2, so that ``mean^2 / (2 variance) + 1/2`` is how many
    squares are in the sum.
    """
    freedom = np.maximum(np.round(mean * mean / (2 * variance) + 0.5, 2), 1.0)
    varies = (mean > 0) & (variance > 0)
    square = (mean * mean + variance) / freedom
    found = np.sqrt(square * chi_square_quantile(np.where(varies, freedom, 1.0), alpha))
    return np.where(varies, found, np.maximum(mean, 0.0))


def above_noise(
    value: Floats, null_mean: Floats, null_deviation: Floats, deviation: Floats
) -> Floats:
    """The standard error of a distance, between what it is without a drift and with a large one.

    A distance is never negative: without a drift it has the mean and spread of noise alone, and
    the spread that the delta method gives only once it is well above. In between, the share of
    its square that noise does not explain weighs the two.
    """
    drifted = np.maximum(1 - np.square(null_mean / value), 0.0)
    found = np.sqrt((1 - drifted) * np.square(null_deviation) + drifted * np.square(deviation))
    return np.where(value > 0, found, null_deviation)


FOLDED_MEAN = math.sqrt(2 / math.pi)
"""The mean of the absolute value of a standard normal one."""

FOLDED_DEVIATION = math.sqrt(1 - 2 / math.pi)
"""Its standard deviation."""


def folded_error(value: Floats, deviation: Floats) -> Floats:
    """The standard error of ``|x|`` for a normal ``x`` of this deviation."""
    return above_noise(value, deviation * FOLDED_MEAN, deviation * FOLDED_DEVIATION, deviation)
