"""Parquet files of row groups, each group the rows of one set of partitions.

The store lists the files that count, and which of their row groups belong to a partition: a file
that is not listed is not there. So a transaction that fails leaves nothing behind but a file that
nobody reads, and a reader sees all of a transaction or nothing.
"""

from __future__ import annotations

import os
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores._models import made_id
from dagster_monitoring.stores._tables import label_file_groups, label_files

Hashes = npt.NDArray[np.uint64]
Members = frozenset[tuple[int, str]]
"""The partitions that a row group belongs to: numbers of models, and keys."""

HASH = "hash"
_GROUP_ROWS = 1 << 20
# Many small files are put together into one: opening a file costs as much as reading a thousand
# rows. A file of this size stays as it is.
_SMALL_ROWS = 1 << 18
_MOST_SMALL_FILES = 64
# A reader that began before its files were put together is done by then.
_KEPT_AFTER = timedelta(days=1)
_PLAIN = ("prediction_id", HASH)


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a row group whose hash is one of those looked for: their places in the group."""

    path: str
    file_id: int
    group: int
    rows: npt.NDArray[np.int64]
    hashes: Hashes


class LabelFiles:
    """The files below a folder.

    Args:
        folder: a path or any fsspec URL.
    """

    def __init__(self, folder: str) -> None:
        import fsspec

        self._files, base = fsspec.core.url_to_fs(folder)
        self._base = base.rstrip("/")
        self._is_local = isinstance(self._files, fsspec.implementations.local.LocalFileSystem)

    def write(
        self,
        connection: sa.Connection,
        kind: str,
        owner_id: int,
        groups: Iterable[tuple[Members, pa.Table]],
        schema: pa.Schema,
    ) -> None:
        """Writes a file and lists it.

        Args:
            connection: in a write transaction.
            kind: what the rows are.
            owner_id: whose they are.
            groups: rows with the partitions they belong to.
            schema: of all groups.
        """
        # Below the folder, so that it may move.
        path = f"{kind}/{owner_id}/{uuid.uuid4().hex}.parquet"
        numbers: list[Members] = []
        rows = 0
        with self._writer(path, schema) as writer:
            for members, table in groups:
                for start in range(0, table.num_rows, _GROUP_ROWS):
                    part = table.slice(start, _GROUP_ROWS)
                    writer.write_table(part, row_group_size=_GROUP_ROWS)
                    numbers.append(members)
                rows += table.num_rows
        row = {"kind": kind, "owner_id": owner_id, "path": path, "rows": rows}
        file_id = made_id(connection.execute(sa.insert(label_files).values(**row)))
        listed = [
            {"model_id": model_id, "partition": partition, "file_id": file_id, "number": number}
            for number, members in enumerate(numbers)
            for model_id, partition in members
        ]
        if listed:
            connection.execute(sa.insert(label_file_groups), listed)
        self._delete_replaced(connection, owner_id)

    def find(
        self, connection: sa.Connection, kind: str, owner_id: int, hashes: Hashes
    ) -> Iterator[Found]:
        """Rows whose hash is one of these, file by file; only hashes are read."""
        wanted = np.sort(hashes)
        if not len(wanted):
            return
        # A table of bits first: one look instead of a search for all that are not wanted.
        bits = int(np.clip(np.ceil(np.log2(len(wanted) * 16 + 1)), 10, 26))
        maybe = np.zeros(1 << bits, dtype=np.bool_)
        shift = np.uint64(64 - bits)
        maybe[wanted >> shift] = True
        for file_id, path in self._listed(connection, kind, owner_id):
            with self._open(path) as parquet:
                for group in range(parquet.num_row_groups):
                    column = parquet.read_row_group(group, columns=[HASH])[HASH].to_numpy()
                    rows = np.flatnonzero(maybe[column >> shift])
                    near = column[rows]
                    at = np.minimum(np.searchsorted(wanted, near), len(wanted) - 1)
                    same = wanted[at] == near
                    if same.any():
                        yield Found(path, file_id, group, rows[same], near[same])

    def columns(
        self, connection: sa.Connection, kind: str, owner_id: int, name: str
    ) -> Iterator[pa.ChunkedArray]:
        """One column of all rows of an owner, row group by row group."""
        for _, path in self._listed(connection, kind, owner_id):
            with self._open(path) as parquet:
                for group in range(parquet.num_row_groups):
                    yield parquet.read_row_group(group, columns=[name])[name]

    def take(self, found: Sequence[Found], columns: Sequence[str]) -> Iterator[pa.Table]:
        """Columns of the rows that were found, group by group."""
        by_path: dict[str, list[Found]] = defaultdict(list)
        for each in found:
            by_path[each.path].append(each)
        for path, own in by_path.items():
            with self._open(path) as parquet:
                for each in own:
                    table = parquet.read_row_group(each.group, columns=list(columns))
                    yield table.take(pa.array(each.rows))

    def read(
        self,
        connection: sa.Connection,
        kind: str,
        owner_id: int,
        member: tuple[int, str],
        schema: pa.Schema,
    ) -> pa.Table:
        """The rows of a partition: those of its row groups, and no other is read."""
        table = label_file_groups.c
        query = (
            sa.select(label_files.c.path, table.number)
            .join_from(label_file_groups, label_files, table.file_id == label_files.c.id)
            .where(
                table.model_id == member[0],
                table.partition == member[1],
                label_files.c.kind == kind,
                label_files.c.owner_id == owner_id,
                label_files.c.replaced_at.is_(None),
            )
            .order_by(table.file_id, table.number)
        )
        by_path: dict[str, list[int]] = defaultdict(list)
        for path, number in connection.execute(query):
            by_path[path].append(number)
        tables = [schema.empty_table()]
        for path, numbers in by_path.items():
            with self._open(path) as parquet:
                tables.append(parquet.read_row_groups(numbers, columns=schema.names))
        return pa.concat_tables(tables)

    def members(
        self, connection: sa.Connection, file_ids: Iterable[int]
    ) -> dict[tuple[int, int], Members]:
        """The partitions of row groups, by file and number; those of none are left out."""
        table = label_file_groups.c
        found: dict[tuple[int, int], set[tuple[int, str]]] = defaultdict(set)
        for file_id in sorted(set(file_ids)):
            query = sa.select(table.number, table.model_id, table.partition)
            for number, model_id, partition in connection.execute(
                query.where(table.file_id == file_id)
            ):
                found[file_id, number].add((model_id, partition))
        return {key: frozenset(members) for key, members in found.items()}

    def merge_small(
        self, connection: sa.Connection, kind: str, owner_id: int, schema: pa.Schema
    ) -> None:
        """Puts small files together when there are many."""
        small = self._listed(connection, kind, owner_id, below=_SMALL_ROWS)
        if len(small) < _MOST_SMALL_FILES:
            return
        paths = dict(small)
        members = self.members(connection, paths)
        by_members: dict[Members, list[tuple[int, int]]] = defaultdict(list)
        for file_id, path in small:
            with self._open(path) as parquet:
                for number in range(parquet.num_row_groups):
                    key = (file_id, number)
                    by_members[members.get(key, frozenset())].append(key)
        groups = (
            (common, self._gathered(keys, paths, schema)) for common, keys in by_members.items()
        )
        self.write(connection, kind, owner_id, groups, schema)
        self._replace(connection, [*paths])

    def drop(self, connection: sa.Connection, kind: str, owner_id: int, partition: str) -> None:
        """Takes the rows of a partition out of the list; the file goes with its last group."""
        table = label_file_groups.c
        own = sa.select(label_files.c.id).where(
            label_files.c.kind == kind, label_files.c.owner_id == owner_id
        )
        here = sa.and_(
            table.model_id == owner_id, table.partition == partition, table.file_id.in_(own)
        )
        found = connection.execute(sa.select(table.file_id).where(here).distinct()).scalars().all()
        connection.execute(sa.delete(label_file_groups).where(here))
        left = sa.select(table.file_id).where(table.file_id.in_(found))
        kept = set(connection.execute(left).scalars())
        self._replace(connection, [file_id for file_id in found if file_id not in kept])

    def _listed(
        self, connection: sa.Connection, kind: str, owner_id: int, *, below: int | None = None
    ) -> list[tuple[int, str]]:
        query = (
            sa.select(label_files.c.id, label_files.c.path)
            .where(
                label_files.c.kind == kind,
                label_files.c.owner_id == owner_id,
                label_files.c.replaced_at.is_(None),
            )
            .order_by(label_files.c.id)
        )
        if below is not None:
            query = query.where(label_files.c.rows < below)
        return [(int(row[0]), str(row[1])) for row in connection.execute(query)]

    def _gathered(
        self, keys: Sequence[tuple[int, int]], paths: Mapping[int, str], schema: pa.Schema
    ) -> pa.Table:
        """The rows of some row groups, one after the other; each row once."""
        by_file: dict[int, list[int]] = defaultdict(list)
        for file_id, number in keys:
            by_file[file_id].append(number)
        tables = []
        for file_id, numbers in by_file.items():
            with self._open(paths[file_id]) as parquet:
                tables.append(parquet.read_row_groups(numbers, columns=schema.names))
        return pa.concat_tables(tables)

    def _replace(self, connection: sa.Connection, file_ids: Sequence[int]) -> None:
        for file_id in file_ids:
            here = label_files.c.id == file_id
            now = datetime.now(UTC)
            connection.execute(sa.update(label_files).where(here).values(replaced_at=now))
            groups = label_file_groups.c.file_id == file_id
            connection.execute(sa.delete(label_file_groups).where(groups))

    def _delete_replaced(self, connection: sa.Connection, owner_id: int) -> None:
        """Deletes files that were replaced long ago."""
        old = sa.and_(
            label_files.c.owner_id == owner_id,
            label_files.c.replaced_at < datetime.now(UTC) - _KEPT_AFTER,
        )
        with _faults(self._base):
            for path in connection.execute(sa.select(label_files.c.path).where(old)).scalars():
                if self._files.exists(f"{self._base}/{path}"):
                    self._files.rm_file(f"{self._base}/{path}")
        connection.execute(sa.delete(label_files).where(old))

    @contextmanager
    def _writer(self, path: str, schema: pa.Schema) -> Iterator[Any]:
        """A writer of a file that is there whole or not at all."""
        options = {
            # Hashes and most ids don't shrink; they are read faster as they are.
            "compression": {n: "NONE" if n == HASH else "ZSTD" for n in schema.names},
            "use_dictionary": [name for name in schema.names if name not in _PLAIN],
            "write_statistics": False,
        }
        path = f"{self._base}/{path}"
        folder, name = path.rsplit("/", 1)
        with _faults(path):
            self._files.makedirs(folder, exist_ok=True)
            if not self._is_local:
                with (
                    self._files.open(path, "wb") as file,
                    pq.ParquetWriter(file, schema, **options) as writer,
                ):
                    yield writer
                return
            temporary = Path(folder) / f".{name}"
            try:
                with temporary.open("wb") as file:
                    with pq.ParquetWriter(file, schema, **options) as writer:
                        yield writer
                    # The store is about to say that it is there.
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    @contextmanager
    def _open(self, path: str) -> Iterator[Any]:
        path = f"{self._base}/{path}"
        with _faults(path):
            if self._is_local:
                with pa.memory_map(path) as file:
                    yield pq.ParquetFile(file)
            else:
                with self._files.open(path, "rb") as file:
                    yield pq.ParquetFile(file)


def forget_predictions(connection: sa.Connection, kind: str, model_id: int) -> None:
    """Takes all files of a model's predictions, and its part in files of labels, off the list."""
    here = sa.and_(label_files.c.kind == kind, label_files.c.owner_id == model_id)
    now = datetime.now(UTC)
    connection.execute(
        sa.update(label_files)
        .where(here, label_files.c.replaced_at.is_(None))
        .values(replaced_at=now)
    )
    groups = label_file_groups.c.model_id == model_id
    connection.execute(sa.delete(label_file_groups).where(groups))


@contextmanager
def _faults(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"label file {path}: {type(error).__name__}: {error}. Check that the folder is there "
            "and that this user may read and write it (field storage.path)"
        ) from error
