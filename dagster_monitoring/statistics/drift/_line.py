"""Two distribution functions over the values of a column, from counts and sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from dagster_monitoring.statistics.drift._sampling import FOLDED_MEAN
from dagster_monitoring.statistics.histogram import Floats, Histogram


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """Step functions ``F`` and ``G``, each bin's rows standing at their mean.

    The means are exact, so that both functions are where a bin holds one distinct value.

    Attributes:
        widths: distances between successive places, at least 0, shape ``(k - 1,)``.
        f: the reference's distribution function from each place to the next, shape ``(k,)``;
            the last is 1.
        g: the same of the current rows.
        n: rows of the reference.
        m: current rows.
    """

    widths: Floats
    f: Floats
    g: Floats
    n: int
    m: int

    @classmethod
    def of(cls, reference: Histogram, current: Histogram) -> Self:
        """From two numeric histograms on the same bins, both with rows."""
        if reference.sums is None or current.sums is None:
            raise ValueError("names have no places on a line")
        used = np.flatnonzero(reference.counts + current.counts)
        before, after = reference.counts[used], current.counts[used]
        shift = current.centre - reference.centre
        left = reference.sums[used] / np.maximum(before, 1)
        right = current.sums[used] / np.maximum(after, 1) + shift
        # Within a bin the lower of the two means comes first; bins follow one another, so that
        # nothing has to be sorted.
        left, right = np.where(before > 0, left, right), np.where(after > 0, right, left)
        first = left <= right
        places = np.empty(2 * len(used))
        places[0::2], places[1::2] = np.minimum(left, right), np.maximum(left, right)
        f, g = np.empty((2, 2 * len(used)))
        f[1::2], g[1::2] = before.cumsum(), after.cumsum()
        f[0::2] = f[1::2] - np.where(first, 0, before)
        g[0::2] = g[1::2] - np.where(first, after, 0)
        with np.errstate(over="ignore"):
            widths = np.maximum(places[1:] - places[:-1], 0.0)
        return cls(widths=widths, f=f / reference.n, g=g / current.n, n=reference.n, m=current.n)

    @cached_property
    def gaps(self) -> Floats:
        """``F - G`` between the places, shape ``(k - 1,)``."""
        return self.f[:-1] - self.g[:-1]

    @cached_property
    def _shares(self) -> tuple[Floats, Floats]:
        """Shares of the reference and of the current rows at each place."""
        p, q = self.f.copy(), self.g.copy()
        p[1:] -= self.f[:-1]
        q[1:] -= self.g[:-1]
        return p, q

    @property
    def p(self) -> Floats:
        """The reference's share at each place, shape ``(k,)``."""
        return self._shares[0]

    @property
    def q(self) -> Floats:
        """The current share at each place, shape ``(k,)``."""
        return self._shares[1]

    def variance(self, slopes: Floats, of_reference: Floats | None = None) -> float:
        """The first-order variance of a functional of ``F - G``, by the delta method.

        Args:
            slopes: what the functional changes by with the gap between two places, times their
                distance, shape ``(k - 1,)``.
            of_reference: what else a row of the reference at each place adds, shape ``(k,)``.
        """
        weight = np.concatenate(([0.0], np.cumsum(slopes)))
        before = -weight if of_reference is None else of_reference - weight
        return _variance(before, self.p) / self.n + _variance(weight, self.q) / self.m

    @cached_property
    def places(self) -> Floats:
        """The places, from the first one on."""
        return np.concatenate(([0.0], np.cumsum(self.widths)))

    @cached_property
    def bridge(self) -> Bridge:
        """The reference's distribution function as what sampling noise is made of."""
        inside = (self.f[:-1] > 0) & (self.f[:-1] < 1)
        return Bridge(f=self.f[:-1][inside], widths=self.widths[inside])


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

    @cached_property
    def mean_square(self) -> float:
        """The mean of the integral of the square."""
        return float(np.dot(self.f * (1 - self.f), self.widths))

    @cached_property
    def variance_of_square(self) -> float:
        """The variance of the integral of the square: twice the squared covariances."""
        return 2 * _both_sides(np.square(self.f) * self.widths, np.square(1 - self.f) * self.widths)

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


def _variance(weight: Floats, shares: Floats) -> float:
    """The variance of a weight that so large a share of the rows has."""
    mean = float(np.dot(shares, weight))
    return max(float(np.dot(shares, np.square(weight - mean))), 0.0)
