"""What a scan keeps of whole rows beside its counts: reconstruction errors and a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.arrays import is_null, plain
from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.encoded import Column
from dagster_monitoring.profiles.projection import Projection
from dagster_monitoring.profiles.sample import RowSample, RowSampler
from dagster_monitoring.statistics.multivariate import ReconstructionErrors

Hashes = npt.NDArray[np.uint64]


@dataclass(slots=True, eq=False)
class WholeRows:
    """One piece of a slice, as far as it could be read.

    Attributes:
        ids: the column of ids; ``None`` when there is none.
        n: the rows of the piece.
        hashes: of the ids that are not null; ``None`` when ids can't be hashed.
        columns: numbers and places by column; those of a wrong type are not among them.
    """

    ids: pa.Array | None
    n: int
    hashes: Hashes | None = None
    columns: dict[str, Column] = field(default_factory=dict)


class RowCounter:
    """Sums up the rows of a slice piece by piece, as the baseline's bins ask for."""

    def __init__(self, bins: BinSet) -> None:
        self._projections = [p for p in bins.projections if p.is_usable]
        self._errors = {p.key: ReconstructionErrors() for p in self._projections}
        self._sampler = RowSampler(bins.sample, bins.columns) if bins.sample else None

    def add(self, rows: WholeRows) -> None:
        """Sum up one piece."""
        for projection in self._projections:
            self._errors[projection.key] += _measured(projection, rows)
        if self._sampler is None:
            return
        lacks = any(name not in rows.columns for name in self._sampler.columns)
        if rows.ids is None or rows.hashes is None or lacks:
            self._sampler.skip(rows.n)
        else:
            self._sampler.add(rows.columns, rows.hashes, _has_value(rows.ids))

    def errors(self) -> Mapping[str, ReconstructionErrors]:
        """Reconstruction errors by the projection's key."""
        return dict(sorted(self._errors.items()))

    def sample(self) -> RowSample | None:
        """The sample, if the bins ask for one."""
        return self._sampler.sample() if self._sampler else None


def _measured(projection: Projection, rows: WholeRows) -> ReconstructionErrors:
    if any(name not in rows.columns for name in projection.columns):
        return ReconstructionErrors(n_left_out=rows.n)
    return ReconstructionErrors.of(projection.squared_errors(rows.columns))


def _has_value(ids: pa.Array) -> npt.NDArray[np.bool_]:
    """True where an id is not null; a dictionary may hold a null too."""
    return ~is_null(plain(ids))
