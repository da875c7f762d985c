"""Profiles as Parquet bytes: the counts that are not zero as rows, the rest as metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.profiles.column import CategoricalColumn, ColumnSummary, NumericColumn
from dagster_monitoring.profiles.encoding import read_header, read_time, write_time
from dagster_monitoring.profiles.fixed_sums import FixedSums
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.row_serialization import (
    SampledColumn,
    read_errors,
    read_sample,
    sample_columns,
    write_errors,
    write_sample,
)
from dagster_monitoring.profiles.segments import (
    Block,
    CategoricalBlock,
    NumericBlock,
    SegmentTable,
)
from dagster_monitoring.statistics.exact_sum import ExactSum

FORMAT = 3
"""The format's version; a reader refuses others."""

_KEY = b"dagster_monitoring.profile"
_SQUARES = -1
_FIRST_FAULT = -2
_SAMPLE = "<sample>"

_SCHEMA = pa.schema(
    [
        ("segment_column", pa.dictionary(pa.int16(), pa.string())),
        ("column", pa.dictionary(pa.int16(), pa.string())),
        ("segment", pa.int32()),
        ("bin", pa.int32()),
        ("count", pa.int64()),
        ("sum", pa.int64()),
    ]
)


READ = ("segment", "bin", "count", "sum")
"""The columns that :func:`from_table` needs; the others are for whoever looks at a file."""


class _Part(TypedDict):
    """A block of rows: whose counts they are and what does not fit in rows."""

    segment_column: str
    column: str
    numeric: bool
    shape: list[int]
    rows: int
    exponents: list[int]
    rests: list[dict[str, str]]
    range: NotRequired[tuple[float | None, float | None]]
    unseen: NotRequired[dict[str, int]]
    n_unseen: NotRequired[int]


def to_table(profile: Profile) -> pa.Table:
    """A profile as a table: one row a cell that is not zero.

    Columns: ``segment_column`` (empty for all rows) and ``segment`` (its place among the
    segment column's values), ``column``, ``bin``, ``count`` and ``sum``, in whole units. A bin
    of -1 carries the sum of squares, lower ones the values that are in no bin. Sampled rows come
    last, under the segment column ``<sample>``: a row's rank as the count of its first column,
    the bits of its values as sums. The rest is JSON in the schema's metadata.
    """
    parts, rows = [], []
    for part, cells in _parts(profile):
        parts.append(part)
        rows.append(cells)
    header = {"format": FORMAT, "parts": parts, **_scalars(profile)}
    metadata = {_KEY: json.dumps(header, sort_keys=True, allow_nan=False).encode()}
    names = [(part["segment_column"], part["column"]) for part in parts]
    for sampled in sample_columns(profile.sample):
        names.append((_SAMPLE, sampled.name))
        rows.append(_sampled_cells(sampled))
    sizes = [len(cells.bin) for cells in rows]
    arrays = [
        _repeated([segment_column for segment_column, _ in names], sizes),
        _repeated([column for _, column in names], sizes),
        _joined(cells.segment for cells in rows),
        _joined(cells.bin for cells in rows),
        _joined(cells.count for cells in rows),
        _joined(cells.sum for cells in rows),
    ]
    return pa.Table.from_arrays(arrays, schema=_SCHEMA.with_metadata(metadata))


