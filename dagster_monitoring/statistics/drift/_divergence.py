"""Sampling error of sums over bins that are quadratic in a small change of the shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.drift._bins import FLOOR, MANY_ROWS, Bins, RareBins
from dagster_monitoring.statistics.drift._pair import Pair
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
    unseen: Callable[[float, int, int, int], float]
    slopes: Callable[[Bins], tuple[Floats, Floats]]

    def null_quantile(self, pair: Pair, alpha: float) -> float:
        """What sampling alone exceeds with probability ``alpha``.

        Names that the reference happens to lack are allowed for on top of the others.
        """
        return self._of_seen(pair, alpha) + self._of_unseen(pair, alpha)

    def _of_unseen(self, pair: Pair, alpha: float) -> float:
        """What as many rows of unseen names add as chance may bring, and take off the others."""
        rows, names, _ = unseen(pair, alpha)
        if not rows:
            return 0.0
        m = pair.m
        left, all_ = np.array([max(m - rows, FLOOR * m)]), np.array([float(m)])
        added = self.unseen(rows, names, pair.n, m)
        return (added + float(self.cell(left, all_)[0])) / m

    def _of_seen(self, pair: Pair, alpha: float) -> float:
        """What it exceeds with probability ``alpha`` over the bins that the reference has."""
        freedom = len(pair.expected) - 1
        if freedom < 1:
            return 0.0
        if pair.sampled.rarest / pair.scale >= MANY_ROWS:
            return self.curvature * pair.scale * chi_square_quantile(freedom, alpha)
        empties = pair.of_bins(_empties)
        if empties >= _OFTEN or empties < alpha / _SELDOM:
            mean, variance = pair.of_bins(self._null_mean), pair.of_bins(self._null_variance)
            return positive_quantile(mean, variance, alpha)
        # An empty bin now and then: what it adds, apart from what the others do.
        mean, variance = pair.of_bins(self._filled_mean), pair.of_bins(self._filled_variance)
        jump = pair.of_bins(self._jump)
        return mixed_quantile(mean, variance, jump=jump, jumps=empties, alpha=alpha)

    def standard_error(self, pair: Pair, value: float) -> float:
        """The root of the value's variance.

        The delta method's, which at small drift counts the noise in the shares twice: once it is
        taken off, and what is left is never less than without any drift.
        """
        del value
        return math.sqrt(pair.of_bins(self._variance))

    def root_error(self, pair: Pair, squared: float, power: float = 1.0) -> float:
        """The standard error of the value's root, ``squared`` being ``power`` times the value."""
        typical = max(squared, power * pair.of_bins(self._null_mean))
        if typical <= 0:
            return 0.0
        return power * math.sqrt(pair.of_bins(self._variance) / (4 * typical))

    def _null_mean(self, bins: Bins) -> Floats:
        found: Floats = bins.once(self._null_moments)[0]
        return found

    def _null_variance(self, bins: Bins) -> Floats:
        found: Floats = bins.once(self._null_moments)[1]
        return found

    def _filled_mean(self, bins: Bins) -> Floats:
        found: Floats = bins.once(self._filled_moments)[0]
        return found

    def _filled_variance(self, bins: Bins) -> Floats:
        found: Floats = bins.once(self._filled_moments)[1]
        return found

    def _null_moments(self, bins: Bins) -> Floats:
        """Mean and variance between two samples of each reference's population."""
        moments = self._plain_moments(bins)
        rare = bins.rare
        if rare is not None:
            empty = self.empty(rare.cells, rare.each(rare.m))
            added = rare.none * empty
            further = np.stack((added, added * empty, -added * np.minimum(rare.cells, MANY_ROWS)))
            moments[:, rare.pairs] = _of_sum(rare, bins.once(self._cell_moments) + further)
        return moments

    def _filled_moments(self, bins: Bins) -> Floats:
        """The same without what bins add that happen to be empty."""
        moments = self._plain_moments(bins)
        moments[1] = 0.0
        if bins.rare is not None:
            moments[:, bins.rare.pairs] = _of_sum(bins.rare, bins.once(self._cell_moments))
        return moments

    def _plain_moments(self, bins: Bins) -> Floats:
        """Those of the chi-square distribution."""
        freedom = bins.sum(bins.used.astype(np.float64)) - 1
        unit = self.curvature * bins.scale
        return np.stack((freedom * unit, 2 * freedom * unit * unit))

    def _variance(self, bins: Bins) -> Floats:
        by_p, by_q = self.slopes(bins)
        p, q = bins.smoothed
        drifted = bins.variance(p, by_p) / bins.n + bins.variance(q, by_q) / bins.m
        null = self._null_variance(bins)
        filled = null.copy()
        if bins.rare is not None:
            filled[bins.rare.pairs] = self._filled_variance(bins)[bins.rare.pairs]
        return np.maximum(drifted + self._of_emptying(bins) - filled, null)

    def _of_emptying(self, bins: Bins) -> Floats:
        """What bins with few rows add to the variance because they may have none."""
        # Halfway between what came and what was to be expected: a single row says little.
        found, rows, expected, m = bins.once(_few)
        none = np.exp(-rows)
        jump = self.empty(expected, m) - self.cell(np.maximum(rows, 1.0), expected)
        added = np.bincount(
            found, weights=none * (1 - none) * jump * jump, minlength=len(bins.sizes)
        )
        return added / bins.m**2

    def _jump(self, bins: Bins) -> Floats:
        """What an empty bin adds on average."""
        rare = bins.rare
        found = np.zeros(len(bins.sizes))
        if rare is not None:
            added = rare.sum(rare.none * self.empty(rare.cells, rare.each(rare.m)))
            found[rare.pairs] = added / rare.empties / rare.rows
        return found

    def _cell_moments(self, bins: Bins) -> Floats:
        """Mean, mean square, and mean product with the count's deviation, of each bin's part."""
        low, rest = bins.once(_entries)
        table = _table(self.cell)
        # Per expected row in the table, so that the steps between its entries are small.
        moments = table[:, low] * (1 - rest) + table[:, low + 1] * rest
        moments *= np.minimum(bins.rare.cells, 1.0) if bins.rare is not None else 0.0
        return moments


def _empties(bins: Bins) -> Floats:
    """How many bins without a row there are on average; 0 where none is rare."""
    found = np.zeros(len(bins.sizes))
    if bins.rare is not None:
        found[bins.rare.pairs] = bins.rare.empties
    return found


def _entries(bins: Bins) -> tuple[npt.NDArray[np.int64], Floats]:
    """Where each rare bin stands in the table: the entry before it, and how far beyond that."""
    cells = bins.rare.cells if bins.rare is not None else np.zeros(0)
    at = (np.log(cells) - _LOWEST) / _STEP
    at = np.minimum(np.maximum(at, 0), _STEPS - 1)
    low = np.minimum(at.astype(np.int64), _STEPS - 2)
    return low, at - low


def _few(bins: Bins) -> tuple[npt.NDArray[np.int64], Floats, Floats, Floats]:
    """Bins with few rows: their pair, rows halfway to the expected ones, these, current rows."""
    p, q = bins.smoothed
    m = bins.each(bins.m)
    twice = m * (p + q)
    at = np.flatnonzero(twice < 2 * _RARE)
    m = m[at] if len(m) > 1 else m
    return bins.numbers[at], twice[at] / 2, m * p[at], m


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
    moments = [(chance * x).sum(axis=1) for x in (part, part * part, part * (rows - expected))]
    table: Floats = np.array(moments, dtype=np.float64)
    table /= np.minimum(expected[:, 0], 1.0)
    return table
