"""Reading a table or query in Arrow batches, with its faults named."""

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

from dagster_monitoring.errors import DataError, SchemaMismatchError, did_you_mean
from dagster_monitoring.sources.database import build_engine, database_fault, redacted

BATCH_ROWS = 50_000

_ARROW_TYPES: tuple[tuple[type, pa.DataType], ...] = (
    (bool, pa.bool_()),
    (int, pa.int64()),
    (float, pa.float64()),
    (Decimal, pa.float64()),
    (str, pa.string()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or a query, and what its columns are called and hold."""

    name: str
    clause: sa.FromClause
    schema: pa.Schema

    def column(self, name: str, *, role: str) -> sa.ColumnElement[datetime]:
        """One column.

        Raises:
            SchemaMismatchError: there is none of that name.
        """
        if name not in self.schema.names:
            raise SchemaMismatchError(
                f"{self.name} has no column {name!r} ({role})."
                f"{did_you_mean(name, self.schema.names)} It has: {', '.join(self.schema.names)}"
            )
        return self.clause.c[name]


@contextmanager
def connected(url: URL, *, what: str) -> Iterator[sa.Connection]:
    """A connection for one read; its faults are raised as this package's errors.

    Args:
        url: the database.
        what: how messages call the thing read, for instance ``"table scores"``.

    Raises:
        DataError: the database can't be reached or refused the query; without the password.
    """
    engine = build_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except NoSuchTableError as error:
        raise DataError(
            f"{what}: the database {redacted(url)} has no table {error}. Check the field table"
        ) from None
    except SQLAlchemyError as error:
        raise DataError(
            f"{what}: the database {redacted(url)} can't be read: {database_fault(error, url)}. "
            f"Check the field url, the network, and the query"
        ) from None
    finally:
        engine.dispose()


def relation(connection: sa.Connection, *, table: str | None, query: str | None) -> Relation:
    """The table (``name`` or ``schema.name``) or query, with its columns looked up."""
    if table is not None:
        schema_name, _, name = table.rpartition(".")
        found = sa.Table(name, sa.MetaData(), schema=schema_name or None, autoload_with=connection)
        fields = [(column.name, arrow_type(column.type)) for column in found.columns]
        return Relation(name=f"table {table}", clause=found, schema=pa.schema(fields))
    statement = sa.text(str(query))
    # Nothing is fetched: the cursor alone names the columns.
    every: sa.ColumnElement[object] = sa.literal_column("*")
    probe = sa.select(every).select_from(statement.columns().subquery("slice"))
    names = list(connection.execute(probe.where(sa.false())).keys())
    clause = statement.columns(*(sa.column(name) for name in names)).subquery("slice")
    return Relation(
        name="the query",
        clause=clause,
        schema=pa.schema([(name, pa.null()) for name in names]),
    )


def stream(
    connection: sa.Connection, statement: sa.Select[tuple[object, ...]], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """A statement's rows in batches of constant memory; none gives one batch of no rows.

    Args:
        connection: an open connection.
        statement: what to read.
        schema: the columns' types where known; a null type is taken from the first value seen.
    """
    streaming = connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
    empty, types = True, list(schema.types)
    for rows in streaming.execute(statement).partitions(BATCH_ROWS):
        empty = False
        arrays = []
        for position, values in enumerate(zip(*rows, strict=True)):
            array = _to_arrow(values, types[position])
            if pa.types.is_null(types[position]):
                types[position] = array.type
            arrays.append(array)
        yield pa.RecordBatch.from_arrays(arrays, names=schema.names)
    if empty:
        yield pa.RecordBatch.from_pylist([], schema=schema)


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


def _to_arrow(values: Sequence[object], expected: pa.DataType) -> pa.Array:
    """Values as the expected type, or as their own when they do not fit: then a type fault."""
    plain = [float(v) if isinstance(v, Decimal) else v for v in values]
    for kind in (expected if not pa.types.is_null(expected) else None, None):
        try:
            return pa.array(plain, type=kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            continue
    return pa.array([None if v is None else str(v) for v in plain], type=pa.string())
