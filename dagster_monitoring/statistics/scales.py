"""Scales on which a metric that nothing has moved is nearly normal."""

from __future__ import annotations

import math
from typing import Literal

Scale = Literal[
    "identity", "two_thirds", "three_fifths", "cube_root", "fourth_root", "log", "probit"
]
"""``cube_root`` for sums of squares, ``two_thirds`` for their roots, ``three_fifths`` for one
difference without its sign, ``fourth_root`` and ``log`` for what is more skewed, ``probit`` for
p-values, ``identity`` for what is nearly normal as it is. ``benchmarks/false_alarms.py`` shows what
they do."""

_POWERS = {"two_thirds": 2 / 3, "three_fifths": 3 / 5, "cube_root": 1 / 3, "fourth_root": 1 / 4}
_LEAST = 1e-15
_LARGEST_LOG = 700.0


def onto(value: float, scale: Scale) -> float:
    """A value on a scale; powers keep the sign.

    Args:
        value: finite; on ``log`` held above 1e-15; on ``probit`` a probability, held at least
            1e-15 away from 0 and 1.
        scale: which.

    Example:
        >>> round(onto(8.0, "cube_root"), 12), round(onto(8.0, "two_thirds"), 12)
        (2.0, 4.0)
        >>> onto(0.5, "probit")
        0.0

    Source: Wilson, Hilferty (1931), PNAS 17, 684-688: the cube root of a chi-square value is nearly
    normal.
    """
    if scale == "identity":
        return value
    if scale == "probit":
        from scipy.special import ndtri

        return float(ndtri(min(max(value, _LEAST), 1 - _LEAST)))
    if scale == "log":
        return math.log(max(value, _LEAST))
    return math.copysign(abs(value) ** _POWERS[scale], value)


def back(value: float, scale: Scale) -> float:
    """What :func:`onto` came from.

    Example:
        >>> round(back(2.0, "cube_root"), 12), back(0.0, "probit")
        (8.0, 0.5)
    """
    if scale == "identity":
        return value
    if scale == "probit":
        from scipy.special import ndtr

        return float(ndtr(value))
    if scale == "log":
        return math.exp(min(value, _LARGEST_LOG))
    return math.copysign(abs(value) ** (1 / _POWERS[scale]), value)
