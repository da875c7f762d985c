"""Sampling error of sums over bins that are quadratic in a small change of the shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from dagster_monitoring.statistics.drift._bins import FLOOR, MANY_ROWS, Bins, RareBins
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._rows import Flags, Places
from dagster_monitoring.statistics.drift._sampling import (
    chi_square_quantile,
    mixed_quantile,
    positive_quantile,
)
from dagster_monitoring.statistics.drift._unseen import unseen
from dagster_monitoring.statistics.histogram import Floats

_LOWEST, _STEPS = math.log(1e-4), 400
_STEP = (math.log(MANY_ROWS) - _LOWEST) / (_STEPS - 1)
_MOST_ROWS = 140

_RARE = 12.0
"""A bin with so many rows is empty next time with a chance of 6 in a million."""

_SELDOM, _OFTEN = 20.0, 3.0
"""Empty bins on average: fewer than ``alpha / 20`` do not matter, from 3 on they add up evenly."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Divergence:
    """A sum over bins of a function of both shares, which is 0 where they are the same.

    To second order it is ``curvature * sum((q - p)^2 / p)``, so that between two samples of one
    population it follows ``curvature * (1/n + 1/m)`` times a chi-square distribution with one
    degree of freedom less than bins. Bins of few expected rows are reckoned with exactly: what
    they add has the moments of Poisson counts, given their total.

    Attributes:
        curvature: see above.
        cell: what a bin with ``x`` rows adds where ``y`` are expected, times the rows; a
            function of the first degree: twice the rows give twice the amount.
        empty: ``(y, m)`` to what a bin without a row adds, times the rows ``m``; where it is not
            ``cell(0, y)``.
        unseen: ``(x, k, n, m)`` to what ``k`` names add, times ``m``, that have ``x`` of ``m`` rows
            together and none of the reference's ``n``.
        slopes: bins to the derivatives of each bin's part by ``p`` and by ``q``, at the
            smoothed shares.

    Source: Pardo (2006), Statistical Inference Based on Divergence Measures, ch. 3; Holst (1972),
    Biometrika 59, 137-145, for sums of functions of multinomial counts.
    """

    curvature: float
    cell: Callable[[Floats, Floats], Floats]
    empty: Callable[[Floats, Floats], Floats]
    unseen: Callable[[Floats, Floats, Floats, Floats], Floats]
    slopes: Callable[[Bins], tuple[Floats, Floats]]

    def null_quantile(self, pairs: Pairs, alpha: float) -> Floats:
        """What sampling alone exceeds with probability ``alpha``.

        Names that the reference happens to lack are allowed for on top of the others.
        """
        found = self._of_seen(pairs, alpha)
        lacked = pairs.once(unseen, alpha)
        if lacked is None:
            return found
        # As many rows of unseen names as chance may bring, and what they take off the others.
        rows, names, _ = lacked
        left = np.maximum(pairs.m - rows, FLOOR * pairs.m)
        added = self.unseen(rows, names, pairs.n, pairs.m) + self.cell(left, pairs.m)
        return found + added / pairs.m

    def _of_seen(self, pairs: Pairs, alpha: float) -> Floats:
        """What it exceeds with probability ``alpha`` over the bins that the reference has."""
        rare = pairs.bins.rare
        found = self.curvature * pairs.scale * pairs.once(_plain_quantile, alpha)
        if rare is None:
            return found
        of_rare = self._of_rare(rare, alpha)
        likely = rare.once(RareBins.likely, alpha)
        if likely is not None:
            # A row in one of the others is rarer than alpha, and may be so large a step that a
            # chi-square distribution of its variance is nearly always nothing.
            at = likely.pairs
            of_rare[at] = np.maximum(of_rare[at], self._of_rare(likely, alpha))
        found[rare.pairs] = of_rare
        return found

    def _of_rare(self, rare: RareBins, alpha: float) -> Floats:
        """The same over rare bins, shape ``(r,)``."""
        mean, variance = rare.once(self._rare_moments)
        found = positive_quantile(mean, variance, alpha)
        # An empty bin now and then: what it adds, apart from what the others do.
        at = np.flatnonzero(rare.once(_now_and_then, alpha))
        if len(at):
            mean, variance = rare.once(self._filled_moments)[:, at]
            found[at] = mixed_quantile(
                mean, variance, jump=self._jump(rare)[at], jumps=rare.empties[at], alpha=alpha
            )
        return found

    def standard_error(self, pairs: Pairs, value: Floats) -> Floats:
        """The root of the value's variance.

        The delta method's, which at small drift counts the noise in the shares twice: once it is
        taken off, and what is left is never less than without any drift.
        """
        del value
        return np.sqrt(pairs.bins.once(self._variance))

    def root_error(self, pairs: Pairs, squared: Floats) -> Floats:
        """The standard error of the value's root, whose square this is."""
        typical = np.maximum(squared, pairs.bins.once(self._null_moments)[0])
        found = np.sqrt(pairs.bins.once(self._variance) / (4 * typical))
        return np.where(typical > 0, found, 0.0)

    def _null_moments(self, bins: Bins) -> Floats:
        """Mean and variance between two samples of each reference's population."""
        moments = self._plain_moments(bins)
        if bins.rare is not None:
            moments[:, bins.rare.pairs] = bins.rare.once(self._rare_moments)
        return moments

    def _rare_moments(self, rare: RareBins) -> Floats:
        """The same of rare bins."""
        added = self._of_empty(rare)
        empty = self.empty(rare.cells, rare.each(rare.m))
        further = np.stack((added, added * empty, -added * np.minimum(rare.cells, MANY_ROWS)))
        return _of_sum(rare, rare.once(self._cell_moments) + further)

    def _of_empty(self, rare: RareBins) -> Floats:
        """What each bin adds on average by having no row."""
        return rare.none * self.empty(rare.cells, rare.each(rare.m))

    def _filled_moments(self, rare: RareBins) -> Floats:
        """The same without what bins add that happen to be empty."""
        return _of_sum(rare, rare.once(self._cell_moments))

    def _plain_moments(self, bins: Bins) -> Floats:
        """Those of the chi-square distribution."""
        freedom = bins.sum(bins.used.astype(np.float64)) - 1
        unit = self.curvature * bins.scale
        return np.stack((freedom * unit, 2 * freedom * unit * unit))

    def _variance(self, bins: Bins) -> Floats:
        by_p, by_q = self.slopes(bins)
        p, q = bins.smoothed
        drifted = bins.variance(p, by_p) / bins.n + bins.variance(q, by_q) / bins.m
        null = bins.once(self._null_moments)[1]
        filled = null.copy()
        if bins.rare is not None:
            filled[bins.rare.pairs] = bins.rare.once(self._filled_moments)[1]
        found: Floats = np.maximum(drifted + self._of_emptying(bins) - filled, null)
        return found

    def _of_emptying(self, bins: Bins) -> Floats:
        """What bins with few rows add to the variance because they may have none."""
        at, rows, expected, m, chance = bins.once(_few)
        jump = self.empty(expected, m) - self.cell(rows, expected)
        found: Floats = bins.at(at, chance * jump * jump) / bins.m**2
        return found

    def _jump(self, rare: RareBins) -> Floats:
        """What an empty bin adds on average."""
        found: Floats = rare.sum(self._of_empty(rare)) / rare.empties / rare.rows
        return found

    def _cell_moments(self, rare: RareBins) -> Floats:
        """Mean, mean square, and mean product with the count's deviation, of each bin's part."""
        low, rest = rare.once(_entries)
        table = _table(self.cell)
        # Per expected row in the table, so that the steps between its entries are small.
        moments = table[:, low] * (1 - rest) + table[:, low + 1] * rest
        moments *= np.minimum(rare.cells, 1.0)
        return moments


