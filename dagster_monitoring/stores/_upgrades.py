"""How the tables of an older store become those of today, one step a version."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._judged_rows import adopt_judged_labels
from dagster_monitoring.stores._label_counts import count_all
from dagster_monitoring.stores._tables import (
    SCHEMA_VERSION,
    baselines,
    deliveries,
    evaluations,
    incidents,
    metadata,
    outbox,
    schema_version,
)
from dagster_monitoring.stores.incidents import NEW_INCIDENT_COLUMNS
from dagster_monitoring.stores.verdicts import refresh_verdicts


def upgrade(database: Database) -> None:
    """Step by step from whichever older version it is; makes tables and indexes that lack.

    All or nothing: a crash half way leaves the older version.
    """
    with database.write() as connection:
        # Another process may have been first; only now does nobody else write.
        found = connection.execute(sa.select(schema_version.c.version)).scalar_one()
        if found >= SCHEMA_VERSION:
            return
        steps = {2: _baselines_come_back, 3: _values_have_errors, 4: _time_and_incidents}
        for version, step in steps.items():
            if found < version:
                step(connection)
        metadata.create_all(connection)
        for table in metadata.sorted_tables:
            for index in table.indexes:
                index.create(connection, checkfirst=True)
        if found < _DERIVED_SINCE:
            adopt_judged_labels(connection)
            count_all(connection)
            refresh_verdicts(connection, None)
        connection.execute(sa.update(schema_version).values(version=SCHEMA_VERSION))


LABEL_DELAYS = ("label_delay_p50_hours", "label_delay_p90_hours")

# The version that keeps what can be derived from what older ones kept.
_DERIVED_SINCE = 4


def _baselines_come_back(connection: sa.Connection) -> None:
    """Their key has the start since; before, a baseline came into force only once."""
    kept = [dict(row) for row in connection.execute(sa.select(baselines)).mappings()]
    baselines.drop(connection)
    baselines.create(connection)
    if kept:
        connection.execute(sa.insert(baselines), kept)


def _values_have_errors(connection: sa.Connection) -> None:
    _add_columns(connection, evaluations, "standard_error")


def _time_and_incidents(connection: sa.Connection) -> None:
    _add_columns(connection, deliveries, "rows_taken", "finished", "fault", "noted_at")
    _add_columns(connection, evaluations, "declaration_version", "declared")
    _add_columns(connection, evaluations, "coverage", *LABEL_DELAYS)
    _add_columns(connection, incidents, *NEW_INCIDENT_COLUMNS)
    _add_columns(connection, outbox, "reference")


def _add_columns(connection: sa.Connection, table: sa.Table, *names: str) -> None:
    """Columns that may be empty; rows that are there already have nothing in them."""
    present = {known["name"] for known in sa.inspect(connection).get_columns(table.name)}
    for name in names:
        if name not in present:
            column: sa.Column[Any] = table.c[name]
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}")
