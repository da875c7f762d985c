"""Shifts of quantiles, from counts and sums, with their sampling error."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._places import farthest, quantile_bins, quantiles
from dagster_monitoring.statistics.drift._sampling import folded_error
from dagster_monitoring.statistics.histogram import Floats, Histogram
from dagster_monitoring.statistics.undefined import Undefined, finite


def largest_shift(pair: Pair, shares: Floats) -> float | Undefined:
    """``max |q_u(current) - q_u(reference)|`` over the shares, in standard deviations."""
    scale = pair.spread
    if isinstance(scale, Undefined):
        return scale
    return finite(float(np.abs(_shifts(pair, shares)).max()) / scale)


def null_quantile(pair: Pair, shares: Floats, alpha: float) -> float | Undefined:
    """What the shift exceeds at most with probability ``alpha`` without any drift.

    A sample's quantile is the population's at a share that follows a beta distribution, so that
    repeated values and heavy tails are taken as they are. Of several shares two count, one in
    either tail: the others lie between and move less, or with them.
    """
    scale = pair.spread
    if isinstance(scale, Undefined):
        return scale
    low, high = _beta_shares(tuple(shares), round(1 / pair.scale), alpha / min(len(shares), 2))
    here = quantiles(pair.reference, shares)
    above = quantiles(pair.reference, high) - here
    below = here - quantiles(pair.reference, low)
    return finite(float(np.maximum(above, below).max()) / scale)


def standard_error(pair: Pair, shares: Floats, value: float) -> float | Undefined:
    """The larger of the errors of those quantiles that moved about as far as the farthest one.

    Each side's error is half the distance between its quantiles one standard error of the share
    above and below (Woodruff, 1952).
    """
    scale = pair.spread
    if isinstance(scale, Undefined):
        return scale
    at = np.abs(_shifts(pair, shares)).argmax()
    share = shares[at : at + 1]
    variance = sum(_half_width(side, share) ** 2 for side in (pair.reference, pair.current))
    return finite(folded_error(value, math.sqrt(variance) / scale))


def vagueness(pair: Pair, shares: Floats) -> float:
    """How far the quantiles may be from their bins' means, in standard deviations."""
    scale = pair.spread
    if isinstance(scale, Undefined):
        return 0.0
    sides = (pair.reference, pair.current)
    reach = sum(farthest(side, quantile_bins(side, shares)) for side in sides)
    return float(np.max(reach)) / scale


def _shifts(pair: Pair, shares: Floats) -> Floats:
    moved = quantiles(pair.current, shares) - quantiles(pair.reference, shares)
    return moved + (pair.current.centre - pair.reference.centre)


def _half_width(histogram: Histogram, shares: Floats) -> float:
    error = np.sqrt(shares * (1 - shares) / histogram.n)
    ends = np.clip(np.concatenate((shares - error, shares + error)), 0.0, 1.0)
    low, high = quantiles(histogram, ends).tolist()
    return float(high - low) / 2


@lru_cache(maxsize=4096)
def _beta_shares(shares: tuple[float, ...], rows: int, alpha: float) -> tuple[Floats, Floats]:
    """Where the quantiles of so many rows lie in the population, with ``alpha`` outside."""
    from scipy.special import betaincinv

    rows = max(rows, 1)
    rank = np.clip(np.ceil(np.array(shares) * rows), 1, rows)
    ends = np.array([[alpha / 2], [1 - alpha / 2]])
    low, high = betaincinv(rank, rows - rank + 1, ends)
    return low, high
