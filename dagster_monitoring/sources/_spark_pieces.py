"""Parts of Parquet files that a Spark worker reads by itself, as one process reads the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_monitoring.sources._files import StorageOptions, StoredFile
from dagster_monitoring.sources._slices import read_groups
from dagster_monitoring.sources._source import Request

PIECE_BYTES = 32 << 20
"""Stored bytes that a task reads, where row groups allow: some 300,000 rows of 20 columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredFile:
    """A file, and the stored bytes of each of its row groups."""

    file: StoredFile
    group_bytes: tuple[int, ...]

    @classmethod
    def of(cls, file: StoredFile, parquet: pq.ParquetFile) -> MeasuredFile:
        """As the file's footer has it."""
        metadata = parquet.metadata
        groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
        sizes = (
            sum(group.column(place).total_compressed_size for place in range(group.num_columns))
            for group in groups
        )
        return cls(file=file, group_bytes=tuple(sizes))


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePiece:
    """Row groups of one file or more; secrets stay names until a worker looks them up.

    Attributes:
        groups: which row groups of which files.
        options: for the file system.
        timestamp: the column that ``bounds`` are compared with.
        bounds: rows' start and end; ``None`` where files are of one day.
    """

    groups: tuple[tuple[StoredFile, range], ...]
    options: StorageOptions = field(repr=False)
    timestamp: str | None
    bounds: tuple[datetime, datetime] | None

    def batches(self, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        """See :meth:`Piece.batches`."""
        request = Request(columns=columns, timestamp=self.timestamp)
        for file, groups in self.groups:
            yield from read_groups(file, self.options, request, groups=groups, bounds=self.bounds)


def pieces_of(
    files: Iterable[MeasuredFile],
    options: StorageOptions,
    request: Request,
    bounds: tuple[datetime, datetime] | None,
) -> Iterator[FilePiece]:
    """Pieces of about ``PIECE_BYTES``; row groups stay whole, and each is in one piece."""
    for groups in _packed(files):
        yield FilePiece(groups=groups, options=options, timestamp=request.timestamp, bounds=bounds)


def _packed(files: Iterable[MeasuredFile]) -> Iterator[tuple[tuple[StoredFile, range], ...]]:
    pack: list[tuple[StoredFile, range]] = []
    size = 0
    for measured in files:
        first = 0
        for place, group in enumerate(measured.group_bytes):
            if size and size + group > PIECE_BYTES:
                if place > first:
                    pack.append((measured.file, range(first, place)))
                yield tuple(pack)
                pack, size, first = [], 0, place
            size += group
        if len(measured.group_bytes) > first:
            pack.append((measured.file, range(first, len(measured.group_bytes))))
    if pack:
        yield tuple(pack)
