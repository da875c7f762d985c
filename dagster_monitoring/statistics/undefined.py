"""What a statistic gives when there is no number to give."""

from __future__ import annotations

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
