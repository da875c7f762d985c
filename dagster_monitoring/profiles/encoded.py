"""Rows as numbers and places, column by column."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles.bins import Bins, CategoricalBins
from dagster_monitoring.profiles.engines.categorical import CategoricalCounter
from dagster_monitoring.profiles.engines.cubes import Cube
from dagster_monitoring.profiles.reading import WrongType, read_names, read_numbers

Column = npt.NDArray[np.float64] | npt.NDArray[np.signedinteger]
EncodedRows = Mapping[str, Column]
"""Rows by column. Numbers as they are, NaN where missing; categories by their place in the
baseline's vocabulary, then one place for unseen names and one for missing ones."""


class RowEncoder:
    """Encodes batches of a baseline, whose columns are known to be there."""

    def __init__(self, bins: Mapping[str, Bins]) -> None:
        self._bins = bins
        self._counters = {
            name: CategoricalCounter(own, Cube.within((), most=1))
            for name, own in bins.items()
            if isinstance(own, CategoricalBins)
        }

    def encode(self, batch: pa.RecordBatch) -> EncodedRows:
        """All columns of the bins.

        Raises:
            BaselineError: a column is of a wrong type.
        """
        return {name: self._column(name, batch.column(name)) for name in self._bins}

    def _column(self, name: str, array: pa.Array) -> Column:
        found = read_names(array) if name in self._counters else read_numbers(array)
        if isinstance(found, WrongType):
            raise BaselineError(f"the baseline's column {name!r} holds {found.found}")
        if name in self._counters:
            return self._counters[name].places(found)
        return found.values
