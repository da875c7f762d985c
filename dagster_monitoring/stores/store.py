"""The store: one address for all that must be remembered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import sqlalchemy as sa

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._label_rows import LabelRows
from dagster_monitoring.stores._parquet_rows import ParquetRows
from dagster_monitoring.stores._store_rows import StoreRows
from dagster_monitoring.stores._tables import (
    SCHEMA_VERSION,
    metadata,
    schema_version,
)
from dagster_monitoring.stores._upgrades import upgrade
from dagster_monitoring.stores.baselines import BaselineStore
from dagster_monitoring.stores.cursors import CursorStore
from dagster_monitoring.stores.declarations import DeclarationStore
from dagster_monitoring.stores.deliveries import DeliveryStore
from dagster_monitoring.stores.evaluations import EvaluationStore
from dagster_monitoring.stores.incidents import IncidentStore
from dagster_monitoring.stores.judgements import JudgementStore
from dagster_monitoring.stores.labels import LabelLedger
from dagster_monitoring.stores.marks import MarkStore
from dagster_monitoring.stores.outbox import Outbox
from dagster_monitoring.stores.retention import Retention
from dagster_monitoring.stores.retrainings import RetrainingStore
from dagster_monitoring.stores.verdicts import VerdictStore


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
        self.verdicts = VerdictStore(database)
        self.incidents = IncidentStore(database)
        self.marks = MarkStore(database)
        self.outbox = Outbox(database)
        self.retrainings = RetrainingStore(database)
        self.baselines = BaselineStore(database)
        self.declarations = DeclarationStore(database)
        self.judgements = JudgementStore(database)
        self.cursors = CursorStore(database)
        self.retention = Retention(database, label_rows)

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
    if (found is None or found < SCHEMA_VERSION) and not database.may_change(schema_version.name):
        raise StoreError(
            f"store {database}: its tables "
            + ("are not made yet" if found is None else f"have version {found}")
            + f", this package needs version {SCHEMA_VERSION}, and this user may not make or "
            f"change tables. Open the store once as their owner, for instance with "
            f"dagster-monitoring incidents list (see deploy/roles.sql)"
        )
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
        upgrade(database)


def _found_version(database: Database) -> int | None:
    with database.read() as connection:
        if not sa.inspect(connection).has_table(schema_version.name):
            return None
        return connection.execute(sa.select(sa.func.max(schema_version.c.version))).scalar()
