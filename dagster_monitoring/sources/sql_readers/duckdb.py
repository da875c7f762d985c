"""DuckDB, embedded: a database file, or a query over Parquet and CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine import URL

from dagster_monitoring.errors import MissingExtraError
from dagster_monitoring.sources.sql_readers._arrow import ArrowSession
from dagster_monitoring.sources.sql_readers._session import (
    BATCH_BYTES,
    BATCH_ROWS,
    Place,
    Session,
    SqlReader,
    Statement,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# DuckDB's own unit: a batch can't be smaller.
_VECTOR_ROWS = 2_048
# A guess at the bytes of a text.
_TEXT_BYTES = 64
_MEMORY = ":memory:"
_LOCKED = (
    "DuckDB lets several processes read a file only while none has it open for writing: read it "
    "after the writer has closed it, or have the writer write Parquet files"
)


class DuckdbReader(SqlReader):
    """``duckdb:///file.duckdb``, opened for reading only, or ``duckdb://`` for files in a query.

    What follows the ``?`` of the address are DuckDB's settings, for instance
    ``duckdb://?memory_limit=1GB&threads=2``.
    """

    def serves(self, url: URL) -> bool:
        """See :meth:`SqlReader.serves`."""
        return url.get_backend_name() == "duckdb"

    @contextmanager
    def open(self, place: Place) -> Iterator[Session]:
        """See :meth:`SqlReader.open`."""
        if find_spec("duckdb") is None:
            raise MissingExtraError("DuckDB", "duckdb")
        from duckdb import Error

        with closing(_connect(place)) as connection:

            def run(statement: Statement, schema: pa.Schema | None) -> pa.RecordBatchReader:
                compiled = statement.compile(dialect=_dialect())
                values = [compiled.params[name] for name in compiled.positiontup or ()]
                return _start(connection, str(compiled), values, batch_rows(schema))

            yield ArrowSession(place=place, run=run, errors=(Error,), cast_bounds=True)


def batch_rows(schema: pa.Schema | None) -> int:
    """Rows of a batch, from the width of its columns: about 8 MiB, and at most 65,536 rows.

    Example:
        >>> batch_rows(pa.schema([("x", pa.float64())])), batch_rows(None)
        (65536, 2048)
    """
    if schema is None:
        return _VECTOR_ROWS
    width = sum(_bytes_of(kind) for kind in schema.types)
    return max(_VECTOR_ROWS, min(BATCH_ROWS, BATCH_BYTES // max(width, 1)))


def _bytes_of(kind: pa.DataType) -> int:
    try:
        return max(int(kind.bit_width) // 8, 1)
    except ValueError:
        return _TEXT_BYTES


def _dialect() -> PGDialect:
    # What is asked here is the same in both, the quoting of names included.
    return PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped


def _connect(place: Place) -> DuckDBPyConnection:
    import duckdb

    file = place.url.database or _MEMORY
    settings: dict[str, str | bool | int | float | list[str]] = {
        name: value if isinstance(value, str) else ",".join(value)
        for name, value in place.url.query.items()
    }
    # Else a table's name could find a variable of this very program.
    settings["python_enable_replacements"] = "false"
    # A setting of the session, which a connection can't be opened with.
    folders = settings.pop("file_search_path", "")
    try:
        connection = duckdb.connect(file, read_only=file != _MEMORY, config=settings)
        connection.execute("SET TimeZone = 'UTC'")
        if folders:
            connection.execute(
                "SET file_search_path = '{}'".format(str(folders).replace("'", "''"))
            )
    except duckdb.Error as error:
        locked = any(hint in str(error) for hint in ("lock", "different configuration"))
        raise place.refused(error, _LOCKED if locked else "") from None
    return connection


def _start(
    connection: DuckDBPyConnection, text: str, values: list[object], rows: int
) -> pa.RecordBatchReader:
    """The way that streams: it is another one before and after DuckDB 2."""
    if hasattr(connection, "fetch_record_batch"):
        return connection.execute(text, values).fetch_record_batch(rows)  # type: ignore[attr-defined] # of DuckDB 1
    return connection.sql(text, params=values).to_arrow_reader(rows)
