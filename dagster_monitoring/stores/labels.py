"""The label ledger: every label as it arrived, and what was known at any moment.

A label has two times: when its outcome happened and when it became available. Labels arrive late,
again, and corrected; the ledger keeps the set of what was said, so the order in which deliveries
are taken in does not matter. As of a moment, the row with the highest revision among those
available by then wins; among rows of one revision, the one that became available last. A missing
label (null, NaN, infinite) of a higher revision takes the earlier one back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dagster_monitoring.stores import _label_counts, _ledger
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._label_rows import WORD_SCHEMA, LabelRows, Predicted, Registration
from dagster_monitoring.stores._models import find_model, made_id, model_number
from dagster_monitoring.stores._resolution import moment_of, resolved_table
from dagster_monitoring.stores._tables import (
    label_appends,
    label_changes,
    label_counts,
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


_NOWHERE = np.zeros(0, dtype=np.int64)


class Coverage(NamedTuple):
    """How many of a partition's predictions have a label."""

    n_predictions: int
    n_labelled: int


class LabelLedger:
    """Predictions by partition, and the labels that arrived for them.

    Args:
        database: what is small: partitions, changes, counts.
        rows: what is large: the predictions' ids and the words on labels.
    """

    def __init__(self, database: Database, rows: LabelRows) -> None:
        self._database = database
        self._rows = rows

    def follow(self, model: str, ledger: str) -> bool:
        """Has a model take its labels from a ledger; several may share one.

        Without this call a model has a ledger of its own, by its own name. A model that is moved to
        another ledger has to register its predictions anew, under that ledger's ids; all its
        partitions are :meth:`touched`.

        Args:
            model: the model's name.
            ledger: the ledger's name.

        Returns:
            Whether the model was moved.
        """
        query = sa.select(label_counts.c.ledger_id).where(
            label_counts.c.model_id == find_model(model)
        )
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
            wanted = connection.execute(sa.select(find_model(ledger))).scalar()
        if (found is None and model == ledger) or (found is not None and found == wanted):
            return False
        with self._database.write() as connection:
            model_id, ledger_id = (model_number(connection, name) for name in (model, ledger))
            for each in (model_id, ledger_id):
                _label_counts.make_counts(connection, each)
            _label_counts.move(connection, model_id, ledger_id)
            self._rows.forget(connection, model_id)
            self._forget_partitions(connection, model_id)
        return True

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
        unique = _distinct(storable_array(values.cast(pa.string())))
        with self._database.write() as connection:
            model_id = model_number(connection, model)
            _label_counts.make_counts(connection, model_id)
            registration = self._registration(connection, model_id, partition, unique)
            self._count_joined(connection, registration)
            self._rows.register(connection, registration)
            _set_size(connection, model_id, partition, len(unique))
            _note_changes(connection, model_id, {partition: int(registration.waiting.sum())})
        return len(unique)

    def append(self, model: str, table: pa.Table, delivery: str) -> Appended:
        """Takes in labels; what is known already is recognised, so a redelivery changes nothing.

        Args:
            model: the name of the model, whose ledger they go to, or of the ledger.
            table: prediction_id (text), label (any type), event_time, available_at (times),
                revision (whole numbers; null is 1), as :meth:`GroundTruth.read` gives them.
            delivery: where they come from, for the record.

        Raises:
            StoreError: the store can't be reached or refused; then nothing is taken in.
        """
        rows = _ledger.prepare(table)
        places = _ledger.id_places(rows)
        with self._database.write() as connection:
            model_id = model_number(connection, model)
            ledger_id = _label_counts.ledger_of(connection, model_id)
            _label_counts.make_counts(connection, ledger_id)
            kind = _label_counts.first_kind(connection, ledger_id)
            noted = sa.insert(label_appends).values(model_id=model_id, delivery=storable(delivery))
            append_id = made_id(connection.execute(noted))
            words = WORD_SCHEMA.empty_table()
            if _label_counts.labelled_ids(connection, ledger_id):
                ids = _distinct_of_sorted(rows, places)
                words = self._rows.words(connection, ledger_id, ids)
            states = _ledger.states(rows, words, dated=_ledger.is_dated(table))
            unknown = self._keep(connection, ledger_id, append_id, rows, states)
        usable, filled = _ledger.usable_rows(table), _filled(rows)
        first, later = states == _ledger.FIRST, states == _ledger.LATER
        new = _distinct_places([places[first & filled]], len(places))
        return Appended(
            new=new,
            corrections=int(later.sum()) + int((first & filled).sum()) - new,
            redelivered=int((states < _ledger.FIRST).sum()) + usable - rows.num_rows,
            unknown=unknown,
            empty=int((first & ~filled).sum()),
            unusable=table.num_rows - usable,
            kinds=kinds_of(rows["label"].combine_chunks()),
            kinds_before=kinds_of(pa.array([] if kind is None else [kind], pa.string())),
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
            found = _model_and_ledger(connection, model)
            if found is None:
                return resolved_table(WORD_SCHEMA.empty_table())
            return resolved_table(self._rows.resolve(connection, *found, partition, as_of))

    def coverage(self, model: str, partition: str, as_of: datetime | None = None) -> Coverage:
        """How many predictions a partition has, and how many have a label at a moment."""
        total = sa.select(partitions.c.predictions).where(
            partitions.c.model_id == find_model(model), partitions.c.partition == partition
        )
        with self._database.read() as connection:
            found = _model_and_ledger(connection, model)
            if found is None:
                return Coverage(0, 0)
            n_predictions = int(connection.execute(total).scalar() or 0)
            labelled = self._rows.labelled_count(connection, *found, partition, as_of)
            return Coverage(n_predictions, labelled)

    def next_arrival(self, model: str, partition: str, after: datetime) -> datetime | None:
        """When the next label of a partition, dated later than a moment, becomes available.

        ``None`` when all that are in the ledger were available by then.
        """
        with self._database.read() as connection:
            known = _model_and_ledger(connection, model)
            if known is None:
                return None
            found = self._rows.next_arrival(connection, *known, partition, after)
        return None if found is None else moment_of(found)

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

    def partitions(self, model: str) -> list[str]:
        """Partitions whose predictions are registered, sorted."""
        query = sa.select(partitions.c.partition).where(partitions.c.model_id == find_model(model))
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def unknown(self, model: str) -> int:
        """How many ids of a model's ledger have a label but no registered prediction of it.

        Counted as labels and predictions come, so this looks at none of them.
        """
        own, ledger = label_counts.alias("own"), label_counts.alias("ledger")
        query = (
            sa.select(ledger.c.ids - own.c.joined)
            .join_from(own, ledger, own.c.ledger_id == ledger.c.model_id)
            .where(own.c.model_id == find_model(model))
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def _registration(
        self, connection: sa.Connection, model_id: int, partition: str, ids: pa.Array
    ) -> Registration:
        ledger_id = _label_counts.ledger_of(connection, model_id)
        before = self._rows.ids(connection, model_id, partition)
        added, gone = _without(ids, before), _without(before, ids)
        waiting = np.zeros(len(added), dtype=np.bool_)
        if len(added) and _label_counts.labelled_ids(connection, ledger_id):
            waiting = self._rows.labelled(connection, ledger_id, added)
        return Registration(
            model_id=model_id,
            ledger_id=ledger_id,
            partition=partition,
            ids=ids,
            added=added,
            gone=gone,
            waiting=waiting,
        )

    def _count_joined(self, connection: sa.Connection, registration: Registration) -> None:
        """Counts labelled ids that this model predicts now for the first time, or no longer."""
        model_id, ledger_id = registration.model_id, registration.ledger_id
        found = registration.added.filter(pa.array(registration.waiting))
        lost = registration.gone
        if len(lost):
            lost = lost.filter(pa.array(self._rows.labelled(connection, ledger_id, lost)))
        change = 0
        for ids, sign in ((found, 1), (lost, -1)):
            if len(ids):
                elsewhere = [
                    each.at
                    for each in self._rows.predicted(connection, model_id, ids)
                    if each.partition != registration.partition
                ]
                change += sign * (len(ids) - _distinct_places(elsewhere, len(ids)))
        if change:
            _label_counts.add_joined(connection, model_id, change)

    def _keep(
        self,
        connection: sa.Connection,
        ledger_id: int,
        append_id: int,
        rows: pa.Table,
        states: _ledger.States,
    ) -> int:
        """Keeps what is new, notes which partitions it touches; gives how many ids are unknown."""
        is_new = states != _ledger.KNOWN
        if not is_new.any():
            return 0
        words = rows.filter(pa.array(is_new)).combine_chunks()
        words = words.append_column(
            WORD_SCHEMA.field("append_id"), pa.repeat(append_id, len(words)).cast(pa.int64())
        )
        places = _ledger.id_places(words)
        ids = _distinct_of_sorted(words, places)
        is_first, is_told = np.zeros((2, len(ids)), dtype=np.bool_)
        is_first[places[states[is_new] == _ledger.FIRST]] = True
        is_told[places[states[is_new] >= _ledger.FIRST]] = True
        predicted: list[Predicted] = []
        for model_id in _label_counts.followers(connection, ledger_id):
            own = list(self._rows.predicted(connection, model_id, ids))
            predicted += own
            touched = {each.partition: int(is_told[each.at].sum()) for each in own}
            _note_changes(connection, model_id, touched)
            joined = _distinct_places([e.at[is_first[e.at]] for e in own], len(ids))
            _label_counts.add_joined(connection, model_id, joined)
        self._rows.keep(connection, ledger_id, words, predicted)
        kind = next((text[0] for text in pc.unique(words["label"]).to_pylist() if text), None)
        _label_counts.add_ids(connection, ledger_id, int(is_first.sum()), kind)
        is_told[np.concatenate([_NOWHERE, *(each.at for each in predicted)])] = False
        return int(is_told.sum())

    def _forget_partitions(self, connection: sa.Connection, model_id: int) -> None:
        """Drops the partitions of a model; the labels of each are others from now on."""
        here = partitions.c.model_id == model_id
        query = sa.select(partitions.c.partition, partitions.c.predictions).where(here)
        sizes = {row[0]: int(row[1]) for row in connection.execute(query)}
        connection.execute(sa.delete(partitions).where(here))
        connection.execute(sa.delete(predictions).where(predictions.c.model_id == model_id))
        _note_changes(connection, model_id, sizes)


def _model_and_ledger(connection: sa.Connection, model: str) -> tuple[int, int] | None:
    """A model's number and its ledger's; ``None`` for a model that the store does not know."""
    found = connection.execute(sa.select(find_model(model))).scalar()
    return None if found is None else (int(found), _label_counts.ledger_of(connection, int(found)))


def _note_changes(connection: sa.Connection, model_id: int, changed: Mapping[str, int]) -> None:
    rows = [
        {"model_id": model_id, "partition": partition, "labels": labels}
        for partition, labels in sorted(changed.items())
        if labels
    ]
    if rows:
        connection.execute(sa.insert(label_changes), rows)


def _set_size(connection: sa.Connection, model_id: int, partition: str, size: int) -> None:
    here = sa.and_(partitions.c.model_id == model_id, partitions.c.partition == partition)
    moved = connection.execute(sa.update(partitions).where(here).values(predictions=size))
    if moved.rowcount == 0:
        row = {"model_id": model_id, "partition": partition, "predictions": size}
        connection.execute(sa.insert(partitions), [row])


def _distinct(ids: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Distinct ids, sorted."""
    unique = pc.unique(ids).drop_null()
    return unique.take(pc.array_sort_indices(unique))


def _distinct_of_sorted(rows: pa.Table, places: _ledger.IdPlaces) -> pa.Array:
    ids = rows["prediction_id"].combine_chunks()
    if not len(ids) or places[-1] == len(ids) - 1:
        return ids
    return ids.take(pa.array(np.flatnonzero(np.diff(places, prepend=-1))))


def _without(ids: pa.Array, others: pa.Array) -> pa.Array:
    if not (len(ids) and len(others)):
        return ids
    return ids.filter(pc.invert(pc.is_in(ids, value_set=others)))


def _distinct_places(places: Sequence[npt.NDArray[np.int64]], size: int) -> int:
    """How many of ``size`` places are among these."""
    is_there = np.zeros(size, dtype=np.bool_)
    for each in places:
        is_there[each] = True
    return int(is_there.sum())


def _filled(rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Which labels are not missing."""
    filled = pc.not_equal(rows["label"], "").to_numpy()
    return np.asarray(filled, dtype=np.bool_)
