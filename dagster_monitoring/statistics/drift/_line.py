"""Two distribution functions over the values of columns, from counts and sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dagster_monitoring.statistics.drift._grid import Grid
from dagster_monitoring.statistics.drift._sampling import FOLDED_MEAN
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """Step functions ``F`` and ``G``, each bin's rows standing at their mean.

    The means are exact, so that both functions are where a bin holds one distinct value. Each
    bin has two places, the lower of the two means first; bins follow one another, so that
    nothing has to be sorted.

    Attributes:
        before: the references.
        after: the current histograms.
        inside: the distance of both places of a bin, at least 0, flat.
        beyond: the distance from a bin's second place to the next bin, 0 after the last; flat.
        gap_inside: ``F - G`` between the places of a bin.
        gap_beyond: ``F - G`` at the right end of a bin.
        first: 1.0 where the reference's mean is not above the current one, else 0.0.
        second: 1.0 where it is.
    """

    before: Side
    after: Side
    inside: Floats
    beyond: Floats
    gap_inside: Floats
    gap_beyond: Floats
    first: Floats
    second: Floats

    @classmethod
    def of(cls, before: Side, after: Side, grid: Grid, gaps: Floats) -> Line:
        """From both sides of numeric columns, and ``F - G`` at the right end of each bin."""
        left = before.places(grid).copy()
        right = after.means + grid.each(after.centre - before.centre)
        right[after.holes] = left[after.holes]
        left[before.holes] = right[before.holes]
        first = (left <= right).astype(np.float64)
        second = 1 - first
        low, high = np.minimum(left, right), np.maximum(left, right)
        beyond = np.zeros_like(low)
        np.maximum(low[1:] - high[:-1], 0.0, out=beyond[:-1])
        beyond[grid.ends] = 0.0
        # One of both products is nothing; np.where() takes several times as long.
        gap_inside = (before.distribution - after.distribution_before) * first
        gap_inside += (before.distribution_before - after.distribution) * second
        return cls(
            before=before,
            after=after,
            inside=high - low,
            beyond=beyond,
            gap_inside=gap_inside,
            gap_beyond=gaps,
            first=first,
            second=second,
        )

    @cached_property
    def areas(self) -> tuple[Floats, Floats]:
        """``F - G`` times the distance for which it holds, inside the bins and beyond them."""
        return self.gap_inside * self.inside, self.gap_beyond * self.beyond

    @cached_property
    def steps(self) -> tuple[Floats, Floats]:
        """The sign of ``F - G`` times the distance for which it holds, inside bins and beyond."""
        inside, beyond = np.sign(self.gap_inside), np.sign(self.gap_beyond)
        inside *= self.inside
        beyond *= self.beyond
        return inside, beyond

    @cached_property
    def absolute_weights(self) -> tuple[Floats, Floats]:
        """What a row of the reference takes off the integral of ``|F - G|``, a current one adds.

        Of each bin's reference rows, and of its current ones.
        """
        return self._weights(self._lower[0], self.steps[0])

    @cached_property
    def square_weights(self) -> tuple[Floats, Floats]:
        """The same of half the integral of ``(F - G) ** 2``."""
        return self._weights(self._lower[1], self.areas[0])

    @cached_property
    def _lower(self) -> tuple[Floats, Floats]:
        """What both integrals change by with the gaps below each bin."""
        absolute, square = self.steps, self.areas
        rows = self.before.rows
        return rows.sums_before(absolute[0] + absolute[1], square[0] + square[1])

    def _weights(self, low: Floats, inside: Floats) -> tuple[Floats, Floats]:
        return low + inside * self.second, low + inside * self.first

    def variance(self, before: Floats, after: Floats) -> Floats:
        """The first-order variance of a functional with these weights, by the delta method."""
        rows, n, m = self.before.rows, self.before.n, self.after.n
        of_reference = rows.variance(self.before.shares, before) / n
        return of_reference + rows.variance(self.after.shares, after) / m


@dataclass(frozen=True, kw_only=True, eq=False)
class Bridge:
    """``B(F(x))``: what ``F - G`` is between two samples of one population, over its scale.

    Its variance is ``F (1 - F)``, and ``F(s) (1 - F(t))`` the covariance of two places.

    Attributes:
        mean_square: the mean of the integral of the square, shape ``(k,)``.
        variance_of_square: the variance of the integral of the square.
        mean_absolute: the mean of the integral of the absolute value, for normal gaps.
        variance_of_absolute: the variance of the integral of the absolute value.
    """

    mean_square: Floats
    variance_of_square: Floats
    mean_absolute: Floats
    variance_of_absolute: Floats

    @classmethod
    def of(cls, side: Side, grid: Grid) -> Bridge:
        """Of the rows of each histogram.

        Two normal values of correlation ``r`` have absolute ones whose covariance is
        ``(r^2 + r^4 / 12 + ...) / pi`` times their deviations; the rest of the series adds up to
        a twentieth where ``r`` is 1. Each term is a product of a function of either place.
        """
        f, widths = _steps(side, grid)
        g = 1 - f
        odds = f / g
        root = np.sqrt(odds)
        below, above = f * widths, g * widths
        low, high = below * root, above / root
        mean_absolute = grid.sum(low / odds) * FOLDED_MEAN
        of_first, of_second = grid.sums_before(low, further := low * odds)
        first = _both_sides(grid, low, of_first, high)
        high /= odds
        second = _both_sides(grid, further, of_second, high)
        mean_square = grid.sum(np.multiply(below, g, out=high))
        below *= f
        above *= g
        return cls(
            mean_square=mean_square,
            # Twice the squared covariances.
            variance_of_square=2 * _both_sides(grid, below, grid.sum_before(below), above),
            mean_absolute=mean_absolute,
            variance_of_absolute=(first + second * (np.pi - 3)) / np.pi,
        )


def _steps(side: Side, grid: Grid) -> tuple[Floats, Floats]:
    """Values of the distribution function within 0 and 1, and for what distances they hold."""
    f, places = side.distribution, side.places(grid)
    inner = (f > 0) & (f < 1)
    widths = np.zeros_like(f)
    np.maximum(places[1:] - places[:-1], 0.0, out=widths[:-1])
    return np.where(inner, f, 0.5), np.where(inner, widths, 0.0)


def _both_sides(grid: Grid, low: Floats, below: Floats, high: Floats) -> Floats:
    """The sum over all pairs of places ``s <= t`` and ``t < s`` of ``low(s) high(t)``.

    ``below`` is the sum of ``low`` over the places before each.
    """
    # In place: arrays that come and go cost as much as what is done with them.
    found = 2 * below
    found += low
    found *= high
    return grid.sum(found)
