"""The store: one address for all that must be remembered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy as sa

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._label_counts import count_all
from dagster_monitoring.stores._label_rows import LabelRows
from dagster_monitoring.stores._parquet_rows import ParquetRows
from dagster_monitoring.stores._store_rows import StoreRows
from dagster_monitoring.stores._tables import (
    SCHEMA_VERSION,
    baselines,
    deliveries,
    evaluations,
    metadata,
    schema_version,
)
from dagster_monitoring.stores.baselines import BaselineStore
from dagster_monitoring.stores.cursors import CursorStore
from dagster_monitoring.stores.declarations import DeclarationStore
from dagster_monitoring.stores.deliveries import DeliveryStore
from dagster_monitoring.stores.evaluations import EvaluationStore
from dagster_monitoring.stores.incidents import IncidentStore
from dagster_monitoring.stores.judgements import JudgementStore, adopt_judged_labels
from dagster_monitoring.stores.labels import LabelLedger
from dagster_monitoring.stores.outbox import Outbox
from dagster_monitoring.stores.retrainings import RetrainingStore

# The versions of the tables that brought what an older store lacks.
_BASELINES_COME_BACK, _VALUES_HAVE_ERRORS, _DELIVERIES_ARE_SET_ASIDE = 2, 3, 4
_VERDICTS_NAME_DECLARATIONS = 4


class Store:
    """Evaluations, labels, incidents, announcements, retrainings and cursors of all models.

    Safe for several threads and processes at once. Close it, or use it in a ``with`` block.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with open_store(f"sqlite:///{folder}/monitoring.db") as store:
        ...         store.evaluations.read("flight_delay")
        []
    """

    def __init__(self, database: Database, label_rows: LabelRows) -> None:
        self._database = database
        self.evaluations = EvaluationStore(database)
        self.labels = LabelLedger(database, label_rows)
        self.deliveries = DeliveryStore(database)
        self.incidents = IncidentStore(database)
        self.outbox = Outbox(database)
        self.retrainings = RetrainingStore(database)
        self.baselines = BaselineStore(database)
        self.declarations = DeclarationStore(database)
        self.judgements = JudgementStore(database)
        self.cursors = CursorStore(database)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, by this thread, is kept together or not at all."""
        with self._database.write():
            yield

    def close(self) -> None:
        """Gives all connections back."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __str__(self) -> str:
        return str(self._database)


def open_store(url: str, *, label_folder: str | None = None) -> Store:
    """Opens the store, and makes its tables (and an SQLite file with its folder) when new.

    Args:
        url: ``sqlite:///path/to/file.db``, or ``postgresql://user:password@host:port/name``
            (read by psycopg2 unless another driver is named).
        label_folder: where labels are kept as Parquet files, a path or any fsspec URL; ``None``
            keeps them in the store.

    Raises:
        DeclarationError: the address can't be read.
        StoreError: the database can't be reached, is of another kind, or was written by a newer
            version of this package. No message holds the password.
        MissingExtraError: PostgreSQL's driver is not installed.
    """
    rows = StoreRows() if label_folder is None else ParquetRows(label_folder)
    database = Database(url)
    try:
        _prepare(database)
    except BaseException:
        database.close()
        raise
    return Store(database, rows)


def _prepare(database: Database) -> None:
    found = _found_version(database)
    if found is None:
        with database.write() as connection:
            metadata.create_all(connection)
            if connection.execute(sa.select(schema_version.c.version)).first() is None:
                connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION))
    elif found > SCHEMA_VERSION:
        raise StoreError(
            f"store {database} was written by a newer version of dagster-monitoring (its tables "
            f"have version {found}, this one knows {SCHEMA_VERSION}): upgrade the package"
        )
    elif found < SCHEMA_VERSION:
        _upgrade(database)


def _upgrade(database: Database) -> None:
    """Step by step from whichever older version it is; makes tables and indexes that lack."""
    with database.write() as connection:
        # Another process may have been first; only now does nobody else write.
        found = connection.execute(sa.select(schema_version.c.version)).scalar_one()
        if found >= SCHEMA_VERSION:
            return
        if found < _BASELINES_COME_BACK:
            _rebuild_baselines(connection)
        if found < _VALUES_HAVE_ERRORS:
            _add_column(connection, evaluations.c.standard_error)
        if found < _DELIVERIES_ARE_SET_ASIDE:
            for name in ("rows_taken", "finished", "fault", "noted_at"):
                _add_column(connection, deliveries.c[name])
        if found < _VERDICTS_NAME_DECLARATIONS:
            _add_column(connection, evaluations.c.declaration_version)
            _add_column(connection, evaluations.c.declared)
        metadata.create_all(connection)
        for table in metadata.sorted_tables:
            for index in table.indexes:
                index.create(connection, checkfirst=True)
        if found < _VERDICTS_NAME_DECLARATIONS:
            adopt_judged_labels(connection)
            count_all(connection)
        connection.execute(sa.update(schema_version).values(version=SCHEMA_VERSION))


def _rebuild_baselines(connection: sa.Connection) -> None:
    """Its key has the start since; before, a baseline came into force only once."""
    kept = [dict(row) for row in connection.execute(sa.select(baselines)).mappings()]
    baselines.drop(connection)
    baselines.create(connection)
    if kept:
        connection.execute(sa.insert(baselines), kept)


def _add_column(connection: sa.Connection, column: sa.Column[Any]) -> None:
    """A column that may be empty; rows that are there already have nothing in it."""
    if column.name in {c["name"] for c in sa.inspect(connection).get_columns(column.table.name)}:
        return
    kind = column.type.compile(connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}")


def _found_version(database: Database) -> int | None:
    with database.read() as connection:
        if not sa.inspect(connection).has_table(schema_version.name):
            return None
        return connection.execute(sa.select(sa.func.max(schema_version.c.version))).scalar()
