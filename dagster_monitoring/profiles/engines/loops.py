"""The inner loops of counting, of which there are two sets that add the same integers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.profiles.engines.cubes import Cube, Places, SegmentRows
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.tally import Tally, Tier

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PIECE = 32_768
"""Values that ``count_piece`` takes at a time, at the most: 256 KB a buffer. Their sums are whole
numbers below ``2 ** 53`` or of 64 bits only up to here."""


class Near(NamedTuple):
    """What a first pass over numbers found.

    Attributes:
        low, high: of the numbers counted; of none ``low`` is larger.
        others: rows that are far away or no numbers; they were counted as without a number.
    """

    low: float
    high: float
    others: npt.NDArray[np.int32]


class Loops(Protocol):
    """One set of inner loops: a module with these functions.

    Attributes:
        ROWS: rows of a slice that it is given at a time, at the most.
    """

    ROWS: int

    def count_near(self, array: pa.Array, rows: SegmentRows, tally: Tally) -> Near | None:
        """Count the nulls and the usual numbers of a ``float64`` array in one pass.

        ``None`` where this set has no such pass: nothing is counted then.
        """

    def count_piece(
        self,
        values: Floats,
        aside: Bools | None,
        rows: SegmentRows,
        tally: Tally,
        tier: Tier,
        work: Workspace,
    ) -> None:
        """Count at most ``PIECE`` values, and their offsets from the centre in units of ``tier``.

        Args:
            values: numbers less than ``2 ** 46`` units from the centre, but for those set aside.
            aside: rows that are to be counted as without a number.
            rows: their segments.
            tally: whose bins they are.
            tier: what the counts and sums are added to.
            work: buffers.
        """

    def place_codes(self, codes: pa.Array, mapping: Integers, by_code: Integers) -> Places:
        """Where each row's name is.

        Args:
            codes: of a dictionary, null or below ``len(mapping) - 1``.
            mapping: place by code; the last is the null's.
            by_code: rows by code, and last of nulls, which are added to.
        """

    def take(self, values: Places, place: Places) -> Places:
        """``values[place]``."""

    def count_cells(
        self, place: Places, coarse: Integers, rows: SegmentRows, cube: Cube, table: Integers
    ) -> None:
        """Add rows to ``table`` by cell of ``cube`` and ``coarse[place]``."""
