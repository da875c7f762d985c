"""How many rows had an absolute error of about which size."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.performance._scores import Counts, Floats

Cells = npt.NDArray[np.int64]

_SHIFT = 52 - 7
"""Bits of a float's mantissa that a cell leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ErrorCounts:
    """Rows by absolute error, in cells no wider than 2^-7 of their value; 0 has its own.

    A cell is a float's exponent and the first seven bits of its mantissa, so that the cells of
    every slice are the same; ``+`` adds them, the empty one changes nothing. At most 262,000
    cells, in practice a few hundred.

    Attributes:
        cells: numbers of the cells that hold a row, increasing, shape ``(k,)``.
        counts: rows a cell, shape ``(k,)``.
    """

    cells: Cells = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    counts: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def of(cls, cells: Cells) -> ErrorCounts:
        """Counts of raw rows, from each row's cell."""
        found, counts = np.unique(cells, return_counts=True)
        return cls(cells=found, counts=counts)

    def __add__(self, other: ErrorCounts) -> ErrorCounts:
        cells, place = np.unique(np.concatenate((self.cells, other.cells)), return_inverse=True)
        counts = np.zeros(len(cells), dtype=np.int64)
        np.add.at(counts, place, np.concatenate((self.counts, other.counts)))
        return ErrorCounts(cells=cells, counts=counts)

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.counts.sum())

    def quantile(self, share: float) -> float:
        """The error that ``share`` of the rows lie below, off by at most 2^-7 of itself.

        Rows are taken as spread evenly over their cell.

        Args:
            share: from 0 to 1.

        Raises:
            ValueError: there are no rows.
        """
        if not self.n:
            raise ValueError("a quantile needs rows")
        wanted = share * self.n
        ends = np.cumsum(self.counts)
        at = int(np.searchsorted(ends, wanted))
        low, high = _edge(int(self.cells[at])), _edge(int(self.cells[at]) + 1)
        if not self.cells[at]:
            return 0.0
        within = (wanted - float(ends[at] - self.counts[at])) / float(self.counts[at])
        return low + (high - low) * within


def error_cells(absolute_error: Floats) -> Cells:
    """The cell of each absolute error, shape ``(n,)``; infinity has one too.

    Example:
        >>> error_cells(np.array([0.0, 1.0, 1.001, 1.01])).tolist()
        [0, 130944, 130944, 130945]
    """
    return (np.ascontiguousarray(absolute_error) + 0.0).view(np.int64) >> _SHIFT


def _edge(cell: int) -> float:
    return float(np.array(cell << _SHIFT, dtype=np.int64).view(np.float64))
