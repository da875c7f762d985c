"""Label rows in the store's own tables, in SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from dagster_monitoring.stores._bulk import insert_rows, stage_ids, staged_parameters, unstage
from dagster_monitoring.stores._label_rows import (
    WORD_SCHEMA,
    Bools,
    LabelRows,
    Predicted,
    Registration,
)
from dagster_monitoring.stores._resolution import arrivals, resolution
from dagster_monitoring.stores._tables import labels, predictions

# CROSS JOIN in this order: without statistics SQLite would walk all labels for one id.
_WORDS = """
    SELECT labels.prediction_id, revision, available_at, label, event_time, append_id
    FROM {staged} CROSS JOIN monitoring_labels AS labels
    WHERE labels.model_id = :ledger AND labels.prediction_id = staged.prediction_id
"""
_LABELLED = """
    SELECT staged.position FROM {staged} WHERE EXISTS (
        SELECT 1 FROM monitoring_labels AS labels
        WHERE labels.model_id = :ledger AND labels.prediction_id = staged.prediction_id
    )
"""
# One row a partition: a million rows cost more to fetch than to find.
_PREDICTED = """
    SELECT predictions.partition, {joined} AS positions
    FROM {staged} CROSS JOIN monitoring_predictions AS predictions
    WHERE predictions.model_id = :model AND predictions.prediction_id = staged.prediction_id
    GROUP BY predictions.partition ORDER BY predictions.partition
"""
_JOINED = {
    "sqlite": "group_concat(staged.position)",
    "postgresql": "string_agg(CAST(staged.position AS text), ',')",
}
_REMOVE = """
    DELETE FROM monitoring_predictions
    WHERE model_id = :model AND partition = :partition
    AND prediction_id IN (SELECT staged.prediction_id FROM {staged})
"""


class StoreRows(LabelRows):
    """See :class:`LabelRows`: rows of two tables, found by their indexes."""

    def words(self, connection: sa.Connection, ledger_id: int, ids: pa.Array) -> pa.Table:
        """See :meth:`LabelRows.words`."""
        return _table(_found(connection, _WORDS, ids, {"ledger": ledger_id}))

    def labelled(self, connection: sa.Connection, ledger_id: int, ids: pa.Array) -> Bools:
        """See :meth:`LabelRows.labelled`."""
        found = np.zeros(len(ids), dtype=np.bool_)
        rows = _found(connection, _LABELLED, ids, {"ledger": ledger_id})
        found[np.fromiter((row[0] - 1 for row in rows), np.int64, len(rows))] = True
        return found

    def predicted(
        self, connection: sa.Connection, model_id: int, ids: pa.Array
    ) -> Iterator[Predicted]:
        """See :meth:`LabelRows.predicted`."""
        joined = _JOINED[connection.dialect.name]
        query = _PREDICTED.replace("{joined}", joined)
        for row in _found(connection, query, ids, {"model": model_id}):
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
            given = {"model": model_id, "partition": partition}
            _execute(connection, _REMOVE, registration.gone, given)
        if len(registration.added):
            key: dict[str, int | str] = {"model_id": model_id, "partition": partition}
            insert_rows(connection, predictions, {**key, "prediction_id": registration.added})

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


def _found(
    connection: sa.Connection, query: str, ids: pa.Array, given: dict[str, int]
) -> Sequence[sa.Row[Any]]:
    rows = _execute(connection, query, ids, given).all()
    unstage(connection)
    return rows


def _execute(
    connection: sa.Connection, query: str, ids: pa.Array, given: dict[str, Any]
) -> sa.CursorResult[Any]:
    statement = sa.text(query.format(staged=stage_ids(connection, ids)))
    return connection.execute(statement, {**given, **staged_parameters(connection, ids)})


def _table(rows: Sequence[sa.Row[Any]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(WORD_SCHEMA)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, WORD_SCHEMA, strict=True)],
        schema=WORD_SCHEMA,
    )
