"""One connection pool, its transactions, and its faults in plain words."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from dagster_monitoring.errors import StoreError
from dagster_monitoring.sources.database import (
    build_engine,
    database_fault,
    database_url,
    redacted,
)

# Writers take turns, on PostgreSQL by this advisory lock: then ids commit in order, and a reader
# that follows them by a cursor skips none. SQLite has one writer at a time anyway.
_WRITER_LOCK = 0x6D6F6E69746F72
_LOCK_TIMEOUT_SECONDS = 60
_RETRY_SECONDS = 0.02


class Database:
    """Read and write transactions on SQLite or PostgreSQL.

    Args:
        url: a SQLAlchemy address; for SQLite, the file's folder is made.

    Raises:
        StoreError: the address is of another kind of database, or keeps nothing.
    """

    def __init__(self, url: str) -> None:
        self.url = database_url(url)
        self._joined = threading.local()
        backend = self.url.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise StoreError(f"store {self}: the store is kept in SQLite or PostgreSQL only")
        if backend == "sqlite":
            _make_folder(self.url)
        self.engine = build_engine(self.url)
        self.is_sqlite = backend == "sqlite"
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    def __str__(self) -> str:
        return redacted(self.url)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection to read by; inside a write transaction of this thread, that one.

        Raises:
            StoreError: the database can't be reached or refused.
        """
        joined: sa.Connection | None = getattr(self._joined, "connection", None)
        with self._faults():
            if joined is not None:
                yield joined
            else:
                with self.engine.connect() as connection:
                    yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is all or nothing; one inside another of the same thread joins it.

        Raises:
            StoreError: the database can't be reached, refused, or is held by another writer for
                longer than a minute.
        """
        joined: sa.Connection | None = getattr(self._joined, "connection", None)
        if joined is not None:
            yield joined
            return
        with self._faults(), self.engine.connect() as plain:
            connection = plain.execution_options(monitoring_write=True)
            with connection.begin():
                if not self.is_sqlite:
                    connection.exec_driver_sql(
                        f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_SECONDS}s'"
                    )
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
                self._joined.connection = connection
                try:
                    yield connection
                finally:
                    self._joined.connection = None

    def may_change(self, table: str) -> bool:
        """Whether this user may make tables here, and change this one if it is there."""
        if self.is_sqlite:
            return True
        rights = (
            "SELECT has_schema_privilege(current_schema(), 'CREATE') AND coalesce((SELECT "
            "pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:table)), true)"
        )
        with self.read() as connection:
            return bool(connection.execute(sa.text(rights), {"table": table}).scalar())

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            # Not chained: the original's text may hold what was being stored.
            raise StoreError(
                f"store {self}: {database_fault(error, self.url)}. Check that the database runs, "
                f"the address (field store), and that this user may write there"
            ) from None


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StoreError(
            "store sqlite: an SQLite store in memory forgets between processes. "
            "Name a file: sqlite:///path/to/monitoring.db"
        )
    folder = Path(url.database).absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"store {redacted(url)}: its folder can't be made: {error}") from error


def _prepare_sqlite(connection, _record) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the driver's own types
    # Python's driver would begin transactions late, and by itself; _begin_sqlite does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_LOCK_TIMEOUT_SECONDS * 1000}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Lets readers go on beside a writer; the file remembers it.

    SQLite does not wait by its busy timeout for this switch, so that two who open a new file at
    once would fail.
    """
    deadline = time.monotonic() + _LOCK_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later may find that another one wrote between.
    writing = connection.get_execution_options().get("monitoring_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
