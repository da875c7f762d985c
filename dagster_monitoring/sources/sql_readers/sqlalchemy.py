"""Any database that SQLAlchemy reads: rows fetched a few at a time, turned into Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError

from dagster_monitoring.errors import DataError
from dagster_monitoring.sources.database import build_engine, with_driver
from dagster_monitoring.sources.sql_readers._session import (
    BATCH_BYTES,
    Place,
    Relation,
    Session,
    SqlReader,
    Statement,
    probe,
    query_text,
)

# Rows are Python objects here, ten times their size in Arrow. More of them at once cost more each:
# Python's garbage collector then walks through everything that lives (measured: twice the time).
FETCH_ROWS = 1_024
_FIRST_ROWS = 128

_ARROW_TYPES: tuple[tuple[type, pa.DataType], ...] = (
    (bool, pa.bool_()),
    (int, pa.int64()),
    (float, pa.float64()),
    (Decimal, pa.float64()),
    (str, pa.string()),
)


class SqlAlchemyReader(SqlReader):
    """SQLite, PostgreSQL without ADBC, and whatever else has a dialect installed."""

    def serves(self, url: URL) -> bool:  # noqa: ARG002 - it takes every address
        """See :meth:`SqlReader.serves`: every address that no other reader takes."""
        return True

    @contextmanager
    def open(self, place: Place) -> Iterator[Session]:
        """See :meth:`SqlReader.open`."""
        engine = build_engine(with_driver(place.url))
        try:
            with engine.connect() as connection:
                yield SqlAlchemySession(connection=connection)
        except NoSuchTableError as error:
            raise DataError(
                f"{place.what}: the database {place.shown} has no table {error}. "
                f"Check the field table"
            ) from None
        except SQLAlchemyError as error:
            raise place.refused(error) from None
        finally:
            engine.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAlchemySession(Session):
    """An open SQLAlchemy connection."""

    connection: sa.Connection

    def relation(self, *, table: str | None, query: str | None) -> Relation:
        """See :meth:`Session.relation`; a query's types are known from its values only."""
        text_times = self.connection.dialect.name == "sqlite"
        if table is not None:
            schema, _, name = table.rpartition(".")
            found = sa.Table(
                name, sa.MetaData(), schema=schema or None, autoload_with=self.connection
            )
            fields = [(column.name, arrow_type(column.type)) for column in found.columns]
            return Relation(
                name=f"table {table}",
                clause=found,
                schema=pa.schema(fields),
                text_times=text_times,
            )
        text = sa.text(query_text(str(query)))
        names = list(self.connection.execute(probe(text.columns().subquery("slice"))).keys())
        return Relation(
            name="the query",
            clause=text.columns(*(sa.column(name) for name in names)).subquery("slice"),
            schema=pa.schema([(name, pa.null()) for name in names]),
            text_times=text_times,
        )

    def stream(self, statement: Statement, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """See :meth:`Session.stream`; a null type is taken from the first value seen."""
        streaming = self.connection.execution_options(
            stream_results=True, max_row_buffer=_FIRST_ROWS
        )
        result = streaming.execute(statement)
        size, types, empty = min(_FIRST_ROWS, FETCH_ROWS), list(schema.types), True
        while rows := result.fetchmany(size):
            empty = False
            batch = _as_batch(rows, types, schema.names)
            types = [
                a.type if pa.types.is_null(t) else t
                for t, a in zip(types, batch.columns, strict=True)
            ]
            fitting = BATCH_BYTES * len(rows) // max(batch.nbytes, 1)
            size = max(1, min(fitting, 4 * size, FETCH_ROWS))
            yield batch
        if empty:
            yield pa.RecordBatch.from_pylist([], schema=schema)

    def row(self, statement: Statement) -> tuple[object, ...]:
        """See :meth:`Session.row`."""
        return tuple(self.connection.execute(statement).one())


def arrow_type(kind: sa.types.TypeEngine[object]) -> pa.DataType:
    """The Arrow type of a database column; null where only its values tell."""
    try:
        python_type = kind.python_type
    except NotImplementedError:
        return pa.null()
    if issubclass(python_type, datetime):
        return pa.timestamp("us", tz="UTC" if getattr(kind, "timezone", False) else None)
    for python, arrow in _ARROW_TYPES:
        if issubclass(python_type, python):
            return arrow
    return pa.null()


def _as_batch(
    rows: Sequence[sa.Row[tuple[object, ...]]], types: Sequence[pa.DataType], names: Sequence[str]
) -> pa.RecordBatch:
    columns = zip(zip(*rows, strict=True), types, strict=True)
    return pa.RecordBatch.from_arrays([_to_arrow(v, t) for v, t in columns], names=list(names))


def _to_arrow(values: Sequence[object], expected: pa.DataType) -> pa.Array:
    """Values as the expected type, or as their own when they do not fit: then a type fault."""
    array = None if pa.types.is_null(expected) else _array(values, expected)
    if array is None:
        plain = [float(v) if isinstance(v, Decimal) else v for v in values]
        for kind in (expected if not pa.types.is_null(expected) else None, None):
            if (array := _array(plain, kind)) is not None:
                return array
        return pa.array([None if v is None else str(v) for v in plain], type=pa.string())
    return array


def _array(values: Sequence[object], kind: pa.DataType | None) -> pa.Array | None:
    try:
        return pa.array(values, type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return None
