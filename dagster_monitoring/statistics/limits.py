"""Limits learned from past values: where the next one should lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from dagster_monitoring.statistics.undefined import Undefined

Sides = Literal["upper", "lower", "both"]


def prediction_limits(
    past: Sequence[float], *, alpha: float, sides: Sides
) -> tuple[float | None, float | None] | Undefined:
    """The prediction interval for one more value: ``mean +- t * s * sqrt(1 + 1/n)``.

    With ``t`` from Student's distribution with ``n - 1`` degrees of freedom, a further value of
    the same normal process lies outside with probability ``alpha`` whatever ``n`` is. The usual
    mean plus or minus two standard deviations of 14 values is left 7.5 % of the time.

    Args:
        past: finite values, without the one that is judged. Equal ones give limits without
            width.
        alpha: probability of a value outside, within 0..1, both excluded; split between two
            sides.
        sides: which limits there are; the other is ``None``.

    Returns:
        ``(lower, upper)``; ``Undefined`` with fewer than two values.

    Raises:
        ValueError: ``alpha`` out of range, or a value that is not finite.

    Example:
        >>> lower, upper = prediction_limits([1.0, 2.0, 3.0], alpha=0.05, sides="both")
        >>> round(lower, 2), round(upper, 2)
        (-2.97, 6.97)

    Source: Hahn, Meeker (1991), Statistical Intervals, section 4.7.
    """
    check_alpha(alpha)
    values = np.asarray(past, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("past values are finite: leave out what could not be computed")
    n = len(values)
    if n < 2:  # noqa: PLR2004 - a spread needs two
        return Undefined(f"limits need at least two past values, there are {n}")
    tail = alpha / 2 if sides == "both" else alpha
    width = prediction_factor(n - 1, n, tail) * float(values.std(ddof=1))
    mean = float(values.mean())
    return (
        None if sides == "upper" else mean - width,
        None if sides == "lower" else mean + width,
    )


@lru_cache(maxsize=16384)
def prediction_factor(freedom: int, n: int, alpha: float) -> float:
    """How many standard deviations from the mean one more value lies at most: ``t sqrt(1 + 1/n)``.

    Args:
        freedom: of the standard deviation, at least 1; ``n - 1`` for a single sample.
        n: from how many values the mean is, at least 1.
        alpha: probability of a value beyond, on one side.

    Example:
        >>> round(prediction_factor(9, 10, 0.025), 2)  # 95 %, two-sided: 2.37 in the tables
        2.37

    Source: Hahn, Meeker (1991), Statistical Intervals, section 4.7 and table A.13.
    """
    from scipy.special import stdtrit

    check_alpha(alpha)
    return -float(stdtrit(freedom, alpha)) * math.sqrt(1 + 1 / n)


def check_alpha(alpha: float) -> None:
    """Refuse a probability of error that is not strictly within 0 and 1.

    Raises:
        ValueError: it is not.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies strictly between 0 and 1, not {alpha}")
