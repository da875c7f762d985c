"""Which ledger a model takes its labels from, and how many ids it knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from dagster_monitoring.stores._models import find_model
from dagster_monitoring.stores._tables import label_counts, labels, partitions, predictions


def ledger_of(connection: sa.Connection, model_id: int) -> int:
    """The ledger of a model: its own unless it follows another."""
    query = sa.select(label_counts.c.ledger_id).where(label_counts.c.model_id == model_id)
    found = connection.execute(query).scalar()
    return model_id if found is None else int(found)


def ledgers_of(connection: sa.Connection, model: str) -> Sequence[int]:
    """Every ledger that a model's labels may be in: its own, and those that models share."""
    shared = sa.select(label_counts.c.ledger_id).where(
        label_counts.c.ledger_id != label_counts.c.model_id
    )
    query = sa.union(sa.select(find_model(model)), shared)
    return connection.execute(query).scalars().all()


def followers(connection: sa.Connection, ledger_id: int) -> Sequence[int]:
    """The models that take their labels from a ledger and have predictions, in order."""
    registered = sa.exists().where(partitions.c.model_id == label_counts.c.model_id)
    query = (
        sa.select(label_counts.c.model_id)
        .where(label_counts.c.ledger_id == ledger_id, registered)
        .order_by(label_counts.c.model_id)
    )
    return connection.execute(query).scalars().all()


def make_counts(connection: sa.Connection, model_id: int) -> None:
    """Counts of 0 for a model that has none yet, on its own ledger."""
    here = label_counts.c.model_id == model_id
    if connection.execute(sa.select(label_counts.c.ids).where(here)).first() is None:
        row = {"model_id": model_id, "ledger_id": model_id, "ids": 0, "joined": 0}
        connection.execute(sa.insert(label_counts), [row])


def labelled_ids(connection: sa.Connection, ledger_id: int) -> int:
    """How many ids of a ledger have a word."""
    query = sa.select(label_counts.c.ids).where(label_counts.c.model_id == ledger_id)
    return int(connection.execute(query).scalar() or 0)


def first_kind(connection: sa.Connection, ledger_id: int) -> str | None:
    """The letter of the kind of a ledger's labels; ``None`` before the first."""
    query = sa.select(label_counts.c.kind).where(label_counts.c.model_id == ledger_id)
    return connection.execute(query).scalar()


def add_ids(connection: sa.Connection, ledger_id: int, ids: int, kind: str | None) -> None:
    """Counts ids that got their first word, and keeps the kind of the first label."""
    known = sa.func.coalesce(label_counts.c.kind, kind)
    _add(connection, ledger_id, {"ids": label_counts.c.ids + ids, "kind": known})


def add_joined(connection: sa.Connection, model_id: int, joined: int) -> None:
    """Counts ids of a model's ledger that are predicted now, or no longer."""
    _add(connection, model_id, {"joined": label_counts.c.joined + joined})


def move(connection: sa.Connection, model_id: int, ledger_id: int) -> None:
    """Has a model follow a ledger, of which it predicts no id yet."""
    _add(connection, model_id, {"ledger_id": sa.literal(ledger_id), "joined": sa.literal(0)})


def count_all(connection: sa.Connection) -> None:
    """The counts of a store from before there were any: every model has a ledger of its own."""
    ids, model = labels.c.prediction_id, labels.c.model_id
    known = sa.exists().where(predictions.c.model_id == model, predictions.c.prediction_id == ids)
    joined = sa.func.count(sa.distinct(sa.case((known, ids))))
    # The empty text is a label that is missing.
    kind = sa.func.max(sa.func.substr(labels.c.label, 1, 1))
    query = sa.select(
        model, model, sa.func.count(sa.distinct(ids)), joined, sa.func.nullif(kind, "")
    ).group_by(model)
    names = ["model_id", "ledger_id", "ids", "joined", "kind"]
    connection.execute(sa.insert(label_counts).from_select(names, query))


def _add(
    connection: sa.Connection, model_id: int, values: dict[str, sa.ColumnElement[Any]]
) -> None:
    here = label_counts.c.model_id == model_id
    connection.execute(sa.update(label_counts).where(here).values(values))
