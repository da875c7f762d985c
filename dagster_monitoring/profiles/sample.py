"""A bounded sample of rows: those whose ids have the lowest hashes, so that samples add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import LARGEST, Bins, CategoricalBins, NumericBins
from dagster_monitoring.profiles.encoded import EncodedRows
from dagster_monitoring.statistics.multivariate import SampledRows

Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

ROWS = 2_000
"""Rows of a sample: the ROC AUC of two such samples is known within 0.01."""

_SALT = np.uint64(0xD1B54A32D192ED03)
_FIRST = np.uint64(0xFF51AFD7ED558CCD)
_SECOND = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


def mixed(hashes: Hashes) -> Hashes:
    """Hashes of ids as ranks of rows: every bit depends on all bits of the id's hash.

    Source: Appleby, MurmurHash3's finalizer.
    """
    ranks = hashes ^ _SALT
    for factor in (_FIRST, _SECOND):
        ranks ^= ranks >> _SHIFT
        ranks *= factor
    ranks ^= ranks >> _SHIFT
    return ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """What a sample holds.

    Attributes:
        columns: the columns, in order.
        size: at most so many rows.
    """

    columns: tuple[str, ...]
    size: int = ROWS

    @property
    def key(self) -> str:
        """Names all that sampling depends on, beside the columns' bins."""
        return repr((self.columns, self.size))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowSample:
    """Rows with the lowest ranks, in order; rows of one rank (one id) by their values.

    Which rows are in it depends on their ids alone, so that the sample of a union is the sample of
    the samples, and a row is as likely in it as any other.

    Attributes:
        plan: what it holds.
        ranks: shape ``(n,)``, ``n`` at most the plan's size.
        values: shape ``(n, columns)``; as in ``SampledRows``.
        n_left_out: rows that could not be drawn: they have no id, or lack a column.
    """

    plan: SamplePlan
    ranks: Hashes = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    values: Floats
    n_left_out: int = 0

    @classmethod
    def empty(cls, plan: SamplePlan) -> RowSample:
        """No rows."""
        return cls(plan=plan, values=np.zeros((0, len(plan.columns))))

    @property
    def n(self) -> int:
        """How many rows it holds."""
        return len(self.ranks)

    def __add__(self, other: RowSample) -> RowSample:
        if self.plan != other.plan:
            raise ValueError("samples of other columns or sizes do not add")
        ranks = np.concatenate([self.ranks, other.ranks])
        values = np.concatenate([self.values, other.values])
        lowest = _order(ranks, values)[: self.plan.size]
        return RowSample(
            plan=self.plan,
            ranks=ranks[lowest],
            values=values[lowest],
            n_left_out=self.n_left_out + other.n_left_out,
        )

    def rows(self, columns: tuple[str, ...], bins: Mapping[str, Bins]) -> SampledRows:
        """Some of its columns, which ``bins`` tells the kinds of.

        Raises:
            KeyError: a column is not in the sample.
        """
        places = {name: at for at, name in enumerate(self.plan.columns)}
        return SampledRows(
            columns=columns,
            categorical=tuple(isinstance(bins[name], CategoricalBins) for name in columns),
            values=self.values[:, [places[name] for name in columns]],
        )


class RowSampler:
    """Draws a sample piece by piece."""

    def __init__(self, plan: SamplePlan, bins: Mapping[str, Bins]) -> None:
        self._bins = {name: bins[name] for name in plan.columns}
        self._sample = RowSample.empty(plan)
        self._held: list[RowSample] = []
        self._n_held = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row needs."""
        return self._sample.plan.columns

    def add(self, rows: EncodedRows, hashes: Hashes, has_id: npt.NDArray[np.bool_]) -> None:
        """Draw from a piece.

        Args:
            rows: all of the plan's columns.
            hashes: of the ids there are, one for each true value of ``has_id``.
            has_id: whether each row has an id.
        """
        plan = self._sample.plan
        ranks = mixed(hashes)
        (at,) = np.nonzero(has_id)
        if self._sample.n == plan.size:
            low = ranks <= self._sample.ranks[-1]
            ranks, at = ranks[low], at[low]
        if len(ranks) > plan.size:
            # Equal ranks all stay: their values decide which of them is in.
            low = ranks <= np.partition(ranks, plan.size - 1)[plan.size - 1]
            ranks, at = ranks[low], at[low]
        values = np.empty((len(at), len(plan.columns)))
        for place, name in enumerate(plan.columns):
            values[:, place] = sampled_values(rows[name][at], self._bins[name])
        self._hold(RowSample(plan=plan, ranks=ranks, values=values))
        self._sample = self._without(len(has_id) - len(hashes))

    def skip(self, rows: int) -> None:
        """Count rows that can't be drawn."""
        self._sample = self._without(rows)

    def sample(self) -> RowSample:
        """What was drawn."""
        self._settle()
        return self._sample

    def _hold(self, drawn: RowSample) -> None:
        self._held.append(drawn)
        self._n_held += drawn.n
        if self._n_held >= self._sample.plan.size:
            self._settle()

    def _settle(self) -> None:
        for drawn in self._held:
            self._sample = self._sample + drawn
        self._held, self._n_held = [], 0

    def _without(self, rows: int) -> RowSample:
        sample = self._sample
        return RowSample(
            plan=sample.plan,
            ranks=sample.ranks,
            values=sample.values,
            n_left_out=sample.n_left_out + rows,
        )


def sampled_values(column: npt.NDArray[np.generic], bins: Bins) -> Floats:
    """An encoded column as a sample keeps it."""
    if isinstance(bins, NumericBins):
        # Zero has a sign and NaN has many forms; a sample has one of each.
        numbers = np.clip(column, -LARGEST, LARGEST) + 0.0
        numbers[np.isnan(numbers)] = np.nan
        return np.asarray(numbers, dtype=np.float64)
    unseen = len(bins.vocabulary)
    codes = column.astype(np.float64)
    codes[codes == unseen] = -1.0
    codes[codes > unseen] = np.nan
    return codes


def _order(ranks: Hashes, values: Floats) -> npt.NDArray[np.intp]:
    """Rows by rank, then by their values from the first column on."""
    order = np.argsort(ranks, kind="stable")
    ordered = ranks[order]
    if (ordered[1:] != ordered[:-1]).all():
        return order
    return np.lexsort((*values.T[::-1], ranks))
