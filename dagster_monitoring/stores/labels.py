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
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from dagster_monitoring.stores import _ledger
from dagster_monitoring.stores._bulk import stage
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import (
    deliveries,
    label_appends,
    label_changes,
    labels,
    models,
    predictions,
)
from dagster_monitoring.stores._text import restored_array, storable, storable_array
from dagster_monitoring.stores._values import decode, kinds_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RESOLVED = ("prediction_id", "label", "event_time", "available_at", "revision")


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
            model_id = _model_id(connection, model)
            column = [unique.to_pylist()]
            stage(connection, "staged_predictions", {"prediction_id": "TEXT"}, column)
            _replace_predictions(connection, model_id, partition)
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
            model_id = _model_id(connection, model)
            before = _kinds_before(connection, model_id)
            noted = sa.insert(label_appends).values(model_id=model_id, delivery=storable(delivery))
            append_id = connection.execute(noted).inserted_primary_key[0]
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
        with self._database.read() as connection:
            model_id = _find_model(connection, model)
            query = _resolution(model_id, partition, as_of)
            rows = connection.execute(query).all() if model_id is not None else []
        columns = dict(zip(_RESOLVED, zip(*rows, strict=True), strict=True)) if rows else {}
        utc = pa.timestamp("us", tz="UTC")
        texts = pa.array(columns.get("label", ()), pa.string())
        return pa.table(
            {
                "prediction_id": restored_array(
                    pa.array(columns.get("prediction_id", ()), pa.string())
                ),
                "label": decode(restored_array(texts)),
                "event_time": pa.array(columns.get("event_time", ()), pa.int64()).cast(utc),
                "available_at": pa.array(columns.get("available_at", ()), pa.int64()).cast(utc),
                "revision": pa.array(columns.get("revision", ()), pa.int64()),
            }
        )

    def coverage(self, model: str, partition: str, as_of: datetime | None = None) -> Coverage:
        """How many predictions a partition has, and how many have a label at a moment."""
        with self._database.read() as connection:
            model_id = _find_model(connection, model)
            if model_id is None:
                return Coverage(0, 0)
            of_partition = [
                predictions.c.model_id == model_id,
                predictions.c.partition == partition,
            ]
            total = sa.select(sa.func.count()).select_from(predictions).where(*of_partition)
            labelled = sa.select(sa.func.count()).select_from(
                _resolution(model_id, partition, as_of).subquery()
            )
            return Coverage(
                int(connection.execute(total).scalar_one()),
                int(connection.execute(labelled).scalar_one()),
            )

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
            .where(table.model_id == _model_id_of(model), table.id > after)
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
        """The cursor of the last change of labels in the partitions from ``first`` to ``last``.

        0 when none of them was ever touched.
        """
        table = label_changes.c
        query = sa.select(sa.func.max(table.id)).where(
            table.model_id == _model_id_of(model), table.partition.between(first, last)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def unknown(self, model: str) -> int:
        """How many ids have a label but no registered prediction."""
        known = sa.exists().where(
            predictions.c.model_id == labels.c.model_id,
            predictions.c.prediction_id == labels.c.prediction_id,
        )
        query = sa.select(sa.func.count(sa.distinct(labels.c.prediction_id))).where(
            labels.c.model_id == _model_id_of(model), ~known
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def partitions(self, model: str) -> list[str]:
        """The partitions whose predictions were registered, sorted."""
        query = (
            sa.select(predictions.c.partition)
            .where(predictions.c.model_id == _model_id_of(model))
            .distinct()
            .order_by(predictions.c.partition)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def delivery_seen(self, model: str, uri: str, fingerprint: str) -> bool:
        """Whether a delivery was marked with this fingerprint."""
        return self.deliveries(model).get(uri) == fingerprint

    def mark_delivery(self, model: str, uri: str, fingerprint: str) -> None:
        """Says that a delivery was taken in; do it in the transaction that appends it."""
        with self._database.write() as connection:
            here = sa.and_(
                deliveries.c.model_id == _model_id(connection, model), deliveries.c.uri == uri
            )
            moved = connection.execute(
                sa.update(deliveries).where(here).values(fingerprint=fingerprint)
            )
            if moved.rowcount == 0:
                row = {
                    "model_id": _model_id(connection, model),
                    "uri": uri,
                    "fingerprint": fingerprint,
                }
                connection.execute(sa.insert(deliveries), [row])

    def deliveries(self, model: str) -> dict[str, str]:
        """Each delivery taken in: its URI to the fingerprint it had."""
        query = sa.select(deliveries.c.uri, deliveries.c.fingerprint).where(
            deliveries.c.model_id == _model_id_of(model)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _find_model(connection: sa.Connection, model: str) -> int | None:
    found = connection.execute(sa.select(models.c.id).where(models.c.name == storable(model)))
    return found.scalar()


def _model_id(connection: sa.Connection, model: str) -> int:
    known = _find_model(connection, model)
    if known is not None:
        return known
    made = connection.execute(sa.insert(models).values(name=storable(model)))
    return int(made.inserted_primary_key[0])


def _model_id_of(model: str) -> sa.ScalarSelect[int]:
    return sa.select(models.c.id).where(models.c.name == storable(model)).scalar_subquery()


def _kinds_before(connection: sa.Connection, model_id: int) -> tuple[str, ...]:
    query = sa.select(labels.c.label).where(labels.c.model_id == model_id, labels.c.label != "")
    found = connection.execute(query.limit(1)).scalars().all()
    return kinds_of(pa.array(found, pa.string()))


def _resolution(
    model_id: int | None, partition: str, as_of: datetime | None
) -> sa.Select[tuple[object, ...]]:
    """One row a labelled prediction: the winning word on it."""
    rank = sa.func.row_number().over(
        partition_by=labels.c.prediction_id,
        order_by=[
            labels.c.revision.desc(),
            labels.c.available_at.desc(),
            labels.c.append_id.desc(),
        ],
    )
    ids = sa.select(predictions.c.prediction_id).where(
        predictions.c.model_id == model_id, predictions.c.partition == partition
    )
    ranked = sa.select(*(labels.c[name] for name in _RESOLVED), rank.label("rank")).where(
        labels.c.model_id == model_id, labels.c.prediction_id.in_(ids)
    )
    if as_of is not None:
        ranked = ranked.where(labels.c.available_at <= _microseconds(as_of))
    words = ranked.subquery()
    return (
        sa.select(*(words.c[name] for name in _RESOLVED))
        .where(words.c.rank == 1, words.c.label != "")
        .order_by(words.c.prediction_id)
    )


def _replace_predictions(connection: sa.Connection, model_id: int, partition: str) -> None:
    staged = _ledger.staged_predictions
    here = sa.and_(predictions.c.model_id == model_id, predictions.c.partition == partition)
    # Ids that were not in the partition but have labels: those labels count from now on.
    known = sa.exists().where(here, predictions.c.prediction_id == staged.c.prediction_id)
    labelled = sa.exists().where(
        labels.c.model_id == model_id, labels.c.prediction_id == staged.c.prediction_id
    )
    waiting = sa.select(sa.func.count()).select_from(staged).where(~known, labelled)
    joined = int(connection.execute(waiting).scalar_one())
    gone = ~sa.exists().where(staged.c.prediction_id == predictions.c.prediction_id)
    connection.execute(sa.delete(predictions).where(here, gone))
    chosen = sa.select(sa.literal(model_id), sa.literal(partition), staged.c.prediction_id)
    connection.execute(
        sa.insert(predictions).from_select(
            ["model_id", "partition", "prediction_id"],
            chosen.where(~known).order_by(staged.c.prediction_id),
        )
    )
    if joined:
        row = {"model_id": model_id, "partition": partition, "labels": joined}
        connection.execute(sa.insert(label_changes), [row])


def _microseconds(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
