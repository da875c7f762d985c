"""The summary of a slice: everything drift and data quality need, and it adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import TypeVar

from dagster_monitoring.profiles.column import ColumnSummary, add_columns
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.sample import RowSample
from dagster_monitoring.profiles.segments import SegmentTable, SegmentView
from dagster_monitoring.statistics.multivariate import ReconstructionErrors

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """A slice, a window or a baseline in counts; ``Profile()`` is the identity of ``+``.

    Attributes:
        rows: all rows.
        n_duplicate_ids: rows whose id an earlier row of the same slice had; null ids too.
        n_outside_partition: rows whose timestamp lies outside the slice's bounds; they are
            counted in everything else all the same.
        n_bad_timestamps: rows whose timestamp is missing, is no timestamp, or has no time
            zone (it is then read as UTC).
        first_timestamp: the earliest timestamp, UTC.
        last_timestamp: the latest timestamp, UTC.
        columns: summaries by column; a column that no file had is absent.
        segment_tables: counts by segment column; read them through ``segments``.
        errors: reconstruction errors by the key of the bins' projection.
        sample: some of the rows; ``None`` when the bins ask for none.
        missing_columns: columns that were expected and that some file did not have.
        extra_columns: columns that nobody declared.
        type_faults: column to the wrong type that was found.
        model_versions: rows by the model version that scored them.
        bins_key: the hash of the bins; profiles add when it is the same.
        sources: the files that were read.
        faults: why a slice, or a part of it, could not be read.
    """

    rows: int = 0
    n_duplicate_ids: int = 0
    n_outside_partition: int = 0
    n_bad_timestamps: int = 0
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    columns: Mapping[str, ColumnSummary] = field(default_factory=dict)
    segment_tables: Mapping[str, SegmentTable] = field(default_factory=dict)
    errors: Mapping[str, ReconstructionErrors] = field(default_factory=dict)
    sample: RowSample | None = None
    missing_columns: tuple[str, ...] = ()
    extra_columns: tuple[str, ...] = ()
    type_faults: Mapping[str, str] = field(default_factory=dict)
    versions: NameCounts = field(default_factory=NameCounts)
    bins_key: str = ""
    sources: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def segments(self) -> SegmentView:
        """Columns by segment name, ``profile.segments["carrier=UA"]["distance"]``."""
        return SegmentView(self.segment_tables)

    @property
    def segment_rows(self) -> dict[str, int]:
        """Rows by segment name."""
        return {
            f"{column}={value}": rows
            for column, table in self.segment_tables.items()
            for value, rows in zip(table.values, table.rows.tolist(), strict=True)
        }

    @property
    def model_versions(self) -> Mapping[str, int]:
        """Rows by the model version that scored them; empty without such a column."""
        return self.versions.counts

    @property
    def is_empty(self) -> bool:
        """Whether there is not one row."""
        return self.rows == 0

    def __add__(self, other: Profile) -> Profile:
        key = self._common_key(other)
        return Profile(
            rows=self.rows + other.rows,
            n_duplicate_ids=self.n_duplicate_ids + other.n_duplicate_ids,
            n_outside_partition=self.n_outside_partition + other.n_outside_partition,
            n_bad_timestamps=self.n_bad_timestamps + other.n_bad_timestamps,
            first_timestamp=min(_times(self.first_timestamp, other.first_timestamp), default=None),
            last_timestamp=max(_times(self.last_timestamp, other.last_timestamp), default=None),
            columns=_merged(self.columns, other.columns, add_columns),
            segment_tables=_merged(self.segment_tables, other.segment_tables, SegmentTable.__add__),
            errors=_merged(self.errors, other.errors, ReconstructionErrors.__add__),
            sample=_both_samples(self.sample, other.sample),
            missing_columns=_union(self.missing_columns, other.missing_columns),
            extra_columns=_union(self.extra_columns, other.extra_columns),
            type_faults=_merged(self.type_faults, other.type_faults, _both_types),
            versions=self.versions + other.versions,
            bins_key=key,
            sources=_union(self.sources, other.sources),
            faults=_union(self.faults, other.faults),
        )

    def _common_key(self, other: Profile) -> str:
        if self.bins_key and other.bins_key and self.bins_key != other.bins_key:
            raise ValueError(
                f"profiles on different bins do not add: {self.bins_key} and {other.bins_key}. "
                f"Scan the slice again with the baseline's bins"
            )
        return self.bins_key or other.bins_key


def merge(profiles: Iterable[Profile]) -> Profile:
    """The profile of all rows together; the empty profile when there are none.

    Counts are exact and do not depend on the order. Duplicate ids are those within each slice.

    Raises:
        ValueError: the profiles were counted on different bins.

    Example:
        >>> merge([Profile(rows=2), Profile(rows=3)]).rows
        5
    """
    found = [*profiles]
    return reduce(Profile.__add__, found) if found else Profile()


def _merged(
    left: Mapping[str, T], right: Mapping[str, T], add: Callable[[T, T], T]
) -> dict[str, T]:
    """Both mappings by sorted name, so that the order of adding leaves no trace."""
    names = sorted({*left, *right})
    return {
        name: add(left[name], right[name])
        if name in left and name in right
        else left[name]
        if name in left
        else right[name]
        for name in names
    }


def _both_samples(left: RowSample | None, right: RowSample | None) -> RowSample | None:
    if left is None or right is None:
        return left or right
    return left + right


def _both_types(left: str, right: str) -> str:
    return ", ".join(_union(_types(left), _types(right)))


def _types(text: str) -> tuple[str, ...]:
    """The names of a list of types; a comma within brackets belongs to a name.

    Example:
        >>> _types("decimal128(9, 2), struct<a: int64, b: list<item: int8>>")
        ('decimal128(9, 2)', 'struct<a: int64, b: list<item: int8>>')
    """
    names, start, depth = [], 0, 0
    for place, character in enumerate(text):
        depth += (character in "<[(") - (character in ">])")
        if not depth and text.startswith(", ", place):
            names.append(text[start:place])
            start = place + 2
    return (*names, text[start:])


def _union(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*left, *right}))


def _times(*moments: datetime | None) -> list[datetime]:
    return [moment for moment in moments if moment is not None]
