"""Whether values go with the weekday, or the hour, and what is normal for the one at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_CYCLES = 4
_FEWEST_OF_EACH = 3
_F_ALPHA = 0.001


class Normal(NamedTuple):
    """A normal process that one more value is held against.

    Attributes:
        mean: what is expected of the value.
        spread: the standard deviation about that, with ``freedom`` degrees of freedom.
        freedom: at least 1.
        n: from how many values the mean is.
    """

    mean: float
    spread: float
    freedom: int
    n: int


def in_season(
    values: Sequence[float], seasons: Sequence[int], season: int, *, length: int
) -> Normal | None:
    """What is normal in a season, where seasons differ beyond doubt.

    They do when an F-test says that their means differ at 0.001, over at least four whole cycles
    with at least three values in each season. The mean is then the season's own, and the spread
    that of all values about the mean of their season.

    Args:
        values: finite.
        seasons: the season of each, such as its weekday.
        season: the one that is asked for.
        length: how many seasons there are in a cycle.

    Returns:
        ``None`` where there is too little to go by, or nothing shows.

    Raises:
        ValueError: values and seasons differ in number.

    Example:
        >>> weekdays = [day % 7 for day in range(28)]
        >>> quiet = [day % 5 / 10 for day in range(28)]
        >>> weekend = [value + 10 * (day > 4) for value, day in zip(quiet, weekdays)]
        >>> in_season(quiet, weekdays, 6, length=7) is None
        True
        >>> round(in_season(weekend, weekdays, 6, length=7).mean, 2)
        10.15

    Source: Fisher (1925), Statistical Methods for Research Workers, on the analysis of variance.
    """
    from scipy.special import fdtrc

    if len(values) != len(seasons):
        raise ValueError(f"{len(values)} values and {len(seasons)} seasons")
    counts = np.bincount(np.asarray(seasons, dtype=np.int64), minlength=length)
    # A few may be left out, so four cycles are counted by their sum, less one a cycle.
    if len(values) < _CYCLES * (length - 1) or counts.min() < _FEWEST_OF_EACH:
        return None
    found = np.asarray(values, dtype=np.float64)
    means = np.bincount(seasons, weights=found) / counts
    within = float(np.square(found - means[seasons]).sum())
    between = float(counts @ np.square(means - found.mean()))
    freedom = len(values) - length
    if not between > 0:
        return None
    ratio = between / (length - 1) / (within / freedom) if within > 0 else np.inf
    if not fdtrc(length - 1, freedom, ratio) < _F_ALPHA:
        return None
    spread = (within / freedom) ** 0.5
    return Normal(float(means[season]), spread, freedom, int(counts[season]))
