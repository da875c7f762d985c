"""Sums of floats that no order of adding can change."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_FRACTION_BITS = 52
_EXPONENTS = 1 << 11
_LOWEST = 1074
"""Every finite float is a whole multiple of ``2 ** -1074``."""

_HALF_BITS = 26
_PIECE = 1 << 15
"""Values at a time: what stays in the cache. Sums of halves stay whole up to ``2 ** 27`` values."""


@dataclass(frozen=True, slots=True)
class ExactSum:
    """The sum of any number of floats without rounding; ``ExactSum()`` is the identity of ``+``.

    Floating-point addition rounds at each step, so that a day read in two batches has another sum
    than the day read in one. This one is a whole number of ``2 ** -1074``: adding is exact,
    associative and commutative, and only :meth:`__float__` rounds, once.

    Attributes:
        units: the sum in units of ``2 ** -1074``.

    Example:
        >>> float(ExactSum.of([1e100, 1.0, -1e100]))
        1.0
        >>> ExactSum.of([0.1, 0.2]) + ExactSum.of([0.3]) == ExactSum.of([0.3, 0.2, 0.1])
        True
    """

    units: int = 0

    @classmethod
    def of(cls, values: npt.ArrayLike) -> ExactSum:
        """The sum of finite numbers, any shape; 0 when there are none.

        Raises:
            ValueError: a value is not finite.
        """
        given = np.asarray(values, dtype=np.float64).ravel()
        if not np.isfinite(given).all():
            raise ValueError("an exact sum is of finite numbers")
        pieces = (given[start : start + _PIECE] for start in range(0, len(given), _PIECE))
        return cls(sum(map(_units, pieces)))

    @classmethod
    def weighted(cls, values: npt.ArrayLike, times: npt.ArrayLike) -> ExactSum:
        """The sum in which each number comes so many times, whole and not negative.

        Raises:
            ValueError: a value is not finite.

        Example:
            >>> ExactSum.weighted([0.1, 0.3], [3, 1]) == ExactSum.of([0.1, 0.1, 0.1, 0.3])
            True
        """
        given, left = np.asarray(values, dtype=np.float64), np.asarray(times, dtype=np.int64)
        units, bit = 0, 0
        # A product with the count would be rounded: sums by the digits of the counts are not.
        while left.any():
            units += cls.of(given[(left & 1) > 0]).units << bit
            left, bit = left >> 1, bit + 1
        return cls(units)

    @classmethod
    def parse(cls, text: str) -> ExactSum:
        """What :meth:`__str__` wrote.

        Raises:
            ValueError: it is no such text.
        """
        mantissa, _, shift = text.partition("p")
        return cls(int(mantissa, 16) << int(shift))

    def __add__(self, other: ExactSum) -> ExactSum:
        return ExactSum(self.units + other.units)

    def __sub__(self, other: ExactSum) -> ExactSum:
        return ExactSum(self.units - other.units)

    def __float__(self) -> float:
        """The float nearest to the sum; infinite when the sum is too large for one."""
        try:
            return self.units / (1 << _LOWEST)
        except OverflowError:
            return math.inf if self.units > 0 else -math.inf

    def __str__(self) -> str:
        """Hexadecimal mantissa and binary shift, for instance ``"-3p1074"`` for -3."""
        shift = (self.units & -self.units).bit_length() - 1 if self.units else 0
        return f"{self.units >> shift:x}p{shift}"


def _units(values: npt.NDArray[np.float64]) -> int:
    """Mantissas are summed by exponent, in two halves that floats hold exactly."""
    bits = np.ascontiguousarray(values).view(np.int64)
    sign = np.where(bits < 0, -1.0, 1.0)
    exponent = (bits >> _FRACTION_BITS) & (_EXPONENTS - 1)
    fraction = bits & ((1 << _FRACTION_BITS) - 1)
    # Above the subnormal numbers a leading 1 is left out of the bits.
    fraction += (exponent > 0).astype(np.int64) << _FRACTION_BITS
    highs = np.bincount(exponent, weights=sign * (fraction >> _HALF_BITS))
    lows = np.bincount(exponent, weights=sign * (fraction & ((1 << _HALF_BITS) - 1)))
    used = np.flatnonzero((highs != 0) | (lows != 0)).tolist()
    return sum(((int(highs[at]) << _HALF_BITS) + int(lows[at])) << max(at - 1, 0) for at in used)
