"""Two distribution functions over the values of a column, from counts and sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.drift._sampling import FOLDED_MEAN
from dagster_monitoring.statistics.histogram import Floats, Histogram


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """Step functions ``F`` and ``G``, each bin's rows standing at their mean.

    The means are exact, so that both functions are where a bin holds one distinct value. Each
    bin has two places, the lower of the two means first; bins follow one another, so that
    nothing has to be sorted.

    Attributes:
        widths: distances between successive places, at least 0, shape ``(2 k - 1,)``.
        gaps: ``F - G`` between them, of the same shape.
        first: whether the reference's mean is not above the current one, shape ``(k,)``.
        used: the bins that either side has rows in; ``None`` when all are.
        p: the reference's share of each bin, shape ``(k,)``.
        q: the current share of each bin, shape ``(k,)``.
        n: rows of the reference.
        m: current rows.
    """

    widths: Floats
    gaps: Floats
    first: npt.NDArray[np.bool_]
    used: npt.NDArray[np.intp] | None
    p: Floats
    q: Floats
    n: int
    m: int

    @classmethod
    def of(cls, reference: Histogram, current: Histogram) -> Self:
        """From two numeric histograms on the same bins, both with rows."""
        left, right = reference.means, current.means
        shift = current.centre - reference.centre
        if shift:
            right = right + shift
        p, f_before, f = reference.shares, reference.distribution[:-1], reference.distribution[1:]
        q, g_before, g = current.shares, current.distribution[:-1], current.distribution[1:]
        used = None
        if not (reference.is_filled and current.is_filled):
            used = np.flatnonzero(reference.filled | current.filled)
            before, after = reference.filled[used], current.filled[used]
            left, right = left[used], right[used]
            left, right = np.where(before, left, right), np.where(after, right, left)
            p, q, f, g = p[used], q[used], f[used], g[used]
            f_before, g_before = f_before[used], g_before[used]
        first = left <= right
        low, high = np.minimum(left, right), np.maximum(left, right)
        widths, gaps = np.empty((2, 2 * len(low) - 1))
        with np.errstate(over="ignore"):
            np.subtract(high, low, out=widths[0::2])
            np.subtract(low[1:], high[:-1], out=widths[1::2])
        np.maximum(widths, 0.0, out=widths)
        np.subtract(np.where(first, f, f_before), np.where(first, g_before, g), out=gaps[0::2])
        np.subtract(f[:-1], g[:-1], out=gaps[1::2])
        return cls(
            widths=widths, gaps=gaps, first=first, used=used, p=p, q=q, n=reference.n, m=current.n
        )

    @cached_property
    def areas(self) -> Floats:
        """``F - G`` between the places, times their distance."""
        return self.gaps * self.widths

    def variance(self, slopes: Floats) -> float:
        """The first-order variance of a functional of ``F - G``, by the delta method.

        Args:
            slopes: what the functional changes by with the gap between two places, times their
                distance.
        """
        before, after = self.weights(slopes)
        return variance(before, self.p) / self.n + variance(after, self.q) / self.m

    def weights(self, slopes: Floats) -> tuple[Floats, Floats]:
        """What a row of the reference takes off a functional, and what a current one adds.

        Args:
            slopes: as of :meth:`variance`.

        Returns:
            Of each bin's reference rows, and of its current ones.
        """
        weight = np.zeros(len(slopes) + 1)
        np.cumsum(slopes, out=weight[1:])
        low, high = weight[0::2], weight[1::2]
        return np.where(self.first, low, high), np.where(self.first, high, low)


@dataclass(frozen=True, kw_only=True, eq=False)
class Bridge:
    """``B(F(x))``: what ``F - G`` is between two samples of one population, over its scale.

    Its variance is ``F (1 - F)``, and ``F(s) (1 - F(t))`` the covariance of two places.

    Attributes:
        f: the distribution function, strictly within 0 and 1.
        widths: the distance for which it holds.
    """

    f: Floats
    widths: Floats

    @classmethod
    def of(cls, histogram: Histogram) -> Bridge:
        """Of the rows of a numeric histogram."""
        means, f = histogram.means, histogram.distribution[1:]
        if not histogram.is_filled:
            means, f = means[histogram.filled], f[histogram.filled]
        with np.errstate(over="ignore"):
            return cls(f=f[:-1], widths=np.maximum(means[1:] - means[:-1], 0.0))

    @cached_property
    def mean_square(self) -> float:
        """The mean of the integral of the square."""
        return float(np.dot(self.f * (1 - self.f), self.widths))

    @cached_property
    def variance_of_square(self) -> float:
        """The variance of the integral of the square: twice the squared covariances."""
        return 2 * _both_sides(self.f * self.f * self.widths, (1 - self.f) ** 2 * self.widths)

    @cached_property
    def mean_absolute(self) -> float:
        """The mean of the integral of the absolute value, for normal gaps."""
        deviation = np.sqrt(self.f * (1 - self.f))
        return float(np.dot(deviation, self.widths)) * FOLDED_MEAN

    @cached_property
    def variance_of_absolute(self) -> float:
        """The variance of the integral of the absolute value.

        Two normal values of correlation ``r`` have absolute ones whose covariance is
        ``(r^2 + r^4 / 12 + ...) / pi`` times their deviations; the rest of the series adds up to
        a twentieth where ``r`` is 1. Each term is a product of a function of either place.
        """
        odds = np.sqrt(self.f / (1 - self.f))
        low, high = self.f * odds * self.widths, (1 - self.f) / odds * self.widths
        squares = odds * odds
        first = _both_sides(low, high)
        second = _both_sides(low * squares, high / squares)
        return (first + second * (np.pi - 3)) / np.pi


def _both_sides(low: Floats, high: Floats) -> float:
    """The sum over all pairs of places ``s <= t`` and ``t < s`` of ``low(s) high(t)``."""
    return 2 * float(np.dot(np.cumsum(low), high)) - float(np.dot(low, high))


def variance(weight: Floats, shares: Floats) -> float:
    """The variance of a weight that so large a share of the rows has."""
    mean = float(np.dot(shares, weight))
    off = weight - mean
    return max(float(np.dot(shares, off * off)), 0.0)
