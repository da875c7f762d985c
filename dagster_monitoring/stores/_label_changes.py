"""Which partitions' labels changed since when, by a count of changes that only rises."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._label_records import Touched
from dagster_monitoring.stores._models import find_model
from dagster_monitoring.stores._tables import label_changes


class LabelChanges:
    """The changes of labels: what came since a cursor is found without what came before it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def touched(self, model: str, after: int = 0) -> Touched:
        """Partitions whose labels changed since a cursor.

        A partition is touched by each new or corrected label of its predictions, and when its
        predictions are registered after their labels.

        Args:
            model: the model's name.
            after: the cursor that the last call gave; 0 from the beginning.
        """
        table = label_changes.c
        query = (
            sa.select(table.partition, sa.func.sum(table.labels), sa.func.max(table.id))
            .where(table.model_id == find_model(model), table.id > after)
            .group_by(table.partition)
            .order_by(table.partition)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return Touched(
            partitions={row[0]: int(row[1]) for row in rows},
            cursor=max([after, *(int(row[2]) for row in rows)]),
        )

    def last_change(self, model: str, first: str, last: str) -> int:
        """The cursor of the last change of a label in partitions from ``first`` to ``last``.

        It rises when a label comes in, is corrected, or is joined to a later prediction; 0 before.
        """
        table = label_changes.c
        query = sa.select(sa.func.max(table.id)).where(
            table.model_id == find_model(model), table.partition.between(first, last)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def last_changes(self, model: str, after: int = 0) -> dict[str, int]:
        """Each partition with the cursor of its labels' last change; none without a change.

        Args:
            model: the model's name.
            after: a cursor; partitions without a later change are left out, unread.
        """
        table = label_changes.c
        query = (
            sa.select(table.partition, sa.func.max(table.id))
            .where(table.model_id == find_model(model), table.id > after)
            .group_by(table.partition)
        )
        with self._database.read() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query)}


def note_changes(connection: sa.Connection, model_id: int, changed: Mapping[str, int]) -> None:
    """Notes how many labels of some partitions changed; none for none."""
    rows = [
        {"model_id": model_id, "partition": partition, "labels": labels}
        for partition, labels in sorted(changed.items())
        if labels
    ]
    if rows:
        connection.execute(sa.insert(label_changes), rows)
