"""PostgreSQL through ADBC: binary rows of ``COPY``, turned into Arrow batches by the driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from urllib.parse import quote

import pyarrow as pa
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine import URL

from dagster_monitoring.sources.database import CONNECT_TIMEOUT_SECONDS
from dagster_monitoring.sources.sql_readers._arrow import ArrowSession
from dagster_monitoring.sources.sql_readers._session import (
    BATCH_BYTES,
    Place,
    Session,
    SqlReader,
    Statement,
)


class AdbcReader(SqlReader):
    """PostgreSQL, where the extra ``adbc`` is installed and the address names no other driver.

    SQLite's ADBC driver is not used: it takes a column's type from its first 1,024 rows, and stops
    at the first value that is otherwise (a column that begins with NULLs is then an integer).
    """

    def serves(self, url: URL) -> bool:
        """See :meth:`SqlReader.serves`."""
        plain = url.drivername in {"postgres", "postgresql"}
        return plain and find_spec("adbc_driver_postgresql") is not None

    @contextmanager
    def open(self, place: Place) -> Iterator[Session]:
        """See :meth:`SqlReader.open`."""
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import StatementOptions, dbapi

        options = {StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BATCH_BYTES)}
        with ExitStack() as opened:
            try:
                connection = opened.enter_context(
                    closing(dbapi.connect(_libpq_uri(place.url), autocommit=True))
                )
            except (Error, OSError) as error:
                raise place.refused(error) from None

            def run(statement: Statement, _: pa.Schema | None) -> pa.RecordBatchReader:
                cursor = opened.enter_context(closing(connection.cursor()))
                cursor.adbc_statement.set_options(**options)
                cursor.execute(as_sql(statement))
                return cursor.fetch_record_batch()

            yield ArrowSession(place=place, run=run, errors=(Error,), cast_bounds=True)


def as_sql(statement: Statement) -> str:
    """A statement for PostgreSQL with its moments written out.

    With bound parameters the driver can't use ``COPY`` and holds the whole result in memory (2M
    rows: 313 MB instead of 36). The values are all our own: partition bounds, from ``datetime``.
    """
    compiled = statement.compile(
        dialect=PGDialect(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
        compile_kwargs={"literal_binds": True},
    )
    return str(compiled)


def _libpq_uri(url: URL) -> str:
    """The address as libpq reads it, with sessions in UTC and a bound on the wait."""
    options = {name: value for name, value in url.query.items() if isinstance(value, str)}
    options.setdefault("connect_timeout", str(CONNECT_TIMEOUT_SECONDS))
    options["options"] = f"{options.get('options', '')} -c timezone=utc".strip()
    user = quote(url.username or "", safe="")
    secret = "" if url.password is None else ":" + quote(str(url.password), safe="")
    host = url.host or ""
    host = f"[{host}]" if ":" in host else host
    port = f":{url.port}" if url.port else ""
    at = f"{user}{secret}@" if user else ""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
    return f"postgresql://{at}{host}{port}/{quote(url.database or '', safe='')}?{query}"
