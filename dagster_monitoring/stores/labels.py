"""The label ledger: every label as it arrived, and what was known at any moment.

A label has two times: when its outcome happened and when it became available. Labels arrive late,
again, and corrected; the ledger keeps the set of what was said, so the order in which deliveries
are taken in does not matter. As of a moment, the row with the highest revision among those
available by then wins; among rows of one revision, the one that became available last. A missing
label (null, NaN, infinite) of a higher revision takes the earlier one back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dagster_monitoring.stores import _label_counts, _ledger
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._label_changes import LabelChanges, note_changes
from dagster_monitoring.stores._label_records import Appended, Coverage
from dagster_monitoring.stores._label_rows import WORD_SCHEMA, LabelRows, Predicted
from dagster_monitoring.stores._models import find_model, made_id, model_number
from dagster_monitoring.stores._registering import (
    count_joined,
    count_places,
    registration_of,
    set_size,
)
from dagster_monitoring.stores._resolution import moment_of, resolved_table
from dagster_monitoring.stores._tables import (
    label_appends,
    label_counts,
    partitions,
    predictions,
)
from dagster_monitoring.stores._text import storable, storable_array
from dagster_monitoring.stores._values import kinds_of

_NOWHERE = np.zeros(0, dtype=np.int64)


class LabelLedger(LabelChanges):
    """Predictions by partition, and the labels that arrived for them.

    Args:
        database: what is small: partitions, changes, counts.
        rows: what is large: the predictions' ids and the words on labels.
    """

    def __init__(self, database: Database, rows: LabelRows) -> None:
        super().__init__(database)
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
            registration = registration_of(connection, self._rows, model_id, partition, unique)
            count_joined(connection, self._rows, registration)
            self._rows.register(connection, registration)
            set_size(connection, model_id, partition, len(unique))
            note_changes(connection, model_id, {partition: int(registration.waiting.sum())})
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
            words = WORD_SCHEMA.empty_table()
            if _label_counts.labelled_ids(connection, ledger_id):
                ids = _distinct_of_sorted(rows, places)
                words = self._rows.words(connection, ledger_id, ids)
            states = _ledger.states(rows, words, dated=_ledger.is_dated(table))
            unknown = 0
            # Nothing refers to a delivery that said nothing new.
            if (states != _ledger.KNOWN).any():
                row = {"model_id": model_id, "delivery": storable(delivery)}
                append_id = made_id(connection.execute(sa.insert(label_appends).values(**row)))
                unknown = self._keep(connection, ledger_id, append_id, rows, states)
        usable, filled = _ledger.usable_rows(table), _filled(rows)
        first, later = states == _ledger.FIRST, states == _ledger.LATER
        new = count_places([places[first & filled]], len(places))
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
            note_changes(connection, model_id, touched)
            joined = count_places([e.at[is_first[e.at]] for e in own], len(ids))
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
        note_changes(connection, model_id, sizes)


def _model_and_ledger(connection: sa.Connection, model: str) -> tuple[int, int] | None:
    """A model's number and its ledger's; ``None`` for a model that the store does not know."""
    found = connection.execute(sa.select(find_model(model))).scalar()
    return None if found is None else (int(found), _label_counts.ledger_of(connection, int(found)))


def _distinct(ids: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Distinct ids, sorted."""
    unique = pc.unique(ids).drop_null()
    return unique.take(pc.array_sort_indices(unique))


def _distinct_of_sorted(rows: pa.Table, places: _ledger.IdPlaces) -> pa.Array:
    ids = rows["prediction_id"].combine_chunks()
    if not len(ids) or places[-1] == len(ids) - 1:
        return ids
    return ids.take(pa.array(np.flatnonzero(np.diff(places, prepend=-1))))


def _filled(rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Which labels are not missing."""
    filled = pc.not_equal(rows["label"], "").to_numpy()
    return np.asarray(filled, dtype=np.bool_)
