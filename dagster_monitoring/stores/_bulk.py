"""Many rows at once, by the fastest way each database has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

import pyarrow as pa
import sqlalchemy as sa

_ROWS_AT_ONCE = 50_000


def insert_rows(
    connection: sa.Connection, table: sa.Table, columns: Mapping[str, int | str | pa.Array]
) -> None:
    """Inserts rows given by columns; a single value stands for all rows.

    Args:
        connection: in a transaction.
        table: with columns of text and whole numbers.
        columns: names to arrays of one length, or to one value.
    """
    arrays = {n: column for n, column in columns.items() if isinstance(column, pa.Array)}
    size = len(next(iter(arrays.values())))
    for start in range(0, size, _ROWS_AT_ONCE):
        chunk = {n: array.slice(start, _ROWS_AT_ONCE).to_pylist() for n, array in arrays.items()}
        if connection.dialect.name == "sqlite":
            _insert_tuples(connection, table.name, columns, chunk)
        else:
            _insert_arrays(connection, table, columns, chunk)


def stage_ids(connection: sa.Connection, ids: pa.Array) -> None:
    """Puts ids where SQLite can join them: ``staged_ids``, with their ``position`` from 1."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS temp.staged_ids")
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE staged_ids (position INTEGER PRIMARY KEY, prediction_id TEXT)"
    )
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        rows = list(zip(ids.slice(start, _ROWS_AT_ONCE).to_pylist(), strict=True))
        statement = "INSERT INTO staged_ids (prediction_id) VALUES (?)"
        connection.exec_driver_sql(statement, rows)


def array_text(values: Sequence[object]) -> str:
    """PostgreSQL's text form of an array; a list would be parsed as one expression an element."""
    return "{" + ",".join(map(_element_text, values)) + "}"


def _insert_tuples(
    connection: sa.Connection,
    table: str,
    columns: Mapping[str, int | str | pa.Array],
    chunk: Mapping[str, list[object]],
) -> None:
    size = len(next(iter(chunk.values())))
    values = [chunk[name] if name in chunk else repeat(columns[name], size) for name in columns]
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names are this package's own
    connection.exec_driver_sql(statement, list(zip(*values, strict=True)))


def _insert_arrays(
    connection: sa.Connection,
    table: sa.Table,
    columns: Mapping[str, int | str | pa.Array],
    chunk: Mapping[str, list[object]],
) -> None:
    kinds = {n: "text" if isinstance(table.c[n].type, sa.Text) else "bigint" for n in columns}
    arrays = ", ".join(f"CAST(:{name} AS {kinds[name]}[])" for name in chunk)
    chosen = ", ".join(
        f"given.{name}" if name in chunk else f"CAST(:{name} AS {kinds[name]})" for name in columns
    )
    statement = sa.text(
        f"INSERT INTO {table.name} ({', '.join(columns)}) "  # noqa: S608 - names are this package's own
        f"SELECT {chosen} FROM unnest({arrays}) AS given({', '.join(chunk)})"
    )
    given = {name: array_text(chunk[name]) if name in chunk else columns[name] for name in columns}
    connection.execute(statement, given)


def _element_text(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
