"""Rows themselves, a sample of them, for metrics that no sums can stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampledRows:
    """Rows drawn at random.

    Attributes:
        columns: names of the columns.
        categorical: whether each column holds codes of categories; those of a number are False.
        values: shape ``(n, columns)``. A missing value is NaN. A category is its place in the
            baseline's vocabulary, the most frequent first, and -1 when it is not in there.

    Raises:
        ValueError: the shapes do not fit together.
    """

    columns: tuple[str, ...]
    categorical: tuple[bool, ...]
    values: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        width = len(self.columns)
        if len(self.categorical) != width or self.values.shape[1:] != (width,):
            raise ValueError(f"{width} columns, and values of shape {self.values.shape}")

    @property
    def n(self) -> int:
        """How many rows there are."""
        return len(self.values)
