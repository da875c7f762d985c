"""Sampling error of sums over bins that are quadratic in a small change of the shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._sampling import (
    chi_square_quantile,
    mixed_quantile,
    positive_quantile,
)
from dagster_monitoring.statistics.histogram import Counts, Floats

_MANY_ROWS = 60.0
"""From so many expected rows a bin on, the chi-square approximation is right within 2 %."""

_LOWEST, _STEPS = math.log(1e-4), 400
_STEP = (math.log(_MANY_ROWS) - _LOWEST) / (_STEPS - 1)
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
        slopes: ``(p, q)`` to the derivatives of a bin's part by ``p`` and by ``q``.

    Source: Pardo (2006), Statistical Inference Based on Divergence Measures, ch. 3; Holst (1972),
    Biometrika 59, 137-145, for sums of functions of multinomial counts.
    """

    curvature: float
    cell: Callable[[Floats, Floats], Floats]
    empty: Callable[[Floats, int], Floats]
    slopes: Callable[[Floats, Floats], tuple[Floats, Floats]]

    def null_moments(self, pair: Pair) -> tuple[float, float]:
        """Mean and variance between two samples of the reference's population."""
        freedom = len(pair.expected) - 1
        if freedom < 1:
            return 0.0, 0.0
        if not _has_rare(pair):
            unit = self.curvature * pair.scale
            return freedom * unit, 2 * freedom * unit * unit
        rows = 1 / pair.scale
        cells, none = pair.once(_cells), pair.once(_none)
        return _of_sum(self._moments(pair, none, self.empty(cells, pair.m)), rows)

    def null_quantile(self, pair: Pair, alpha: float) -> float:
        """What sampling alone exceeds with probability ``alpha``."""
        freedom = len(pair.expected) - 1
        if freedom < 1:
            return 0.0
        if not _has_rare(pair):
            return self.curvature * pair.scale * chi_square_quantile(freedom, alpha)
        rows = 1 / pair.scale
        cells, none = pair.once(_cells), pair.once(_none)
        empties = float(none.sum())
        bare = self.empty(cells, pair.m)
        if empties >= _OFTEN or empties < alpha / _SELDOM:
            return positive_quantile(*pair.once(self.null_moments), alpha)
        # An empty bin now and then: what it adds, apart from what the others do.
        filled = pair.once(self._filled_moments)
        jump = float(np.dot(none, bare)) / empties / rows
        return mixed_quantile(*filled, jump=jump, jumps=empties, alpha=alpha)

    def variance(self, pair: Pair) -> float:
        """The variance of the value.

        The delta method's, which at small drift counts the noise in the shares twice: once it is
        taken off, and what is left is never less than without any drift.
        """
        _, null = pair.once(self.null_moments)
        _, filled = pair.once(self._filled_moments) if _has_rare(pair) else (0.0, null)
        p, q = _smoothed(pair.reference.counts), _smoothed(pair.current.counts)
        by_p, by_q = self.slopes(p, q)
        drifted = _variance(p, by_p) / pair.n + _variance(q, by_q) / pair.m
        return max(drifted + self._of_emptying(p, q, pair.m) - filled, null)

    def _of_emptying(self, p: Floats, q: Floats, m: int) -> float:
        """What a bin with few rows adds to the variance because it may have none."""
        # Halfway between what came and what was to be expected: a single row says little.
        rare = np.flatnonzero(m * (p + q) < 2 * _RARE)
        if not len(rare):
            return 0.0
        rows, expected = m * (p[rare] + q[rare]) / 2, m * p[rare]
        none = np.exp(-rows)
        jump = self.empty(expected, m) - self.cell(np.maximum(rows, 1.0), expected)
        return float(np.dot(none * (1 - none), jump * jump)) / m**2

    def standard_error(self, pair: Pair, value: float) -> float:
        """The root of :meth:`variance`."""
        del value
        return math.sqrt(pair.once(self.variance))

    def root_error(self, pair: Pair, squared: float, power: float = 1.0) -> float:
        """The standard error of the value's root, ``squared`` being ``power`` times the value."""
        mean, _ = pair.once(self.null_moments)
        typical = max(squared, power * mean)
        return power * math.sqrt(pair.once(self.variance) / (4 * typical)) if typical > 0 else 0.0

    def _filled_moments(self, pair: Pair) -> tuple[float, float]:
        """Mean and variance without what bins add that happen to be empty."""
        cells = pair.once(_cells)
        nothing = np.zeros_like(cells)
        return _of_sum(self._moments(pair, nothing, nothing), 1 / pair.scale)

    def _moments(self, pair: Pair, none: Floats, bare: Floats) -> Floats:
        """Mean, mean square, and mean product with the count's deviation, of each bin's part.

        Args:
            pair: for the expected rows of each bin.
            none: the chance of no row.
            bare: what a bin without one adds.
        """
        cells = pair.once(_cells)
        low, rest = pair.once(_entries)
        table = _table(self.cell)
        # Per expected row in the table, so that the steps between its entries are small.
        moments = table[:, low] * (1 - rest) + table[:, low + 1] * rest
        moments *= np.minimum(cells, 1.0)
        added = none * bare
        return moments + np.stack((added, added * bare, -added * np.minimum(cells, _MANY_ROWS)))


def _cells(pair: Pair) -> Floats:
    """Rows to be expected a bin, as if only one side were a sample."""
    return pair.expected / pair.scale


def _none(pair: Pair) -> Floats:
    """The chance of no row a bin."""
    return np.exp(-pair.once(_cells))


def _entries(pair: Pair) -> tuple[npt.NDArray[np.int64], Floats]:
    """Where each bin stands in the table: the entry before it, and how far beyond that."""
    at = (np.log(pair.once(_cells)) - _LOWEST) / _STEP
    at = np.minimum(np.maximum(at, 0), _STEPS - 1)
    low = np.minimum(at.astype(np.int64), _STEPS - 2)
    return low, at - low


def _has_rare(pair: Pair) -> bool:
    """Whether a bin has too few expected rows for the chi-square distribution."""
    return bool(pair.rarest / pair.scale < _MANY_ROWS)


def _of_sum(moments: Floats, rows: float) -> tuple[float, float]:
    """Mean and variance of the sum over bins, whose counts add up to a given total."""
    mean, square, product = moments
    bins = len(mean)
    # What follows the total is left out, and with it one degree of freedom.
    variance = float((square - mean * mean).sum()) - float(product.sum()) ** 2 / rows
    left = (bins - 1) / bins
    return float(mean.sum()) * left / rows, max(variance, 0.0) * left / rows**2


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


def _smoothed(counts: Counts) -> Floats:
    """Shares with half a row more a bin: one that happens to be empty is not sure to be."""
    added: Floats = counts.astype(np.float64)
    added += 0.5
    added /= float(added.sum())
    return added


def _variance(shares: Floats, slopes: Floats) -> float:
    mean = float(np.dot(shares, slopes))
    return max(float(np.dot(shares, np.square(slopes - mean))), 0.0)
