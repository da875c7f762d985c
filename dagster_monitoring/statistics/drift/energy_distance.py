"""Energy distance."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._places import scatter
from dagster_monitoring.statistics.drift._sampling import positive_quantile
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.drift.wasserstein import most_vague
from dagster_monitoring.statistics.histogram import Floats

TOLERANCE = 2e-2
"""Roots of a standard deviation; what the value may be off by beyond this is told."""


def compute(pairs: Pairs) -> Floats:
    """``sqrt(2 * integral of (F - G) ** 2)``, as ``scipy.stats.energy_distance``.

    It is ``sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|)``, in the root of the column's unit. Each
    bin's rows stand at their mean, which the sums give exactly: exact where a bin holds one
    distinct value, on a profile's bins within 1e-4 roots of a standard deviation as a rule, and
    further off where many rows are beyond the baseline's range, in bins that are wider. Where it
    may be off by more than 2e-2 of these the evaluation says by how much.

    Returns:
        From 0 upwards.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 1.0], edges=[2.0, 3.0])
        >>> METRIC.compute(Pair(before, numeric_histogram([3.0], edges=[2.0, 3.0])))
        2.0
    """
    line, (inside, beyond) = pairs.line, pairs.line.areas
    squares = line.gap_inside * inside
    squares += line.gap_beyond * beyond
    return np.sqrt(2 * pairs.on_line.sum(squares))


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The root of a scaled chi-square's, with the moments of :func:`null_moments`."""
    return np.sqrt(positive_quantile(*pairs.once(null_moments), alpha))


def error(pairs: Pairs, value: Floats) -> Floats:
    """The square's by the delta method, and from it the root's; never less than noise."""
    mean, null = pairs.once(null_moments)
    drifted = 16 * pairs.line.variance(*pairs.line.square_weights)
    typical = np.maximum(value * value, mean)
    # The noise in the gaps is counted twice at small drift: once it is taken off.
    variance = np.maximum(drifted - null, null)
    return np.where(typical > 0, np.sqrt(variance / (4 * typical)), 0.0)


def null_moments(pairs: Pairs) -> tuple[Floats, Floats]:
    """Mean and variance of the square between two samples of each reference's population.

    Of the integral of ``2 B(F(x))^2``, ``B`` a Brownian bridge: a sum of chi-squares whose
    weights belong to the reference's own distribution function ``F``.
    """
    bridge, unit = pairs.bridge, 2 * pairs.scale
    return unit * bridge.mean_square, unit * unit * bridge.variance_of_square


def vagueness(pairs: Pairs) -> Floats:
    """The most that rows can matter which lie elsewhere in their bin than at its mean.

    Let ``H`` and ``K`` be both sides' distribution functions within a bin of shares ``p`` and
    ``q``. What their means leave open of the integral of ``(F - G) ** 2`` is that of
    ``(p H) ** 2 + (q K) ** 2 - 2 p q H K``. Rows at one place make the first two the largest;
    rows at both ends of the bin take half of :func:`scatter` off each. The last moves by no more
    than half of both sides' together, either way.
    """
    grid, known = pairs.on_line, np.nan_to_num(pairs.once(compute), posinf=0.0)
    largest = pairs.before.once(_largest) + pairs.after.once(_largest)
    less = 2 * largest * pairs.once(most_vague)
    at_most = _farthest_root(known, less=less, more=less)
    is_little = at_most <= TOLERANCE * np.sqrt(pairs.spread)
    if is_little.all():
        return at_most
    at = grid.cells_of(~is_little)
    at = at[(pairs.before.counts[at] > 1) | (pairs.after.counts[at] > 1)]
    p, q = pairs.before.shares[at], pairs.after.shares[at]
    before, after = (scatter(side, grid, at) for side in (pairs.before, pairs.after))
    both = 2 * grid.at(at, p * q * (before + after))
    own = grid.at(at, p * p * before + q * q * after)
    found = _farthest_root(known, less=own + both, more=both)
    # NaN where a bin is of unknown range and one side has no row there: nothing times infinity.
    return np.where(is_little, at_most, np.where(np.isnan(found), np.inf, found))


def _farthest_root(known: Floats, *, less: Floats, more: Floats) -> Floats:
    """How far the root can be from the known one if its square is so much less, or more."""
    squared = known * known
    lowest = np.sqrt(np.maximum(squared - less, 0.0))
    return np.maximum(known - lowest, np.sqrt(squared + more) - known)


def _largest(side: Side) -> Floats:
    """The largest share of a bin."""
    return side.rows.largest(side.shares)


METRIC = DriftMetric(
    name="energy_distance",
    title="Energy distance",
    formula=compute,
    noise=noise,
    error=error,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, float("inf")),
    symmetric=True,
    unit="root of the column unit",
    scale="log",
    minimum_n=10,
    degenerate="no value when a side is empty, or when values are too large to be added; "
    "of a constant, the root of twice how far the others are from it",
    source="Szekely, Rizzo (2013), Energy statistics; Cramer (1928), On the composition of errors",
    sampling="Brownian bridge on the baseline's own distribution function, by a scaled "
    "chi-square; delta method",
    vagueness=vagueness,
    tolerance=TOLERANCE,
)
