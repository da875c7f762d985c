"""Shifts of quantiles, from counts and sums, with their sampling error."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.drift._places import (
    farthest,
    quantile,
    quantile_bin,
    quantiles,
)
from dagster_monitoring.statistics.drift._sampling import folded_error
from dagster_monitoring.statistics.histogram import Floats, Histogram
from dagster_monitoring.statistics.undefined import Undefined, finite

Shares = tuple[float, ...]


def largest_shift(pair: Pair, shares: Shares) -> float | Undefined:
    """``max |q_u(current) - q_u(reference)|`` over the shares, in standard deviations."""
    scale = pair.spread
    if isinstance(scale, Undefined):
        return scale
    return finite(max(_distances(pair, shares)) / scale)


def null_quantile(pair: Pair, shares: Shares, alpha: float) -> float | Undefined:
    """What the shift exceeds at most with probability ``alpha`` without any drift.

    A sample's quantile is the population's at a share that follows a beta distribution, so that
    repeated values and heavy tails are taken as they are. Of several shares two count, one in
    either tail: the others lie between and move less, or with them.
    """
    scale = pair.spread
    if isinstance(scale, Undefined):
        return scale
    ends = _beta_shares(shares, round(1 / pair.scale), alpha / min(len(shares), 2))
    low, high = quantiles(pair.reference, ends).tolist()
    here = [quantile(pair.reference, share) for share in shares]
    reach = [max(h - x, x - lo) for lo, x, h in zip(low, here, high, strict=True)]
    return finite(max(reach) / scale)


def standard_error(pair: Pair, shares: Shares, value: float) -> float | Undefined:
    """The larger of the errors of those quantiles that moved about as far as the farthest one.

    Each side's error is half the distance between its quantiles one standard error of the share
    above and below (Woodruff, 1952).
    """
    scale = pair.spread
    if isinstance(scale, Undefined):
        return scale
    moved = _distances(pair, shares)
    share = shares[moved.index(max(moved))]
    widths = [side.once(_half_width, share) for side in (pair.reference, pair.current)]
    return finite(folded_error(value, math.hypot(*widths) / scale))


def vagueness(pair: Pair, shares: Shares) -> float:
    """How far the quantiles may be from their bins' means, in standard deviations."""
    scale = pair.spread
    if isinstance(scale, Undefined):
        return 0.0
    return (
        max(pair.reference.once(_reach, u) + pair.current.once(_reach, u) for u in shares) / scale
    )


def _distances(pair: Pair, shares: Shares) -> list[float]:
    apart = pair.current.centre - pair.reference.centre
    return [
        abs(quantile(pair.current, share) - quantile(pair.reference, share) + apart)
        for share in shares
    ]


def _reach(histogram: Histogram, share: float) -> float:
    return farthest(histogram, histogram.once(quantile_bin, share))


def _half_width(histogram: Histogram, share: float) -> float:
    error = math.sqrt(share * (1 - share) / histogram.n)
    low, high = max(share - error, 0.0), min(share + error, 1.0)
    means = histogram.means
    return float(means[quantile_bin(histogram, high)] - means[quantile_bin(histogram, low)]) / 2


@lru_cache(maxsize=4096)
def _beta_shares(shares: Shares, rows: int, alpha: float) -> Floats:
    """Where the quantiles of so many rows lie in the population, with ``alpha`` outside.

    The lower ends, then the upper ones.
    """
    from scipy.special import betaincinv

    rows = max(rows, 1)
    rank = np.clip(np.ceil(np.array(shares) * rows), 1, rows)
    ends = np.array([[alpha / 2], [1 - alpha / 2]])
    found: Floats = betaincinv(rank, rows - rank + 1, ends)
    return found
