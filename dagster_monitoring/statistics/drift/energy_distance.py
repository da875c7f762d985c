"""Energy distance."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._places import scatter
from dagster_monitoring.statistics.drift._sampling import positive_quantile
from dagster_monitoring.statistics.drift.wasserstein import most_vague
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined, finite

TOLERANCE = 2e-2
"""Roots of a standard deviation; what the value may be off by beyond this is told."""


def compute(pair: Pair) -> float | Undefined:
    """``sqrt(2 * integral of (F - G) ** 2)``, as ``scipy.stats.energy_distance``.

    It is ``sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|)``, in the root of the column's unit. Each
    bin's rows stand at their mean, which the sums give exactly: exact where a bin holds one
    distinct value, on a profile's bins within 1e-4 roots of a standard deviation as a rule, and
    further off where many rows are beyond the baseline's range, in bins that are wider. Where it
    may be off by more than 2e-2 of these the evaluation says by how much.

    Returns:
        From 0 upwards; ``Undefined`` when either side is empty.

    Raises:
        ValueError: a categorical histogram; names have no distance.

    Example:
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 1.0], edges=[2.0, 3.0])
        >>> compute(Pair(before, numeric_histogram([3.0], edges=[2.0, 3.0])))
        2.0
    """
    squared = finite(float(np.dot(pair.line.gaps, pair.line.areas)))
    return squared if isinstance(squared, Undefined) else math.sqrt(2 * squared)


def noise(pair: Pair, alpha: float) -> float | Undefined:
    """The root of a scaled chi-square's, with the moments of :func:`null_moments`."""
    return finite(math.sqrt(positive_quantile(*null_moments(pair), alpha)))


def error(pair: Pair, value: float) -> float | Undefined:
    """The square's by the delta method, and from it the root's; never less than noise."""
    mean, null = null_moments(pair)
    drifted = 16 * pair.line.variance(pair.line.areas)
    typical = max(value * value, mean)
    # The noise in the gaps is counted twice at small drift: once it is taken off.
    variance = max(drifted - null, null)
    return finite(math.sqrt(variance / (4 * typical))) if typical > 0 else 0.0


def null_moments(pair: Pair) -> tuple[float, float]:
    """Mean and variance of the square between two samples of the reference's population.

    Of the integral of ``2 B(F(x))^2``, ``B`` a Brownian bridge: a sum of chi-squares whose
    weights belong to the reference's own distribution function ``F``.
    """
    bridge, unit = pair.bridge, 2 * pair.scale
    return unit * bridge.mean_square, unit * unit * bridge.variance_of_square


def vagueness(pair: Pair) -> float:
    """The most that rows can matter which lie elsewhere in their bin than at its mean.

    Let ``H`` and ``K`` be both sides' distribution functions within a bin of shares ``p`` and
    ``q``. What their means leave open of the integral of ``(F - G) ** 2`` is that of
    ``(p H) ** 2 + (q K) ** 2 - 2 p q H K``. Rows at one place make the first two the largest;
    rows at both ends of the bin take half of :func:`scatter` off each. The last moves by no more
    than half of both sides' together, either way.
    """
    value = pair.once(compute)
    known, spread = 0.0 if isinstance(value, Undefined) else value, pair.spread
    if not isinstance(spread, Undefined):
        largest = pair.sampled.once(_largest) + float(pair.q.max())
        less = 2 * largest * pair.once(most_vague)
        at_most = _farthest_root(known, less=less, more=less)
        if at_most <= TOLERANCE * math.sqrt(spread):
            return at_most
    at = np.flatnonzero((pair.reference.counts > 1) | (pair.current.counts > 1))
    p, q = pair.p[at], pair.q[at]
    before, after = scatter(pair.reference, at), scatter(pair.current, at)
    if math.isinf(before.max(initial=0.0)) or math.isinf(after.max(initial=0.0)):
        return math.inf
    both = 2 * float(np.dot(p * q, before + after))
    own = float(np.dot(p * p, before) + np.dot(q * q, after))
    return _farthest_root(known, less=own + both, more=both)


def _farthest_root(known: float, *, less: float, more: float) -> float:
    """How far the root can be from the known one if its square is so much less, or more."""
    squared = known * known
    return max(known - math.sqrt(max(squared - less, 0.0)), math.sqrt(squared + more) - known)


def _largest(reference: Histogram) -> float:
    return float(reference.shares.max())


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
    minimum_n=10,
    degenerate="no value when a side is empty, or when values are too large to be added; "
    "of a constant, the root of twice how far the others are from it",
    source="Szekely, Rizzo (2013), Energy statistics; Cramer (1928), On the composition of errors",
    sampling="Brownian bridge on the baseline's own distribution function, by a scaled "
    "chi-square; delta method",
    vagueness=vagueness,
    tolerance=TOLERANCE,
)
