"""May a challenger take the champion's place? A paired comparison on held-back labelled days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dagster_monitoring.statistics.intervals import paired_mean_interval
from dagster_monitoring.statistics.undefined import Undefined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Losses: TypeAlias = NDArray[np.float64]

# A day with fewer rows than this share of the median day is judged together with the next.
_SMALL_DAY = 0.5
_FEWEST_BLOCKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """The verdict and what it rests on, in units of the loss; positive favours the challenger.

    ``improvement`` is the champion's mean loss less the challenger's, each day counting alike;
    ``lower`` and ``upper`` bound it, each with confidence ``1 - alpha``; ``required`` is what it
    had to exceed. All are ``None`` where nothing could be computed. ``days`` counts the days,
    ``n`` the rows.
    """

    promoted: bool
    reason: str
    improvement: float | None
    lower: float | None
    upper: float | None
    required: float | None
    champion_loss: float | None
    challenger_loss: float | None
    n: int
    days: int


def judge(
    champion_loss: Losses,
    challenger_loss: Losses,
    day: NDArray[Any],
    *,
    alpha: float = 0.05,
    minimum_improvement: float = 0.0,
    minimum_rows: int = 1,
) -> GateVerdict:
    """Promotes when the challenger's loss is lower by more than chance and by enough.

    Rows of one day share weather, prices and faults, so they are no independent evidence: losses
    are compared row by row, averaged by day, and a one-sided t test runs over the days (days with
    fewer than half the median's rows are joined to a neighbour). A challenger that is no better
    than required is promoted with probability ``alpha`` at most, as far as the days' mean
    differences are independent and close to normal.

    Args:
        champion_loss: loss of each row, shape (n,); lower is better.
        challenger_loss: loss of the same rows in the same order, shape (n,).
        day: partition key of each row, shape (n,).
        alpha: probability of promoting a challenger that is no better, in (0, 0.5).
        minimum_improvement: share of the champion's mean loss by which it must be better.
        minimum_rows: with fewer rows nobody is promoted.

    Returns:
        A verdict; empty input, too few rows or days, or a loss that is not finite refuse.

    Raises:
        ValueError: the arrays differ in length.

    Source: Student's paired t test; averaging by block as in Efron and Tibshirani (1993), ch. 8.

    Example:
        >>> days = np.repeat(["2013-06-01", "2013-06-02", "2013-06-03"], 2)
        >>> champion = np.array([0.5, 0.7, 0.6, 0.6, 0.4, 0.9])
        >>> verdict = judge(champion, champion - [0.2, 0.2, 0.3, 0.2, 0.2, 0.2], days)
        >>> verdict.promoted, round(verdict.improvement, 4), round(verdict.lower, 4)
        (True, 0.2167, 0.168)
    """
    if not champion_loss.shape == challenger_loss.shape == day.shape:
        raise ValueError(
            f"losses and days are of the same rows: {champion_loss.shape}, "
            f"{challenger_loss.shape}, {day.shape}"
        )
    n, n_days = len(day), len(np.unique(day))
    refused = _unfit(champion_loss, challenger_loss, n_days, minimum_rows)
    if refused:
        return _without_numbers(refused, n, n_days)
    blocks = _blocks(day)
    champion = _block_means(champion_loss, blocks)
    challenger = _block_means(challenger_loss, blocks)
    required = minimum_improvement * float(champion.mean())
    # The margin is estimated from the same days, so it is part of what is tested.
    excess = (1 - minimum_improvement) * champion - challenger
    found = paired_mean_interval(excess, np.arange(len(excess)), alpha=2 * alpha)
    if isinstance(found, Undefined):
        return _without_numbers(found.reason, n, n_days)
    promoted = found.lower > 0
    improvement, lower = found.mean + required, found.lower + required
    return GateVerdict(
        promoted=promoted,
        reason=_reason(promoted, improvement, lower, required, alpha),
        improvement=improvement,
        lower=lower,
        upper=found.upper + required,
        required=required,
        champion_loss=float(champion.mean()),
        challenger_loss=float(challenger.mean()),
        n=n,
        days=n_days,
    )


def _unfit(champion: Losses, challenger: Losses, n_days: int, minimum_rows: int) -> str | None:
    n = len(champion)
    if n == 0:
        return "no labelled row to judge on"
    if n < minimum_rows:
        return f"{n:,} labelled rows, fewer than the {minimum_rows:,} asked for (minimum_rows)"
    if n_days < _FEWEST_BLOCKS:
        return "the labelled rows lie on one day: at least two are needed"
    if not np.isfinite(champion).all():
        return "the champion's loss is not finite on some rows"
    if not np.isfinite(challenger).all():
        return "the challenger's loss is not finite on some rows"
    return None


def _blocks(day: NDArray[Any]) -> NDArray[np.int64]:
    """The block of each row; depends on the days' row counts only, never on the losses."""
    _, code, counts = np.unique(day, return_inverse=True, return_counts=True)
    enough = _SMALL_DAY * float(np.median(counts))
    block_of_day = np.zeros(len(counts), dtype=np.int64)
    block, rows = 0, 0
    for index, count in enumerate(counts):
        if rows >= enough:
            block, rows = block + 1, 0
        block_of_day[index] = block
        rows += int(count)
    if rows < enough and block > 0:
        block_of_day[block_of_day == block] = block - 1
    blocks: NDArray[np.int64] = block_of_day[code]
    return blocks


def _block_means(losses: Losses, blocks: NDArray[np.int64]) -> Losses:
    means: Losses = np.bincount(blocks, weights=losses) / np.bincount(blocks)
    return means


def _reason(
    promoted: bool,  # noqa: FBT001 - private
    improvement: float,
    lower: float,
    required: float,
    alpha: float,
) -> str:
    bound = f"at least {lower:.4g} with {1 - alpha:.0%} confidence"
    if promoted:
        return f"loss is lower by {improvement:.4g}, {bound}, more than the {required:.4g} required"
    if improvement <= 0:
        return f"loss is not lower than the champion's (difference {improvement:.4g})"
    if improvement <= required:
        return f"loss is lower by {improvement:.4g}, less than the {required:.4g} required"
    return f"loss is lower by {improvement:.4g}, but that may be chance ({bound})"


def _without_numbers(reason: str, n: int, days: int) -> GateVerdict:
    return GateVerdict(
        promoted=False,
        reason=reason,
        improvement=None,
        lower=None,
        upper=None,
        required=None,
        champion_loss=None,
        challenger_loss=None,
        n=n,
        days=days,
    )
