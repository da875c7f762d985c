"""Names that a baseline never had: how many rows of them are no evidence yet."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats

_HAIR = 1 + 1e-9
"""So that just as many rows are within the noise whichever way a sum is rounded."""


class Unseen(NamedTuple):
    """Rows of windows whose names the baselines never had, as many as chance may bring.

    Attributes:
        rows: how many, of all such names together; 0 where none is within what chance does.
        names: over how many names they spread, at least 1.
        largest: how many of them have one name.
    """

    rows: Floats
    names: Floats
    largest: Floats


def unseen(pairs: Pairs, alpha: float) -> Unseen | None:
    """As many rows as come with a probability of more than ``alpha`` without any drift.

    A baseline of ``n`` rows tells of a population whose rarer names it happens to lack: those
    have about the share ``(s + 1) / (n + 1)``, ``s`` being how many names it has once. Each of
    them is about as rare as one that was seen once, so that there are ``s + 1`` of them. What the
    window shows plays no part: a flood of new names does not widen its own threshold.

    Args:
        pairs: of their current sides, only how many rows they have is used.
        alpha: probability, strictly within 0..1.

    Returns:
        No rows for numeric pairs, whose bins leave out no value; ``None`` for these alone.

    Source: Good (1953), The population frequencies of species and the estimation of population
    parameters, Biometrika 40, 237-264.
    """
    numeric = pairs.n_numeric
    if numeric == len(pairs.n):
        return None
    found = np.tile(_NONE, (len(pairs.n), 1))
    once = pairs.sampled.once(_seen_once)
    sides = (part[numeric:].tolist() for part in (once, pairs.n, pairs.m))
    found[numeric:] = [_of_pair(s + 1, n, m, alpha) for s, n, m in zip(*sides, strict=True)]
    rows, names, largest = found.T
    return Unseen(rows, names, largest)


_NONE = (0.0, 1.0, 0.0)


def _of_pair(names: float, n: float, m: float, alpha: float) -> tuple[float, float, float]:
    if not m:
        return _NONE
    rate = m / (n + 1)
    rows = min(_poisson_quantile(rate * names, alpha), m)
    if not rows:
        return _NONE
    largest = min(_poisson_quantile(rate, alpha / names), rows)
    return rows * _HAIR, min(names, rows), largest * _HAIR


def _seen_once(side: Side) -> Floats:
    return side.rows.count(side.counts == 1)


@lru_cache(maxsize=4096)
def _poisson_quantile(mean: float, alpha: float) -> int:
    """The least number that a Poisson one exceeds with a probability of at most ``alpha``."""
    from scipy.special import pdtrc, pdtrik

    least = math.ceil(max(float(pdtrik(1 - alpha, mean)) - 1, 0.0))
    # The inverse is not exact at whole numbers.
    while pdtrc(least, mean) > alpha:
        least += 1
    return least