def from_table(table: pa.Table) -> Profile:
    """The profile that :func:`to_table` was given.

    Raises:
        CorruptDataError: the table is no profile, or of another format.
    """
    header = read_header(table, _KEY, FORMAT)
    segment, bins, count, total = (table[name].to_numpy() for name in READ)
    columns: dict[str, ColumnSummary] = {}
    blocks: dict[str, dict[str, Block]] = {c: {} for c in header["segments"]}
    at = 0
    for part in header["parts"]:
        own = slice(at, at + part["rows"])
        at += part["rows"]
        cells = _Cells(segment[own], bins[own], count[own], total[own])
        if part["segment_column"]:
            blocks[part["segment_column"]][part["column"]] = _block(part, cells)
        else:
            columns[part["column"]] = _column(part, cells)
    return Profile(
        columns=columns,
        segment_tables={
            name: SegmentTable(
                values=tuple(own["values"]),
                rows=np.array(own["rows"], dtype=np.int64),
                columns=blocks[name],
            )
            for name, own in header["segments"].items()
        },
        errors=read_errors(header["errors"]),
        sample=read_sample(header["sample"], count[at:], total[at:]),
        first_timestamp=read_time(header["first_timestamp"]),
        last_timestamp=read_time(header["last_timestamp"]),
        missing_columns=tuple(header["missing_columns"]),
        extra_columns=tuple(header["extra_columns"]),
        versions=NameCounts(**header["versions"]),
        sources=tuple(header["sources"]),
        faults=tuple(header["faults"]),
        **header["plain"],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """The cells of a block that are not zero; arrays of one length."""

    segment: npt.NDArray[np.int64]
    bin: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    sum: npt.NDArray[np.int64]


def _scalars(profile: Profile) -> Mapping[str, object]:
    return {
        "plain": {
            "rows": profile.rows,
            "n_duplicate_ids": profile.n_duplicate_ids,
            "n_outside_partition": profile.n_outside_partition,
            "n_bad_timestamps": profile.n_bad_timestamps,
            "type_faults": dict(profile.type_faults),
            "bins_key": profile.bins_key,
        },
        "first_timestamp": write_time(profile.first_timestamp),
        "last_timestamp": write_time(profile.last_timestamp),
        "missing_columns": profile.missing_columns,
        "extra_columns": profile.extra_columns,
        "versions": {"counts": dict(profile.versions.counts), "total": profile.versions.total},
        "sources": profile.sources,
        "faults": profile.faults,
        "segments": {
            name: {"values": table.values, "rows": table.rows.tolist()}
            for name, table in profile.segment_tables.items()
        },
        "errors": write_errors(profile.errors),
        "sample": write_sample(profile.sample),
    }


def _parts(profile: Profile) -> Iterator[tuple[_Part, _Cells]]:
    for name, column in sorted(profile.columns.items()):
        part, cells = _part("", name, _as_block(column))
        if isinstance(column, NumericColumn):
            part["range"] = column.minimum, column.maximum
        else:
            part["unseen"] = dict(column.unseen.counts)
            part["n_unseen"] = column.unseen.total
        yield part, cells
    for segment_column, table in sorted(profile.segment_tables.items()):
        for name, block in sorted(table.columns.items()):
            yield _part(segment_column, name, block)


def _part(segment_column: str, column: str, block: Block) -> tuple[_Part, _Cells]:
    cells = _cells(block)
    sums = (block.sums, block.sum_squares) if isinstance(block, NumericBlock) else ()
    part = _Part(
        segment_column=segment_column,
        column=column,
        numeric=isinstance(block, NumericBlock),
        shape=list(block.counts.shape),
        rows=len(cells.bin),
        exponents=[own.exponent for own in sums],
        rests=[{str(i): str(value) for i, value in own.rest.items()} for own in sums],
    )
    return part, cells


def _as_block(column: ColumnSummary) -> Block:
    """A column as a block of one row."""
    if isinstance(column, CategoricalColumn):
        faults = [column.unseen.total, column.n_null, column.n_type_fault]
        return CategoricalBlock(
            counts=column.counts[None, :], faults=np.array([faults], dtype=np.int64)
        )
    faults = [
        *(column.n_null, column.n_nan),
        *(column.n_positive_infinite, column.n_negative_infinite, column.n_type_fault),
    ]
    return NumericBlock(
        counts=column.counts[None, :],
        sums=column.sums.table(),
        sum_squares=column.sum_squares,
        faults=np.array([faults], dtype=np.int64),
    )


def _column(part: _Part, cells: _Cells) -> ColumnSummary:
    """A column of all rows, without the detour of a block: there are many of them."""
    inside = _inside(cells)
    counts = np.zeros(part["shape"][1], dtype=np.int64)
    counts[cells.bin[:inside]] = cells.count[:inside]
    rest = zip(cells.bin[inside:].tolist(), cells.count[inside:].tolist(), strict=True)
    faults = {_FIRST_FAULT - place: count for place, count in rest}
    if not part["numeric"]:
        return CategoricalColumn(
            counts=counts,
            unseen=NameCounts(counts=part["unseen"], total=part["n_unseen"]),
            n_null=faults.get(1, 0),
            n_type_fault=faults.get(2, 0),
        )
    sums, squared = np.zeros_like(counts), cells.bin[inside:] == _SQUARES
    sums[cells.bin[:inside]] = cells.sum[:inside]
    squares = cells.sum[inside:][squared].sum(keepdims=True)
    low, high = part["range"]
    return NumericColumn(
        counts=counts,
        sums=_fixed_sums(part, 0, sums),
        sum_squares=_fixed_sums(part, 1, squares),
        n_null=faults.get(0, 0),
        n_nan=faults.get(1, 0),
        n_positive_infinite=faults.get(2, 0),
        n_negative_infinite=faults.get(3, 0),
        n_type_fault=faults.get(4, 0),
        minimum=low,
        maximum=high,
    )


def _inside(cells: _Cells) -> int:
    """How many cells lie in bins: they come before the others."""
    return int(np.count_nonzero(cells.bin >= 0))


def _cells(block: Block) -> _Cells:
    faults = np.nonzero(block.faults)
    counted = np.nonzero(block.counts)
    segment, place = [counted[0]], [counted[1]]
    count, total = [block.counts[counted]], [np.zeros(len(counted[0]), dtype=np.int64)]
    if isinstance(block, NumericBlock):
        total = [block.sums.units[counted]]
        (squared,) = np.nonzero(block.sum_squares.units)
        segment.append(squared)
        place.append(np.full(len(squared), _SQUARES))
        count.append(np.zeros(len(squared), dtype=np.int64))
        total.append(block.sum_squares.units[squared])
    segment.append(faults[0])
    place.append(_FIRST_FAULT - faults[1])
    count.append(block.faults[faults])
    total.append(np.zeros(len(faults[0]), dtype=np.int64))
    return _Cells(*map(np.concatenate, (segment, place, count, total)))


def _sampled_cells(column: SampledColumn) -> _Cells:
    row = np.arange(len(column.bits))
    return _Cells(row, np.zeros_like(row), column.ranks, column.bits)


def _block(part: _Part, cells: _Cells) -> Block:
    segments, bins = part["shape"]
    counts = np.zeros((segments, bins), dtype=np.int64)
    faults = np.zeros((segments, 5 if part["numeric"] else 3), dtype=np.int64)
    inside, fault = slice(_inside(cells)), cells.bin <= _FIRST_FAULT
    counts[cells.segment[inside], cells.bin[inside]] = cells.count[inside]
    faults[cells.segment[fault], _FIRST_FAULT - cells.bin[fault]] = cells.count[fault]
    if not part["numeric"]:
        return CategoricalBlock(counts=counts, faults=faults)
    squared = cells.bin == _SQUARES
    sums, squares = np.zeros_like(counts), np.zeros(segments, dtype=np.int64)
    sums[cells.segment[inside], cells.bin[inside]] = cells.sum[inside]
    squares[cells.segment[squared]] = cells.sum[squared]
    return NumericBlock(
        counts=counts,
        sums=_fixed_sums(part, 0, sums),
        sum_squares=_fixed_sums(part, 1, squares),
        faults=faults,
    )


def _fixed_sums(part: _Part, at: int, units: npt.NDArray[np.int64]) -> FixedSums:
    rest = {int(i): ExactSum.parse(text) for i, text in part["rests"][at].items()}
    return FixedSums.of_units(units, exponent=part["exponents"][at], rest=rest)


def _repeated(names: list[str], sizes: list[int]) -> pa.DictionaryArray:
    distinct = sorted(set(names))
    place = {name: i for i, name in enumerate(distinct)}
    codes = np.repeat(np.array([place[n] for n in names], dtype=np.int16), sizes)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(distinct, pa.string()))


def _joined(parts: Iterable[npt.NDArray[np.int64]]) -> pa.Array:
    return pa.array(np.concatenate([*parts, np.zeros(0, dtype=np.int64)]))