def _plain_quantile(pairs: Pairs, alpha: float) -> Floats:
    return chi_square_quantile(pairs.before.n_filled - 1, alpha)


def _now_and_then(rare: RareBins, alpha: float) -> Flags:
    """Whether empty bins are too many to be left out, and too few to be one more part of a sum."""
    is_few = (rare.empties < _OFTEN) & (rare.empties >= alpha / _SELDOM)
    return is_few & (rare.sizes > 1)


def _entries(rare: RareBins) -> tuple[Places, Floats]:
    """Where each rare bin stands in the table: the entry before it, and how far beyond that."""
    at = (np.log(rare.cells) - _LOWEST) / _STEP
    at = np.minimum(np.maximum(at, 0), _STEPS - 1)
    low = np.minimum(at.astype(np.int64), _STEPS - 2)
    return low, at - low


def _few(bins: Bins) -> tuple[Places, Floats, Floats, Floats, Floats]:
    """Bins with few rows: where, rows, expected ones, the window's, and how uncertain none is."""
    p, q = bins.smoothed
    m = bins.each(bins.m)
    twice = m * (p + q)
    at = np.flatnonzero(twice < 2 * _RARE)
    m = m[at] if len(m) > 1 else m
    # Halfway between what came and what was to be expected: a single row says little.
    rows = twice[at] / 2
    none = np.exp(-rows)
    return at, np.maximum(rows, 1.0), m * p[at], m, none * (1 - none)


def _of_sum(rare: RareBins, moments: Floats) -> Floats:
    """Mean and variance of the sum over bins, whose counts add up to a given total."""
    mean, square, _ = moments
    means, products = rare.sum(moments[::2])
    # What follows the total is left out, and with it one degree of freedom.
    variance = rare.sum(square - mean * mean) - products**2 / rare.rows
    left = (rare.sizes - 1) / rare.sizes
    return np.stack((means * left / rare.rows, np.maximum(variance, 0.0) * left / rare.rows**2))


@cache
def _table(cell: Callable[[Floats, Floats], Floats]) -> Floats:
    """Moments of a bin with at least one row, over ``min(expected rows, 1)``, shape ``(3, k)``."""
    from scipy.special import gammaln

    expected = np.exp(_LOWEST + _STEP * np.arange(_STEPS))[:, None]
    rows = np.arange(1, _MOST_ROWS)[None, :].astype(np.float64)
    chance = np.exp(rows * np.log(expected) - expected - gammaln(rows + 1))
    part = cell(rows, expected)
    weighed = chance * part
    moments = [(weighed * x).sum(axis=1) for x in (np.ones(1), part, rows - expected)]
    table: Floats = np.array(moments)
    table /= np.minimum(expected[:, 0], 1.0)
    return table
