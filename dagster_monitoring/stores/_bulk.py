"""Many rows at once, by the fastest way each database has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

_POSTGRES_TYPES = {"TEXT": "text", "BIGINT": "bigint"}
_ROWS_AT_ONCE = 50_000


def stage(
    connection: sa.Connection,
    name: str,
    columns: Mapping[str, str],
    values: Sequence[Sequence[object]],
) -> None:
    """Fills a temporary table of this connection, made anew, and indexes its first column.

    Args:
        connection: in a transaction.
        name: the temporary table.
        columns: names to types, ``TEXT`` or ``BIGINT``.
        values: one sequence a column, all of one length.
    """
    declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} ({declared})")
    for start in range(0, len(values[0]), _ROWS_AT_ONCE):
        chunk = [column[start : start + _ROWS_AT_ONCE] for column in values]
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" for _ in columns)
            rows = list(zip(*chunk, strict=True))
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608 - names are this package's own
        else:
            _unnest(connection, name, columns, chunk)
    connection.exec_driver_sql(f"CREATE INDEX {name}_first ON {name} ({next(iter(columns))})")
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {name}")


def _unnest(
    connection: sa.Connection,
    name: str,
    columns: Mapping[str, str],
    chunk: Sequence[Sequence[object]],
) -> None:
    arrays = ", ".join(
        f"CAST(:{column} AS {_POSTGRES_TYPES[kind]}[])" for column, kind in columns.items()
    )
    statement = sa.text(f"INSERT INTO {name} SELECT * FROM unnest({arrays})")  # noqa: S608 - names are this package's own
    given = {column: _array_text(part) for column, part in zip(columns, chunk, strict=True)}
    connection.execute(statement, given)


def _array_text(values: Sequence[object]) -> str:
    """PostgreSQL's text form of an array; a list would be parsed as one expression an element."""
    return "{" + ",".join(map(_element_text, values)) + "}"


def _element_text(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
