"""What a statistic gives when there is no number to give."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Undefined:
    """A value that cannot be computed, with the reason a person reads.

    Never NaN and never 0 for "none": a caller has to look at it before it can compare.

    Example:
        >>> Undefined("the slice has no rows").reason
        'the slice has no rows'
    """

    reason: str


def finite(value: float) -> float | Undefined:
    """The value, unless the numbers it is from were too large for a float.

    Example:
        >>> finite(1.5)
        1.5
        >>> finite(1e308 * 10)
        Undefined(reason='the values are too large: a sum or square of them overflows')
    """
    if math.isfinite(value):
        return value
    return TOO_LARGE


TOO_LARGE = Undefined("the values are too large: a sum or square of them overflows")
"""Of a number that is none because others were too large for a float."""
