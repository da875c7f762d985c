"""Databases whose driver hands out Arrow batches itself: no value becomes a Python object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from dagster_monitoring.sources.sql_readers._session import (
    BATCH_ROWS,
    Place,
    Relation,
    Session,
    Statement,
    probe,
    query_text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrowSession(Session):
    """An open connection of such a driver.

    Args:
        place: what is read, for messages.
        run: starts a statement and gives its batches, unread; ``None`` for the schema stands for
            a statement of few rows.
        errors: what the driver raises.
        cast_bounds: see :class:`Relation`.
    """

    place: Place
    run: Callable[[Statement, pa.Schema | None], pa.RecordBatchReader]
    errors: tuple[type[Exception], ...]
    cast_bounds: bool = False

    def relation(self, *, table: str | None, query: str | None) -> Relation:
        """See :meth:`Session.relation`; a query's types are known too."""
        text = sa.text(query_text(str(query)))
        bare = text.columns().subquery("slice") if table is None else _table(table, [])
        with self._faults():
            reader = self.run(probe(bare), None)
            found = reader.schema
            reader.close()
        columns = [_column(field) for field in found]
        clause = (
            text.columns(*columns).subquery("slice") if table is None else _table(table, columns)
        )
        as_text = frozenset(field.name for field in found if _needs_text(field))
        fields = [(f.name, pa.string() if f.name in as_text else plain_type(f.type)) for f in found]
        return Relation(
            name="the query" if table is None else f"table {table}",
            clause=clause,
            schema=pa.schema(fields),
            cast_bounds=self.cast_bounds,
            as_text=as_text,
        )

    def stream(self, statement: Statement, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """See :meth:`Session.stream`; the types are the driver's."""
        empty = True
        with self._faults():
            reader = self.run(statement, schema)
        try:
            while (batch := self._next(reader)) is not None:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    empty = False
                    yield plain_batch(batch.slice(start, BATCH_ROWS))
            if empty:
                yield pa.RecordBatch.from_pylist([], schema=schema)
        finally:
            reader.close()

    def row(self, statement: Statement) -> tuple[object, ...]:
        """See :meth:`Session.row`."""
        with self._faults():
            reader = self.run(statement, None)
            try:
                table = pa.Table.from_batches(map(plain_batch, reader))
            finally:
                reader.close()
        return tuple(column[0].as_py() for column in table.columns)

    def _next(self, reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
        with self._faults():
            try:
                return reader.read_next_batch()
            except StopIteration:
                return None

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        # A fault in the middle of a stream arrives as Arrow's, which may be a plain OSError.
        except (*self.errors, pa.ArrowException, OSError) as error:
            raise self.place.refused(error) from None


def plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the types that every reader gives: decimals as float64, no extensions."""
    arrays = [_plain(array) for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type that :func:`plain_batch` gives to a column.

    Example:
        >>> plain_type(pa.decimal128(10, 2))
        DataType(double)
    """
    if pa.types.is_decimal(kind) or _is_numeric_text(kind):
        return pa.float64()
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _plain(array: pa.Array) -> pa.Array:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        array = array.storage
    if not _is_numeric_text(kind):
        return array.cast(plain_type(kind)) if pa.types.is_decimal(kind) else array
    try:
        return array.cast(pa.float64())
    except pa.ArrowInvalid:
        # Beyond the range of a double: Python reads it as an infinity.
        values = [None if text is None else float(text) for text in array.to_pylist()]
        return pa.array(values, pa.float64())


def _is_numeric_text(kind: pa.DataType) -> bool:
    """PostgreSQL's numeric has no bound on its digits: ADBC gives them as text."""
    return isinstance(kind, pa.OpaqueType) and str(kind.type_name) == "numeric"


def _needs_text(field: pa.Field) -> bool:
    """Whether the driver would give the database's inner bytes, or cents without saying so."""
    if (field.metadata or {}).get(b"POSTGRESQL:type") == b"money":
        return True
    if not isinstance(field.type, pa.BaseExtensionType):
        return False
    stored = field.type.storage_type
    return stored == pa.binary() or isinstance(stored, pa.FixedSizeBinaryType)


def _table(name: str, columns: list[sa.ColumnClause[object]]) -> sa.TableClause:
    schema, _, bare = name.rpartition(".")
    quoted = sa.quoted_name(schema, quote=True) if schema else None
    return sa.table(sa.quoted_name(bare, quote=True), *columns, schema=quoted)


def _column(field: pa.Field) -> sa.ColumnClause[object]:
    # Reserved words differ between databases: every name is quoted.
    name, kind = sa.quoted_name(field.name, quote=True), field.type
    if pa.types.is_timestamp(kind):
        return sa.column(name, sa.DateTime(timezone=kind.tz is not None))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return sa.column(name, sa.Text())
    return sa.column(name)
