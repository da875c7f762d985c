"""Rows of unlike lengths side by side, computed with all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeVar, TypeVarTuple, cast

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.histogram import Floats

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class Remembering:
    """What is asked of an object that does not change is computed when first asked for."""

    def once(self, compute: Callable[[Self, *Ts], T], *given: *Ts) -> T:
        """``compute(self, *given)``, computed once for all metrics that share it."""
        key = (compute, *given)
        if key not in self._known:
            self._known[key] = compute(self, *given)
        return cast("T", self._known[key])

    @cached_property
    def _known(self) -> dict[object, object]:
        return {}


@dataclass(frozen=True, eq=False)
class Rows(Remembering):
    """Rows of unlike lengths, one after the other in flat arrays.

    No row knows of the others: what overflows in one is a number in the next.

    Attributes:
        sizes: the length of each row, at least 1, shape ``(k,)``.
    """

    sizes: npt.NDArray[np.int64]

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where each row begins."""
        return self.sizes.cumsum() - self.sizes

    @cached_property
    def ends(self) -> npt.NDArray[np.int64]:
        """The last cell of each row."""
        return self.sizes.cumsum() - 1

    @cached_property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The number of the row that each cell is in."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def cells_of(self, flags: Flags) -> Places:
        """Where the cells of flagged rows are; flags of shape ``(k,)``, not all unset."""
        spans = zip(self.starts[flags].tolist(), self.ends[flags].tolist(), strict=True)
        return np.concatenate([np.arange(first, last + 1) for first, last in spans])

    def sum(self, cells: Floats) -> Floats:
        """The sum of each row's cells, shape ``(..., k)``."""
        found: Floats = np.add.reduceat(cells, self.starts, axis=-1)
        return found

    def largest(self, cells: Floats) -> Floats:
        """The largest of each row's cells, shape ``(k,)``."""
        found: Floats = np.maximum.reduceat(cells, self.starts)
        return found

    def smallest(self, cells: Floats) -> Floats:
        """The smallest of each row's cells, shape ``(k,)``."""
        found: Floats = np.minimum.reduceat(cells, self.starts)
        return found

    def widest(self, cells: Floats) -> Places:
        """Where each row's largest cell is, the first of several; shape ``(k,)``."""
        at = np.flatnonzero(cells == self.each(self.largest(cells)))[::-1]
        found = self.starts.copy()
        # Of several the first: what is written last stays.
        found[self.numbers[at]] = at
        return found

    def each(self, values: Floats) -> Floats:
        """Each row's value at each of its cells."""
        return values if len(values) == 1 else np.repeat(values, self.sizes)

    def sum_before(self, cells: Floats) -> Floats:
        """The sum of the cells before each one in its row, flat."""
        found = np.zeros(len(cells))
        # Not over all rows at once: a column of large numbers would take the digits of the next.
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            np.add.accumulate(cells[start:end], out=found[start + 1 : end + 1])
        return found

    def sums_before(self, one: Floats, other: Floats) -> tuple[Floats, Floats]:
        """:meth:`sum_before` of two, in the time of one: each addition waits for the last one."""
        pairs = np.empty(len(one), dtype=np.complex128)
        pairs.real, pairs.imag = one, other
        found = np.zeros_like(pairs)
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            np.add.accumulate(pairs[start:end], out=found[start + 1 : end + 1])
        return found.real, found.imag

    def count(self, flags: Flags) -> Floats:
        """How many of each row's cells are flagged, shape ``(k,)``."""
        return np.add.reduceat(flags, self.starts, dtype=np.float64)

    def at(self, places: Places, cells: Floats) -> Floats:
        """The sum by row of some cells, those at these places; shape ``(k,)``."""
        found = np.bincount(self.numbers[places], weights=cells, minlength=len(self.sizes))
        return found.astype(np.float64)

    def variance(self, shares: Floats, weight: Floats) -> Floats:
        """The variance of a weight that so large a share of each row has, shape ``(k,)``."""
        off = weight - self.each(self.sum(shares * weight))
        # In place: arrays that come and go cost as much as what is done with them.
        off *= off
        off *= shares
        return self.sum(off)
