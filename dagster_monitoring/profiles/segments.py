"""Counts by segment: one table a segment column, so that a hundred segments add as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import OTHER
from dagster_monitoring.profiles.column import CategoricalColumn, ColumnSummary, NumericColumn
from dagster_monitoring.profiles.fixed_sums import FixedSums
from dagster_monitoring.profiles.names import NameCounts

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumericBlock:
    """One numeric column in all segments of a segment column, a row a segment.

    Attributes:
        counts: rows by segment and bin, shape ``(s, k)``.
        sums: sum of ``x - centre``, shape ``(s, k)``.
        sum_squares: sum of ``(x - centre) ** 2``, shape ``(s,)``.
        faults: null, NaN, +infinite, -infinite, of a wrong type; shape ``(s, 5)``.
    """

    counts: Counts
    sums: FixedSums
    sum_squares: FixedSums
    faults: Counts

    def __add__(self, other: NumericBlock) -> NumericBlock:
        return NumericBlock(
            counts=self.counts + other.counts,
            sums=self.sums + other.sums,
            sum_squares=self.sum_squares + other.sum_squares,
            faults=self.faults + other.faults,
        )

    def column(self, segment: int) -> NumericColumn:
        """The column in one segment."""
        null, nan, positive, negative, wrong = self.faults[segment].tolist()
        return NumericColumn(
            counts=self.counts[segment],
            sums=self.sums.row(segment),
            sum_squares=self.sum_squares.row(segment),
            n_null=null,
            n_nan=nan,
            n_positive_infinite=positive,
            n_negative_infinite=negative,
            n_type_fault=wrong,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CategoricalBlock:
    """One categorical column in all segments of a segment column, a row a segment.

    Attributes:
        counts: rows by segment and name, shape ``(s, k)``.
        faults: of no counted name, null, of a wrong type; shape ``(s, 3)``.
    """

    counts: Counts
    faults: Counts

    @classmethod
    def empty(cls, segments: int, names: int) -> CategoricalBlock:
        """No rows."""
        return cls(
            counts=np.zeros((segments, names), dtype=np.int64),
            faults=np.zeros((segments, 3), dtype=np.int64),
        )

    def __add__(self, other: CategoricalBlock) -> CategoricalBlock:
        return CategoricalBlock(
            counts=self.counts + other.counts, faults=self.faults + other.faults
        )

    def column(self, segment: int) -> CategoricalColumn:
        """The column in one segment; names not counted apart are together ``<other>``."""
        unseen, null, wrong = self.faults[segment].tolist()
        return CategoricalColumn(
            counts=self.counts[segment],
            unseen=NameCounts.of({OTHER: unseen} if unseen else {}),
            n_null=null,
            n_type_fault=wrong,
        )


Block = NumericBlock | CategoricalBlock


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentTable:
    """All segments of one segment column.

    Attributes:
        values: the segments' values; the last is ``<other>``.
        rows: rows by segment, shape ``(s,)``.
        columns: a block by column.
    """

    values: tuple[str, ...]
    rows: Counts
    columns: Mapping[str, Block] = field(default_factory=dict)

    def __add__(self, other: SegmentTable) -> SegmentTable:
        if self.values != other.values:
            raise ValueError("counted on different segments")
        names = [*self.columns, *(n for n in other.columns if n not in self.columns)]
        return SegmentTable(
            values=self.values,
            rows=self.rows + other.rows,
            columns={n: _added(self.columns.get(n), other.columns.get(n)) for n in names},
        )


class SegmentView(Mapping[str, Mapping[str, ColumnSummary]]):
    """Segments by name, ``"carrier=UA"``, each with its columns, made when asked for."""

    def __init__(self, tables: Mapping[str, SegmentTable]) -> None:
        self._tables = tables
        self._place = {
            f"{column}={value}": (column, i)
            for column, table in tables.items()
            for i, value in enumerate(table.values)
        }

    def __getitem__(self, name: str) -> Mapping[str, ColumnSummary]:
        column, at = self._place[name]
        return {n: block.column(at) for n, block in self._tables[column].columns.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)

    def column(self, name: str, column: str) -> ColumnSummary | None:
        """One column of one segment, or ``None`` when the profile lacks either."""
        place = self._place.get(name)
        if place is None:
            return None
        segment_column, at = place
        block = self._tables[segment_column].columns.get(column)
        return None if block is None else block.column(at)


def _added(left: Block | None, right: Block | None) -> Block:
    if isinstance(left, NumericBlock) and isinstance(right, NumericBlock):
        return left + right
    if isinstance(left, CategoricalBlock) and isinstance(right, CategoricalBlock):
        return left + right
    only = left if right is None else right if left is None else None
    if only is None:
        raise ValueError("a numeric and a categorical block cannot be added")
    return only
