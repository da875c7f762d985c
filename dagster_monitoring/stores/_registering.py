"""What registering a partition's predictions changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dagster_monitoring.stores._label_counts import add_joined, labelled_ids, ledger_of
from dagster_monitoring.stores._label_rows import LabelRows, Registration
from dagster_monitoring.stores._tables import partitions


def registration_of(
    connection: sa.Connection, rows: LabelRows, model_id: int, partition: str, ids: pa.Array
) -> Registration:
    """The new predictions of a partition beside those registered before."""
    ledger_id = ledger_of(connection, model_id)
    before = rows.ids(connection, model_id, partition)
    added, gone = _without(ids, before), _without(before, ids)
    waiting = np.zeros(len(added), dtype=np.bool_)
    if len(added) and labelled_ids(connection, ledger_id):
        waiting = rows.labelled(connection, ledger_id, added)
    return Registration(
        model_id=model_id,
        ledger_id=ledger_id,
        partition=partition,
        ids=ids,
        added=added,
        gone=gone,
        waiting=waiting,
    )


def count_joined(connection: sa.Connection, rows: LabelRows, registration: Registration) -> None:
    """Counts labelled ids that this model predicts now for the first time, or no longer."""
    model_id, ledger_id = registration.model_id, registration.ledger_id
    found = registration.added.filter(pa.array(registration.waiting))
    lost = registration.gone
    if len(lost):
        lost = lost.filter(pa.array(rows.labelled(connection, ledger_id, lost)))
    change = 0
    for ids, sign in ((found, 1), (lost, -1)):
        if len(ids):
            elsewhere = [
                each.at
                for each in rows.predicted(connection, model_id, ids)
                if each.partition != registration.partition
            ]
            change += sign * (len(ids) - count_places(elsewhere, len(ids)))
    if change:
        add_joined(connection, model_id, change)


def set_size(connection: sa.Connection, model_id: int, partition: str, size: int) -> None:
    """Keeps how many predictions a partition has."""
    here = sa.and_(partitions.c.model_id == model_id, partitions.c.partition == partition)
    moved = connection.execute(sa.update(partitions).where(here).values(predictions=size))
    if moved.rowcount == 0:
        row = {"model_id": model_id, "partition": partition, "predictions": size}
        connection.execute(sa.insert(partitions), [row])


def count_places(places: Sequence[npt.NDArray[np.int64]], size: int) -> int:
    """How many of ``size`` places are among these."""
    is_there = np.zeros(size, dtype=np.bool_)
    for each in places:
        is_there[each] = True
    return int(is_there.sum())


def _without(ids: pa.Array, others: pa.Array) -> pa.Array:
    if not (len(ids) and len(others)):
        return ids
    return ids.filter(pc.invert(pc.is_in(ids, value_set=others)))
