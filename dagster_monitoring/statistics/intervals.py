"""Confidence intervals of a share, and of a mean whose rows come in blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.limits import check_alpha
from dagster_monitoring.statistics.undefined import Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanInterval:
    """A mean with its two-sided confidence interval.

    Attributes:
        mean: over all rows.
        lower: the interval's lower end.
        upper: the interval's upper end.
        n: rows.
        blocks: distinct blocks that the rows are from.
    """

    mean: float
    lower: float
    upper: float
    n: int
    blocks: int


def wilson(successes: int, n: int, *, alpha: float) -> tuple[float, float] | Undefined:
    """Wilson's score interval of a share, good for small ``n`` and shares near 0 or 1.

    Args:
        successes: from 0 to ``n``.
        n: rows.
        alpha: probability that the interval misses the share, both sides together.

    Returns:
        ``(lower, upper)`` within 0..1; ``Undefined`` for no rows.

    Raises:
        ValueError: ``alpha`` or ``successes`` out of range.

    Example:
        >>> lower, upper = wilson(1, 10, alpha=0.05)
        >>> round(lower, 4), round(upper, 4)
        (0.0179, 0.4042)

    Source: Wilson (1927); Brown, Cai, DasGupta (2001).
    """
    from scipy.special import ndtri

    check_alpha(alpha)
    if not 0 <= successes <= n:
        raise ValueError(f"successes lie between 0 and n = {n}, not {successes}")
    if not n:
        return Undefined("no rows")
    z = -float(ndtri(alpha / 2))
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    # At the ends the two are equal but for rounding.
    return (0.0 if successes == 0 else middle - half, 1.0 if successes == n else middle + half)


def paired_mean_interval(
    differences: npt.NDArray[np.float64], blocks: npt.ArrayLike, *, alpha: float
) -> MeanInterval | Undefined:
    """The mean of paired differences, where rows of one block resemble each other.

    Flights of one stormy day are late together, so days and not rows are what is independent.
    The variance is that of the block totals around ``mean * size`` (the ratio estimator of
    cluster sampling), the quantile Student's with one degree of freedom less than blocks. With
    blocks of one size it is the t interval of the block means.

    Args:
        differences: one finite number a row, for instance loss of one model less the other's.
        blocks: the block of each row, for instance its day; any type that sorts.
        alpha: probability that the interval misses the mean, both sides together.

    Returns:
        The mean over rows and its interval; ``Undefined`` with fewer than two blocks.

    Raises:
        ValueError: ``alpha`` out of range, a difference that is not finite, or other lengths.

    Example:
        >>> found = paired_mean_interval(np.array([1.0, 3.0, 2.0, 4.0]), list("aabb"), alpha=0.05)
        >>> found.mean, found.blocks, round(found.lower, 2)
        (2.5, 2, -3.85)

    Source: Cochran (1977), Sampling Techniques, section 9A.
    """
    from scipy.special import stdtrit

    check_alpha(alpha)
    names, block = np.unique(np.asarray(blocks), return_inverse=True)
    if len(block) != len(differences) or not np.isfinite(differences).all():
        raise ValueError("each difference is finite and has its block")
    count, n = len(names), len(differences)
    if count < 2:  # noqa: PLR2004 - a spread needs two
        return Undefined(f"an interval needs rows of at least two blocks, there are {count}")
    mean = float(differences.mean())
    residuals = np.bincount(block, weights=differences - mean)
    error = math.sqrt(count / (count - 1) * float(np.dot(residuals, residuals))) / n
    half = -float(stdtrit(count - 1, alpha / 2)) * error
    return MeanInterval(mean=mean, lower=mean - half, upper=mean + half, n=n, blocks=count)
