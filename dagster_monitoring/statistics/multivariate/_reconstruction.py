"""How far rows lie from the main directions of a baseline, summed up."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.exact_sum import ExactSum


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconstructionErrors:
    """Sums of reconstruction errors; ``ReconstructionErrors()`` is the identity of ``+``.

    Attributes:
        n: rows that were measured.
        total: sum of their errors.
        squares: sum of the squares of their errors.
        n_left_out: rows that were not measured, since a column was missing or of a wrong type.

    Example:
        >>> errors = ReconstructionErrors.of([9.0, 16.0])
        >>> errors.mean, errors.std, (errors + errors).mean
        (3.5, 0.7071067811865476, 3.5)
    """

    n: int = 0
    total: ExactSum = field(default_factory=ExactSum)
    squares: ExactSum = field(default_factory=ExactSum)
    n_left_out: int = 0

    @classmethod
    def of(cls, squared: npt.ArrayLike) -> ReconstructionErrors:
        """From the squared error of each row, finite and at least 0, any shape."""
        given = np.asarray(squared, dtype=np.float64).ravel()
        return cls(n=len(given), total=ExactSum.of(np.sqrt(given)), squares=ExactSum.of(given))

    @property
    def mean(self) -> float:
        """The mean error; 0.0 without rows."""
        return float(self.total) / self.n if self.n else 0.0

    @property
    def std(self) -> float:
        """The errors' standard deviation, of a sample; 0.0 with fewer than two rows."""
        if self.n < 2:  # noqa: PLR2004 - a spread needs two
            return 0.0
        # Whole numbers: n squares less the squared sum does not cancel.
        spread = self.n * self.squares.units * _ONE - self.total.units**2
        return math.sqrt(max(spread / (_ONE * _ONE), 0.0) / (self.n * (self.n - 1)))

    @property
    def standard_error(self) -> float:
        """The standard error of the mean; 0.0 with fewer than two rows."""
        return self.std / math.sqrt(self.n) if self.n else 0.0

    def __add__(self, other: ReconstructionErrors) -> ReconstructionErrors:
        return ReconstructionErrors(
            n=self.n + other.n,
            total=self.total + other.total,
            squares=self.squares + other.squares,
            n_left_out=self.n_left_out + other.n_left_out,
        )


_ONE = ExactSum.of([1.0]).units
