"""Label rows in the store's own tables, in SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from dagster_monitoring.stores._bulk import array_text, insert_rows, stage_ids
from dagster_monitoring.stores._label_rows import (
    WORD_SCHEMA,
    Bools,
    LabelRows,
    Predicted,
    Registration,
)
from dagster_monitoring.stores._resolution import arrivals, resolution
from dagster_monitoring.stores._tables import labels, partitions, predictions

# Each id is looked up by an index, whatever statistics say that are older than the last large
# insert: SQLite joins in the order of CROSS JOIN, and PostgreSQL keeps a LATERAL query with an
# OFFSET as it is. Planned freely, both may compare all ids with all rows of a model.
_SQLITE = {
    "words": """
        SELECT labels.prediction_id, revision, available_at, label, event_time, append_id
        FROM staged_ids AS staged CROSS JOIN monitoring_labels AS labels
        WHERE labels.model_id = :owner AND labels.prediction_id = staged.prediction_id
    """,
    "labelled": """
        SELECT staged.position FROM staged_ids AS staged WHERE EXISTS (
            SELECT 1 FROM monitoring_labels AS labels
            WHERE labels.model_id = :owner AND labels.prediction_id = staged.prediction_id
        )
    """,
    # One row a partition: a million rows cost more to fetch than to find.
    "predicted": """
        SELECT predictions.partition, group_concat(staged.position) AS positions
        FROM staged_ids AS staged CROSS JOIN monitoring_predictions AS predictions
        WHERE predictions.model_id = :owner AND predictions.prediction_id = staged.prediction_id
        GROUP BY predictions.partition ORDER BY predictions.partition
    """,
    "remove": """
        DELETE FROM monitoring_predictions
        WHERE model_id = :owner AND partition = :partition
        AND prediction_id IN (SELECT prediction_id FROM staged_ids)
    """,
}
_STAGED = "unnest(CAST(:staged_ids AS text[])) WITH ORDINALITY AS staged(prediction_id, position)"
_POSTGRES = {
    "words": f"""
        SELECT found.prediction_id, revision, available_at, label, event_time, append_id
        FROM {_STAGED} CROSS JOIN LATERAL (
            SELECT * FROM monitoring_labels AS labels
            WHERE labels.model_id = :owner AND labels.prediction_id = staged.prediction_id OFFSET 0
        ) AS found
    """,  # noqa: S608 - no value is part of it
    "labelled": f"""
        SELECT staged.position FROM {_STAGED} CROSS JOIN LATERAL (
            SELECT 1 FROM monitoring_labels AS labels
            WHERE labels.model_id = :owner AND labels.prediction_id = staged.prediction_id LIMIT 1
        ) AS found
    """,  # noqa: S608 - no value is part of it
    "predicted": f"""
        SELECT partition, string_agg(CAST(staged.position AS text), ',') AS positions
        FROM {_STAGED} CROSS JOIN LATERAL (
            SELECT partition FROM monitoring_predictions AS predictions
            WHERE predictions.model_id = :owner
            AND predictions.prediction_id = staged.prediction_id OFFSET 0
        ) AS found
        GROUP BY partition ORDER BY partition
    """,  # noqa: S608 - no value is part of it
    "remove": """
        DELETE FROM monitoring_predictions
        WHERE model_id = :owner AND partition = :partition
        AND prediction_id = ANY (CAST(:staged_ids AS text[]))
    """,
}
# How wrong PostgreSQL may be about the size of a model before it counts anew.
_ESTIMATE_OFF = 10


class StoreRows(LabelRows):
    """See :class:`LabelRows`: rows of two tables, found by their indexes."""

    def words(self, connection: sa.Connection, ledger_id: int, ids: pa.Array) -> pa.Table:
        """See :meth:`LabelRows.words`."""
        return _table(_execute(connection, "words", ids, {"owner": ledger_id}).all())

    def labelled(self, connection: sa.Connection, ledger_id: int, ids: pa.Array) -> Bools:
        """See :meth:`LabelRows.labelled`."""
        found = np.zeros(len(ids), dtype=np.bool_)
        rows = _execute(connection, "labelled", ids, {"owner": ledger_id}).all()
        found[np.fromiter((row[0] - 1 for row in rows), np.int64, len(rows))] = True
        return found

    def predicted(
        self, connection: sa.Connection, model_id: int, ids: pa.Array
    ) -> Iterator[Predicted]:
        """See :meth:`LabelRows.predicted`."""
        for row in _execute(connection, "predicted", ids, {"owner": model_id}):
            positions = np.fromstring(row.positions, dtype=np.int64, sep=",")
            yield Predicted(model_id, row.partition, positions - 1)

    def keep(
        self,
        connection: sa.Connection,
        ledger_id: int,
        words: pa.Table,
        predicted: Sequence[Predicted],  # noqa: ARG002 - joined when they are read
    ) -> None:
        """See :meth:`LabelRows.keep`."""
        columns = {name: words[name].combine_chunks() for name in words.column_names}
        insert_rows(connection, labels, {"model_id": ledger_id, **columns})

    def appends(self, connection: sa.Connection, ledger_id: int) -> set[int]:
        """See :meth:`LabelRows.appends`."""
        query = sa.select(labels.c.append_id).where(labels.c.model_id == ledger_id).distinct()
        return set(connection.execute(query).scalars())

    def ids(self, connection: sa.Connection, model_id: int, partition: str) -> pa.Array:
        """See :meth:`LabelRows.ids`."""
        query = sa.select(predictions.c.prediction_id).where(
            predictions.c.model_id == model_id, predictions.c.partition == partition
        )
        return pa.array(connection.execute(query).scalars().all(), pa.string())

    def register(self, connection: sa.Connection, registration: Registration) -> None:
        """See :meth:`LabelRows.register`."""
        model_id, partition = registration.model_id, registration.partition
        if len(registration.gone):
            given = {"owner": model_id, "partition": partition}
            _execute(connection, "remove", registration.gone, given)
        if len(registration.added):
            key: dict[str, int | str] = {"model_id": model_id, "partition": partition}
            insert_rows(connection, predictions, {**key, "prediction_id": registration.added})
            _analyse_if_grown(connection, model_id, len(registration.ids))

    def forget(self, connection: sa.Connection, model_id: int) -> None:
        """See :meth:`LabelRows.forget`."""
        connection.execute(sa.delete(predictions).where(predictions.c.model_id == model_id))

    def resolve(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        as_of: datetime | None,
    ) -> pa.Table:
        """See :meth:`LabelRows.resolve`."""
        query = resolution(model_id, ledger_id, partition, as_of)
        return _table(connection.execute(query).all())

    def labelled_count(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        as_of: datetime | None,
    ) -> int:
        """See :meth:`LabelRows.labelled_count`."""
        found = resolution(model_id, ledger_id, partition, as_of).order_by(None).subquery()
        query = sa.select(sa.func.count()).select_from(found)
        return int(connection.execute(query).scalar_one())

    def next_arrival(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        after: datetime,
    ) -> int | None:
        """See :meth:`LabelRows.next_arrival`."""
        query = arrivals(model_id, ledger_id, partition, after)
        found = connection.execute(query).scalar_one()
        return None if found is None else int(found)


def _execute(
    connection: sa.Connection, query: str, ids: pa.Array, given: dict[str, Any]
) -> sa.CursorResult[Any]:
    """Runs a query on ids, by its name."""
    if connection.dialect.name == "postgresql":
        return connection.execute(
            sa.text(_POSTGRES[query]), {**given, "staged_ids": array_text(ids.to_pylist())}
        )
    stage_ids(connection, ids)
    return connection.execute(sa.text(_SQLITE[query]), given)


def _analyse_if_grown(connection: sa.Connection, model_id: int, added: int) -> None:
    """Has PostgreSQL count the predictions when it takes a model for much smaller than it is.

    It has two indexes to find an id by, and only one of them finds it at once. Autovacuum counts
    too, a minute later.
    """
    if connection.dialect.name != "postgresql":
        return
    plan = "EXPLAIN (FORMAT JSON) SELECT 1 FROM monitoring_predictions WHERE model_id = :model"
    found = connection.execute(sa.text(plan), {"model": model_id}).scalar_one()
    estimated = json.loads(found) if isinstance(found, str) else found
    sizes = sa.select(sa.func.sum(partitions.c.predictions)).where(
        partitions.c.model_id == model_id
    )
    size = int(connection.execute(sizes).scalar() or 0) + added
    if size > _ESTIMATE_OFF * estimated[0]["Plan"]["Plan Rows"]:
        connection.exec_driver_sql("ANALYZE monitoring_predictions")


def _table(rows: Sequence[sa.Row[Any]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(WORD_SCHEMA)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, WORD_SCHEMA, strict=True)],
        schema=WORD_SCHEMA,
    )
