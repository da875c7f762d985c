"""How far the means of groups of rows swing, beyond what so few rows do by chance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.undefined import Undefined

MINIMUM_GROUPS = 8
"""Of fewer groups a standard deviation is hardly known."""


def swing_of_means(
    values: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]
) -> float | Undefined:
    """Standard deviation of one more group's true mean about the mean of these groups.

    Rows of one group may be alike, as those of a day that share its weather; the mean of a group
    then swings by more than its number of rows says. A one-way analysis of variance tells the
    part that lies between groups from the part that rows make by chance; the first is what is
    given, times ``sqrt(1 + 1/k)`` for ``k`` groups.

    Args:
        values: of rows, shape ``(n,)``, finite.
        groups: the group of each, any whole numbers.

    Returns:
        At least 0, and 0 where groups differ by no more than chance; ``Undefined`` with fewer
        than eight groups, or no group of two rows.

    Raises:
        ValueError: values and groups differ in number.

    Example:
        >>> source = np.random.default_rng(0)
        >>> groups = np.repeat(np.arange(40), 50)
        >>> alike, apart = source.normal(size=2000), source.normal(size=40)[groups]
        >>> round(swing_of_means(alike, groups), 2), round(swing_of_means(alike + apart, groups), 1)
        (0.04, 1.2)

    Source: Searle, Casella, McCulloch, Variance Components, section 3.6 (unbalanced data).
    """
    if values.shape != groups.shape:
        raise ValueError(f"{values.shape} values and {groups.shape} groups")
    _, place = np.unique(groups, return_inverse=True)
    sizes = np.bincount(place).astype(np.float64)
    k, n = len(sizes), len(values)
    if k < MINIMUM_GROUPS:
        return Undefined(f"{k} groups, and {MINIMUM_GROUPS} are needed")
    if n == k:
        return Undefined("no group has two rows")
    means = np.bincount(place, weights=values) / sizes
    between = float(sizes @ np.square(means - values.mean())) / (k - 1)
    within = float(np.square(values - means[place]).sum()) / (n - k)
    size = (n - float(np.square(sizes).sum()) / n) / (k - 1)
    return math.sqrt(max(between - within, 0.0) / size * (1 + 1 / k))
