"""How often quiet data alarm falsely, and which level of a test keeps to a rate of that."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from dagster_monitoring.statistics.histogram import Floats
from dagster_monitoring.statistics.limits import check_alpha

MOST_ALPHA = 0.05
"""However large a budget is, an error is not what one quiet partition in twenty has."""

_LEAST_ALPHA = 1e-12
_MEANS, _SPREADS, _NEXT_SPREADS, _ANGLES = 5, 40, 9, 14
_HALVINGS = 50
_FURTHEST = 7.0
_LARGEST = 37.0


class _Limits(NamedTuple):
    """What limits that were learned from ``n`` values may be, and how likely: quadrature nodes.

    Attributes:
        mean: of the values, shape ``(i,)``.
        spread: their standard deviation, shape ``(i,)``.
        weight: of each, together 1.
        next_spread: that of the next partition's past, given this one's, shape ``(i, j)``.
        next_weight: of each of those, shape ``(j,)``.
    """

    mean: Floats
    spread: Floats
    weight: Floats
    next_spread: Floats
    next_weight: Floats


def alarm_rate(alpha: float, *, n: int | None, window: int, in_a_row: int, tests: int) -> float:
    """How many alarms begin per partition when nothing happens.

    An alarm begins with the last of ``in_a_row`` partitions in trouble one after the other; a
    partition is in trouble when one of the tests is beyond its limit. It ends with the first one
    that is not, so partitions in trouble side by side are one alarm.

    Windows of ``window`` partitions that end side by side share all but one of them: their
    means have a correlation of ``1 - 1/window``. Two things therefore make alarms come in runs:
    windows that overlap, and limits that were learned from few values and are too near for as
    long as those are looked at. Both are in the rate: it is the mean, over all limits that may
    have been learned, of the chance that a run begins under those. Limits of windows of one
    partition stay while a run lasts; those of longer ones are learned from windows that move
    along. Further than to its neighbour a partition's memory is taken to follow from that (a
    Markov chain), and tests are taken to be independent of each other, which bounds what
    dependent ones do.

    Args:
        alpha: the level of each test, one-sided, within 0..1, both excluded.
        n: from how many values its limit was learned, at least 2; ``None``: the limit is known.
        window: partitions that are judged together.
        in_a_row: partitions in trouble that it takes.
        tests: how many values are judged at each partition.

    Returns:
        Alarms per partition, within 0..1.

    Example:
        >>> round(alarm_rate(0.01, n=None, window=1, in_a_row=1, tests=1), 6)  # alpha (1 - alpha)
        0.0099
        >>> round(alarm_rate(0.01, n=None, window=1, in_a_row=2, tests=1), 8)
        9.9e-05

    Source: Leadbetter, Lindgren, Rootzen (1983), Extremes and Related Properties of Random
    Sequences, ch. 3, for runs; Hahn, Meeker (1991), Statistical Intervals, 4.7, for the limits.
    """
    check_alpha(alpha)
    beyond, again, weight = _beyond(alpha, n, window)
    mean = float(weight @ beyond)
    others = (1 - mean) ** (tests - 1)
    any_beyond = -math.expm1(tests * math.log1p(-mean))
    stays = 1 - (1 - again) * others
    begins = beyond / mean * any_beyond
    return float(weight @ (begins * stays ** (in_a_row - 1) * (1 - stays)))


@lru_cache(maxsize=16384)
def level_for(
    rate: float, *, n: int | None = None, window: int = 1, in_a_row: int = 1, tests: int = 1
) -> float:
    """The one-sided level of each test with which at most ``rate`` alarms begin per partition.

    Args:
        rate: alarms per partition, above 0.
        n: from how many values the limit was learned; ``None``: it is known.
        window: partitions that are judged together.
        in_a_row: partitions in trouble that it takes.
        tests: how many values are judged at each partition.

    Returns:
        Above 0; all tests together are beyond a limit at no more than :data:`MOST_ALPHA` of
        partitions, be the rate never so large.

    Raises:
        ValueError: the rate is not above 0.

    Example:
        >>> round(level_for(1 / 30.4 / 200), 7)  # a page a month among 200 monitors of daily values
        0.0001645
    """
    if not rate > 0:
        raise ValueError(f"a rate of alarms is above 0, not {rate}")

    def of(alpha: float) -> float:
        return alarm_rate(alpha, n=n, window=window, in_a_row=in_a_row, tests=tests)

    low, high = _LEAST_ALPHA, -math.expm1(math.log1p(-MOST_ALPHA) / tests)
    if of(high) <= rate:
        return high
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if of(middle) <= rate else (low, middle)
        if high / low < 1 + 1e-6:
            break
    return low


@lru_cache(maxsize=16384)
def upper_normal(alpha: float) -> float:
    """What a standard normal value exceeds with probability ``alpha``.

    Example:
        >>> round(upper_normal(0.025), 3)
        1.96
    """
    from scipy.special import ndtri

    return -float(ndtri(alpha))


def _beyond(alpha: float, n: int | None, window: int) -> tuple[Floats, Floats, Floats]:
    """Of each limit that may have been learned: how often it is left, left again, and how likely.

    Left again is by the next value, when it was left by this one.
    """
    from scipy.special import ndtr, ndtri, stdtrit

    if n is None:
        limit = np.array([-float(ndtri(alpha))])
        weight, following, next_weight = np.ones(1), limit[:, None], np.ones(1)
    else:
        limits = _limits(n, window)
        width = -float(stdtrit(n - 1, alpha)) * math.sqrt(1 + 1 / n)
        limit = np.minimum(limits.mean + width * limits.spread, _LARGEST)
        following = np.minimum(limits.mean[:, None] + width * limits.next_spread, _LARGEST)
        weight, next_weight = limits.weight, limits.next_weight
    beyond = np.asarray(ndtr(-limit))
    if window == 1:
        return beyond, beyond, weight
    again = _again(limit, following, 1 - 1 / window) @ next_weight
    return beyond, again, weight


@lru_cache(maxsize=512)
def _limits(n: int, window: int) -> _Limits:
    """The mean and standard deviation of ``n`` standard normal values: normal, and chi.

    Spreads of neighbours go together as normal values do whose quantiles they are. Small ones,
    which are what is left, go together less than the rest: with the square of the correlation of
    their own squares the chance of being left twice is that of draws, within a few hundredths.
    """
    from scipy.special import ndtr

    nodes, weights = np.polynomial.legendre.leggauss(_SPREADS)
    place = nodes * _FURTHEST
    of_place = weights * np.exp(-(place**2) / 2)
    mean, of_mean = np.polynomial.hermite_e.hermegauss(_MEANS)
    step, of_step = np.polynomial.hermite_e.hermegauss(_NEXT_SPREADS)
    together = ((1 - 1 / window) ** 2 + 1 / window**2) ** 2
    moved = together * place[:, None] + math.sqrt(1 - together**2) * step
    grid = np.broadcast_arrays(mean[:, None] / math.sqrt(n), _chi(ndtr(place), n - 1)[None, :])
    weight = (of_mean[:, None] * of_place[None, :]).ravel()
    return _Limits(
        mean=grid[0].ravel(),
        spread=grid[1].ravel(),
        weight=weight / weight.sum(),
        next_spread=np.tile(_chi(ndtr(moved), n - 1), (_MEANS, 1)),
        next_weight=of_step / of_step.sum(),
    )


def _chi(shares: Floats, freedom: int) -> Floats:
    """Quantiles of a standard deviation of normal values, whose own is 1."""
    from scipy.special import gammaincinv

    found: Floats = np.sqrt(gammaincinv(freedom / 2, shares) * 2 / freedom)
    return found


def _again(limit: Floats, following: Floats, correlation: float) -> Floats:
    """The chance that a value is beyond its limit, given that the one before is beyond its own.

    Both are normal with a correlation; their joint chance is an integral over its arc sine.

    Args:
        limit: of the one before, shape ``(i,)``.
        following: of the value, shape ``(i, j)``.
        correlation: of the two, within 0..1.

    Source: Plackett (1954), Biometrika 41, 351-360; Genz (2004), Statistics and Computing 14.
    """
    from scipy.special import log_ndtr, ndtr

    nodes, weights = np.polynomial.legendre.leggauss(_ANGLES)
    half = math.asin(correlation) / 2
    h, k = limit[:, None, None], following[:, :, None]
    sine = np.sin(half * (nodes + 1))
    # Divided by the chance of the one before, within the exponent: both may be tiny.
    exponent = -(h * h - 2 * h * k * sine + k * k) / (2 * (1 - sine**2)) - log_ndtr(-h)
    both = np.exp(np.minimum(exponent, _LARGEST)) @ weights * half / (2 * math.pi)
    return np.asarray(np.minimum(ndtr(-following) + both, 1.0))
