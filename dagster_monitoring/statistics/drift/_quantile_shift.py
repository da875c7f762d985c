"""Shifts of quantiles, from counts and sums, with their sampling error."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.drift._places import reach
from dagster_monitoring.statistics.drift._rows import Places
from dagster_monitoring.statistics.drift._sampling import folded_error
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats

Shares = tuple[float, ...]


def largest_shift(pairs: Pairs, shares: Shares) -> Floats:
    """``max |q_u(current) - q_u(reference)|`` over the shares, in standard deviations."""
    found: Floats = pairs.once(_distances, shares).max(axis=1)
    return found / pairs.spread


def null_quantile(pairs: Pairs, shares: Shares, alpha: float) -> Floats:
    """What the shift exceeds at most with probability ``alpha`` without any drift.

    A sample's quantile is the population's at a share that follows a beta distribution, so that
    repeated values and heavy tails are taken as they are. Of several shares two count, one in
    either tail: the others lie between and move less, or with them.
    """
    rows = (1 / pairs.scale).round().tolist()
    beyond = alpha / min(len(shares), 2)
    ends = np.array([_beta_shares(shares, own, beyond) for own in rows])
    means = pairs.before.means
    low, high = (means[pairs.before.bins_at(ends[:, side])] for side in (0, 1))
    here = means[pairs.before.once(_bins_at, shares)]
    farthest: Floats = np.maximum(high - here, here - low).max(axis=1)
    return farthest / pairs.spread


def standard_error(pairs: Pairs, shares: Shares, value: Floats) -> Floats:
    """The error of the quantile that moved farthest.

    Each side's error is half the distance between its quantiles one standard error of the share
    above and below (Woodruff, 1952).
    """
    share = np.array(shares)[pairs.once(_distances, shares).argmax(axis=1)]
    before, after = (_half_width(side, share) for side in (pairs.before, pairs.after))
    return folded_error(value, np.hypot(before, after) / pairs.spread)


def vagueness(pairs: Pairs, shares: Shares) -> Floats:
    """How far the quantiles may be from their bins' means, in standard deviations."""
    before, after = (
        reach(side, pairs.on_line, side.once(_bins_at, shares))
        for side in (pairs.before, pairs.after)
    )
    found: Floats = (before + after).max(axis=1)
    return found / pairs.spread


def _distances(pairs: Pairs, shares: Shares) -> Floats:
    """How far each quantile moved, shape ``(k, s)``."""
    before, after = (
        side.means[side.once(_bins_at, shares)] for side in (pairs.before, pairs.after)
    )
    return np.abs(after - before + (pairs.after.centre - pairs.before.centre)[:, None])


def _bins_at(side: Side, shares: Shares) -> Places:
    return side.bins_at(np.array([shares]))


def _half_width(side: Side, share: Floats) -> Floats:
    error = np.sqrt(share * (1 - share) / side.n)
    ends = np.stack((np.maximum(share - error, 0.0), np.minimum(share + error, 1.0)), axis=1)
    low, high = side.means[side.bins_at(ends)].T
    half: Floats = (high - low) / 2
    return half


@lru_cache(maxsize=4096)
def _beta_shares(shares: Shares, rows: float, alpha: float) -> Floats:
    """Where the quantiles of so many rows lie in the population, with ``alpha`` outside.

    The lower ends, then the upper ones.
    """
    from scipy.special import betaincinv

    rows = max(rows, 1.0)
    rank = np.ceil(np.array(shares) * rows)
    ends = np.array([[alpha / 2], [1 - alpha / 2]])
    found: Floats = betaincinv(rank, rows - rank + 1, ends)
    return found
