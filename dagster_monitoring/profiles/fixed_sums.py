"""Sums of a column's cells as whole numbers, so that no order of adding shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.exact_sum import ExactSum

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HALF = 31
"""Bits of the lower half in which integers too large for 64 bits are added."""

_LOWEST = 1074
_CARRY = 62
_ROOM = 1 << (_CARRY - 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedSums:
    """A sum a cell: a whole number of units, and apart what that cannot hold.

    The sum of cell ``i`` is ``units[i] * 2 ** exponent + rest[i]``. ``units`` stay within
    ``-2 ** 61 .. 2 ** 61``; what a sum has beyond, in multiples of ``2 ** 62`` units, is in
    ``rest``, as are values too far away for the unit. Both parts are exact, so adding is
    associative and commutative to the bit.

    Attributes:
        units: shape ``(k,)``, or ``(s, k)`` by segment.
        exponent: the unit is ``2 ** exponent``.
        rest: exact sums by flat index, none of them 0.
        reach: how far the units may be from 0 as far as is known, and no part of the value: sums
            that can't go far need no second look.

    Example:
        >>> one = FixedSums.of([3, -1], exponent=-1)
        >>> (one + one).floats().tolist()
        [3.0, -1.0]
    """

    units: Integers
    exponent: int
    rest: Mapping[int, ExactSum] = field(default_factory=dict)
    reach: int = field(default=_ROOM, compare=False)

    @classmethod
    def of_units(cls, units: Integers, *, exponent: int, rest: Mapping[int, ExactSum]) -> FixedSums:
        """From both parts, looking up how far the units are from 0."""
        reach = max(int(units.max(initial=0)), -int(units.min(initial=0)))
        return cls(units=units, exponent=exponent, rest=rest, reach=reach)

    @classmethod
    def of(cls, values: Sequence[int], *, exponent: int) -> FixedSums:
        """From whole numbers of any size."""
        carries = [(value + _ROOM) >> _CARRY for value in values]
        units = [value - (c << _CARRY) for value, c in zip(values, carries, strict=True)]
        rest = {i: _scaled(c << _CARRY, exponent) for i, c in enumerate(carries) if c}
        return cls(units=np.array(units, dtype=np.int64), exponent=exponent, rest=rest)

    @classmethod
    def of_halves(cls, high: Integers, low: Integers, *, exponent: int) -> FixedSums:
        """From whole numbers ``high * 2 ** 31 + low``, of any signs."""
        high = high + (low >> HALF)
        carry = (high + (1 << (_CARRY - 1 - HALF))) >> (_CARRY - HALF)
        units = ((high - (carry << (_CARRY - HALF))) << HALF) + (low & ((1 << HALF) - 1))
        return cls(units=units, exponent=exponent, rest=_carried(carry, exponent))

    @classmethod
    def zeros(cls, shape: int | tuple[int, int], *, exponent: int) -> FixedSums:
        """No sum but 0."""
        return cls(units=np.zeros(shape, dtype=np.int64), exponent=exponent, reach=0)

    def __add__(self, other: FixedSums) -> FixedSums:
        if self.exponent != other.exponent or self.units.shape != other.units.shape:
            raise ValueError(
                f"sums of different units or bins do not add: {self.units.shape} of 2 ** "
                f"{self.exponent} and {other.units.shape} of 2 ** {other.exponent}"
            )
        units, exponent = self.units + other.units, self.exponent
        rest, reach = self.rest, self.reach + other.reach
        if rest or other.rest:
            rest = add_rests([rest, other.rest])
        if reach >= _ROOM:
            reach = _ROOM
            carry = units + _ROOM
            carry >>= _CARRY
            # Counting takes a third of what any() does.
            if np.count_nonzero(carry):
                units -= carry << _CARRY
                rest = add_rests([rest, _carried(carry, exponent)])
        return FixedSums(units=units, exponent=exponent, rest=rest, reach=reach)

    def plus(self, rest: Mapping[int, ExactSum]) -> FixedSums:
        """These sums and further exact ones by flat index."""
        merged = add_rests([self.rest, rest])
        return FixedSums(units=self.units, exponent=self.exponent, rest=merged, reach=self.reach)

    def row(self, place: int) -> FixedSums:
        """One row of a table ``(s, k)``; of ``(s,)`` one cell."""
        if self.units.ndim == 1:
            units, width = self.units[place : place + 1], 1
        else:
            units, width = self.units[place], self.units.shape[1]
        first, rest = place * width, self.rest
        if rest:
            rest = {i - first: v for i, v in rest.items() if first <= i < first + width}
        return FixedSums(units=units, exponent=self.exponent, rest=rest, reach=self.reach)

    def table(self) -> FixedSums:
        """Sums of shape ``(k,)`` as a table of one row."""
        return replace(self, units=self.units[None, :])

    def exact(self, place: int) -> ExactSum:
        """One cell's sum, by flat index."""
        own = _scaled(int(self.units.flat[place]), self.exponent)
        return own + self.rest.get(place, ExactSum())

    def floats(self) -> Floats:
        """The sums, each rounded to a float; of the shape of ``units``."""
        values = np.ldexp(self.units.astype(np.float64), self.exponent)
        for place in self.rest:
            values.flat[place] = float(self.exact(place))
        return values


def add_rests(parts: Iterable[Mapping[int, ExactSum]]) -> dict[int, ExactSum]:
    """Exact sums by index, without those that are 0, by rising index."""
    merged: dict[int, ExactSum] = {}
    for part in parts:
        for place, value in part.items():
            merged[place] = merged[place] + value if place in merged else value
    return {place: merged[place] for place in sorted(merged) if merged[place].units}


def scaled_rest(values: Mapping[int, int], exponent: int) -> dict[int, ExactSum]:
    """Whole numbers of ``2 ** exponent`` by index, as exact sums."""
    return {place: _scaled(value, exponent) for place, value in values.items() if value}


def _carried(carry: Integers, exponent: int) -> dict[int, ExactSum]:
    flat = carry.ravel()
    return {i: _scaled(int(flat[i]) << _CARRY, exponent) for i in np.flatnonzero(flat).tolist()}


def _scaled(value: int, exponent: int) -> ExactSum:
    return ExactSum(value << (exponent + _LOWEST))
