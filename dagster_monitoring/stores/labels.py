"""The label ledger: every label as it arrived, and what was known at any moment.

A label has two times: when its outcome happened and when it became available. Labels arrive late,
again, and corrected; the ledger keeps the set of what was said, so the order in which deliveries
are taken in does not matter. As of a moment, the row with the highest revision among those
available by then wins; among rows of one revision, the one that became available last. A missing
label (null, NaN, infinite) of a higher revision takes the earlier one back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from dagster_monitoring.stores import _ledger
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._models import find_model, made_id, model_number
from dagster_monitoring.stores._resolution import (
    moment_of,
    next_arrival,
    resolution,
    resolved_table,
)
from dagster_monitoring.stores._tables import (
    deliveries,
    label_appends,
    label_changes,
    labels,
    partitions,
    predictions,
)
from dagster_monitoring.stores._text import storable, storable_array
from dagster_monitoring.stores._values import kinds_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What a delivery brought.

    Args:
        new: ids that got their first label.
        redelivered: rows that say what was known already; nothing was written for them.
        corrections: rows that say something else, or a higher revision, of a labelled id.
        unknown: ids that no prediction has (yet); kept, and joined when it is registered.
        empty: rows without a value for an id without a label: not labelled yet.
        unusable: rows without an id, or without the moment they became available; left out.
        kinds: what the labels are, for instance ``("numbers",)``.
        kinds_before: the same of the model's earlier labels; empty for the first delivery.
    """

    new: int
    redelivered: int
    corrections: int
    unknown: int
    empty: int = 0
    unusable: int = 0
    kinds: tuple[str, ...] = ()
    kinds_before: tuple[str, ...] = ()

    @property
    def type_changed(self) -> bool:
        """Whether labels of another kind came than before."""
        return bool(self.kinds_before) and not set(self.kinds) <= set(self.kinds_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Partitions whose labels changed, with how many labels, and where to go on from."""

    partitions: Mapping[str, int]
    cursor: int


class Coverage(NamedTuple):
    """How many of a partition's predictions have a label."""

    n_predictions: int
    n_labelled: int


class LabelLedger:
    """Predictions by partition, and the labels that arrived for them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register_predictions(
        self, model: str, partition: str, ids: pa.Array | pa.ChunkedArray | Iterable[str]
    ) -> int:
        """Says which predictions a partition holds; gives how many distinct ids.

        A later call for the same partition replaces the earlier one. Labels that came before
        their prediction now count, and the partition is then :meth:`touched`.

        Args:
            model: the model's name.
            partition: the day's key.
            ids: the predictions' ids, as text or whole numbers; null ones are left out.
        """
        values = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(list(ids))
        unique = storable_array(values.cast(pa.string()).unique().drop_null())
        with self._database.write() as connection:
            model_id = model_number(connection, model)
            _ledger.stage_predictions(connection, unique.to_pylist())
            _ledger.replace_predictions(connection, model_id, partition)
        return len(unique)

    def append(self, model: str, table: pa.Table, delivery: str) -> Appended:
        """Takes in labels; what is known already is recognised, so a redelivery changes nothing.

        Args:
            model: the model's name.
            table: prediction_id (text), label (any type), event_time, available_at (times),
                revision (whole numbers; null is 1), as :meth:`GroundTruth.read` gives them.
            delivery: where they come from, for the record.

        Raises:
            StoreError: the store can't be reached or refused; then nothing is taken in.
        """
        rows = _ledger.prepare(table)
        with self._database.write() as connection:
            model_id = model_number(connection, model)
            before = _ledger.kinds_before(connection, model_id)
            noted = sa.insert(label_appends).values(model_id=model_id, delivery=storable(delivery))
            append_id = made_id(connection.execute(noted))
            _ledger.stage_labels(connection, model_id, rows)
            counts = _ledger.count_staged(connection, model_id)
            _ledger.keep_staged_labels(connection, model_id, append_id)
        usable = _ledger.usable_rows(table)
        return Appended(
            new=counts["ids"],
            corrections=counts["later"] + counts["first"] - counts["ids"],
            redelivered=counts["known"] + usable - rows.num_rows,
            unknown=counts["unknown"],
            empty=counts["empty"],
            unusable=table.num_rows - usable,
            kinds=kinds_of(rows["label"].combine_chunks()),
            kinds_before=before,
        )

    def resolved(self, model: str, partition: str, as_of: datetime | None = None) -> pa.Table:
        """The labels of a partition's predictions as known at a moment.

        Args:
            model: the model's name.
            partition: the day's key.
            as_of: with a time zone; everything that arrived when ``None``.

        Returns:
            prediction_id (text), label (int64, float64, boolean or text), event_time,
            available_at (UTC microseconds), revision (int64), one row a labelled prediction, by
            id. No labels give no rows, and a label column of type null.
        """
        query = resolution(find_model(model), partition, as_of)
        with self._database.read() as connection:
            return resolved_table(connection.execute(query).all())

    def coverage(self, model: str, partition: str, as_of: datetime | None = None) -> Coverage:
        """How many predictions a partition has, and how many have a label at a moment."""
        total = sa.select(partitions.c.predictions).where(
            partitions.c.model_id == find_model(model), partitions.c.partition == partition
        )
        labelled = resolution(find_model(model), partition, as_of).subquery()
        with self._database.read() as connection:
            n_predictions = int(connection.execute(total).scalar() or 0)
            query = sa.select(sa.func.count()).select_from(labelled)
            return Coverage(n_predictions, int(connection.execute(query).scalar_one()))

    def next_arrival(self, model: str, partition: str, after: datetime) -> datetime | None:
        """When the next label of a partition, dated later than a moment, becomes available.

        ``None`` when all that are in the ledger were available by then.
        """
        with self._database.read() as connection:
            query = next_arrival(find_model(model), partition, after)
            found = connection.execute(query).scalar_one()
        return None if found is None else moment_of(int(found))

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

    def last_changes(self, model: str) -> dict[str, int]:
        """Each partition with the cursor of its labels' last change; none without a change."""
        table = label_changes.c
        query = (
            sa.select(table.partition, sa.func.max(table.id))
            .where(table.model_id == find_model(model))
            .group_by(table.partition)
        )
        with self._database.read() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query)}

    def partitions(self, model: str) -> list[str]:
        """Partitions whose predictions are registered, sorted."""
        query = sa.select(partitions.c.partition).where(partitions.c.model_id == find_model(model))
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def unknown(self, model: str) -> int:
        """How many ids have a label but no registered prediction."""
        known = sa.exists().where(
            predictions.c.model_id == labels.c.model_id,
            predictions.c.prediction_id == labels.c.prediction_id,
        )
        query = sa.select(sa.func.count(sa.distinct(labels.c.prediction_id))).where(
            labels.c.model_id == find_model(model), ~known
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def delivery_seen(self, model: str, uri: str, fingerprint: str) -> bool:
        """Whether a delivery was marked with this fingerprint."""
        return self.deliveries(model).get(uri) == fingerprint

    def mark_delivery(self, model: str, uri: str, fingerprint: str) -> None:
        """Says that a delivery was taken in; do it in the transaction that appends it."""
        with self._database.write() as connection:
            here = sa.and_(
                deliveries.c.model_id == model_number(connection, model), deliveries.c.uri == uri
            )
            moved = connection.execute(
                sa.update(deliveries).where(here).values(fingerprint=fingerprint)
            )
            if moved.rowcount == 0:
                row = {
                    "model_id": model_number(connection, model),
                    "uri": uri,
                    "fingerprint": fingerprint,
                }
                connection.execute(sa.insert(deliveries), [row])

    def deliveries(self, model: str) -> dict[str, str]:
        """Each delivery taken in: its URI to the fingerprint it had."""
        query = sa.select(deliveries.c.uri, deliveries.c.fingerprint).where(
            deliveries.c.model_id == find_model(model)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}
