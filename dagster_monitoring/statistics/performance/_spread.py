"""How far chance moves a mean or a function of shares, from sums over independent rows."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.performance._cumulative import cumulative, weighed
from dagster_monitoring.statistics.performance._scores import Floats, ScoreCounts
from dagster_monitoring.statistics.undefined import Undefined, finite

ONE_ROW = "the spread between rows needs two of them"
_TWO = 2


def error_of_mean(
    total: float | Undefined, squares: float | Undefined, n: int
) -> float | Undefined:
    """The standard error of a mean of ``n`` independent numbers, from their two sums.

    Example:
        >>> error_of_mean(6.0, 14.0, 3)  # of 1, 2 and 3
        0.5773502691896258
    """
    if isinstance(total, Undefined):
        return total
    if isinstance(squares, Undefined):
        return squares
    if n < _TWO:
        return Undefined(ONE_ROW)
    mean = total / n
    return finite(math.sqrt(max(squares / n - mean * mean, 0.0) / (n - 1)))


def mean_by_score(counts: ScoreCounts, positive: Floats, negative: Floats) -> float:
    """The mean over rows whose value follows from score and label; see :func:`error_by_score`."""
    sums = cumulative(counts)
    return (weighed(positive, sums.positives) + weighed(negative, sums.negatives)) / sums.n


def error_by_score(counts: ScoreCounts, positive: Floats, negative: Floats) -> float | Undefined:
    """The standard error of a mean over rows whose value follows from score and label.

    Args:
        counts: the rows.
        positive: what a positive row of each score counts, shape ``(k,)``.
        negative: what a negative row counts.
    """
    sums = cumulative(counts)
    total = weighed(positive, sums.positives) + weighed(negative, sums.negatives)
    squares = weighed(np.square(positive), sums.positives) + weighed(
        np.square(negative), sums.negatives
    )
    return error_of_mean(total, squares, sums.n)


def error_of_table(table: Floats, gradient: Floats) -> float:
    """The standard error of a function of the shares of a table of counts, by the delta method.

    Args:
        table: rows by cell.
        gradient: the function's change for one row more in each cell; a function of shares
            changes by nothing when all cells grow in proportion, so that its mean is 0.

    Source: Agresti (2013), Categorical Data Analysis, section 16.1.
    """
    return math.sqrt(float((table * np.square(gradient)).sum()))
