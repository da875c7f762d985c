"""Taking out of the store what nothing refers to any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._label_counts import ledgers_of
from dagster_monitoring.stores._label_rows import LabelRows
from dagster_monitoring.stores._models import find_model
from dagster_monitoring.stores._tables import (
    counted_slices,
    evaluations,
    judged,
    label_appends,
    label_changes,
    outbox,
    slice_changes,
    verdicts,
)

Selected = tuple[sa.Table, sa.ColumnElement[bool]]

# Deleted in parts, each in a transaction of its own, so that no run waits long for its turn.
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What of a model is old enough.

    Args:
        model: the model's name.
        first_kept: partitions before this one are taken out.
        superseded_before: verdicts that were replaced before this moment are, of any partition.
        open_incidents: the ids of incidents whose messages stay.
    """

    model: str
    first_kept: str
    superseded_before: datetime
    open_incidents: Collection[str]


class Retention:
    """Deletes old rows; what was deleted can't be asked for again."""

    def __init__(self, database: Database, label_rows: LabelRows) -> None:
        self._database = database
        self._label_rows = label_rows

    def prune(self, cut: Cut, *, dry_run: bool = False) -> dict[str, int]:
        """Deletes, and gives how many rows of each kind; the same again finds none.

        Predictions and labels stay.

        Args:
            cut: what is old enough.
            dry_run: only counts.
        """
        rows = {
            kind: self._count(found) if dry_run else self._delete(found)
            for kind, found in _selected(cut).items()
        }
        idle = self._idle_appends(cut)
        for start in range(0, 0 if dry_run else len(idle), _ROWS_AT_ONCE):
            some = label_appends.c.id.in_(idle[start : start + _ROWS_AT_ONCE])
            with self._database.write() as connection:
                connection.execute(sa.delete(label_appends).where(some))
        return {**rows, "notes of deliveries without a label": len(idle)}

    def retire_verdicts(self, model: str, *, before: str, dry_run: bool = False) -> int:
        """Deletes the row a monitor and partition before one; how many.

        At once, unlike the rest: incidents are derived from all of them or from none.
        """
        old = sa.and_(verdicts.c.model == model, verdicts.c.partition < before)
        if dry_run:
            return self._count((verdicts, old))
        with self._database.write() as connection:
            return connection.execute(sa.delete(verdicts).where(old)).rowcount

    def _idle_appends(self, cut: Cut) -> list[int]:
        """Notes of deliveries that no label refers to: they brought what was known already.

        An append in progress is no row yet: it is committed with its labels.
        """
        mine = label_appends.c.model_id == find_model(cut.model)
        with self._database.read() as connection:
            known = set(connection.execute(sa.select(label_appends.c.id).where(mine)).scalars())
            for ledger_id in ledgers_of(connection, cut.model) if known else ():
                known -= self._label_rows.appends(connection, ledger_id)
        return sorted(known)

    def _count(self, found: Selected) -> int:
        table, old = found
        with self._database.read() as connection:
            query = sa.select(sa.func.count()).select_from(table).where(old)
            return int(connection.execute(query).scalar_one())

    def _delete(self, found: Selected) -> int:
        table, old = found
        keys = list(table.primary_key.columns)
        deleted = 0
        while True:
            some = sa.select(*keys).where(old).limit(_ROWS_AT_ONCE)
            here = sa.tuple_(*keys).in_(some) if len(keys) > 1 else keys[0].in_(some)
            with self._database.write() as connection:
                done = connection.execute(sa.delete(table).where(here)).rowcount
            deleted += done
            if done < _ROWS_AT_ONCE:
                return deleted


def _selected(cut: Cut) -> dict[str, Selected]:
    mine = evaluations.c.model == cut.model
    replaced = sa.and_(mine, evaluations.c.superseded_at < cut.superseded_before)
    sent = sa.and_(
        outbox.c.model == cut.model,
        outbox.c.sent_at < cut.superseded_before,
        outbox.c.incident_id.not_in(list(cut.open_incidents)),
    )
    return {
        "replaced evaluations": (evaluations, replaced),
        "old evaluations": (evaluations, sa.and_(mine, evaluations.c.partition < cut.first_kept)),
        "sent messages": (outbox, sent),
        "notes of what verdicts rest on": (judged, _before(judged, cut)),
        "notes of how slices were counted": (counted_slices, _before(counted_slices, cut)),
        "changes of labels": (label_changes, _replaced_change(label_changes, cut)),
        "changes of slices": (slice_changes, _replaced_change(slice_changes, cut)),
    }


def _before(table: sa.Table, cut: Cut) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.model_id == find_model(cut.model), table.c.partition < cut.first_kept)


def _replaced_change(table: sa.Table, cut: Cut) -> sa.ColumnElement[bool]:
    """Changes of old partitions but for the last of each, which says that there was one."""
    later = table.alias("later")
    has_later = sa.exists().where(
        later.c.model_id == table.c.model_id,
        later.c.partition == table.c.partition,
        later.c.id > table.c.id,
    )
    return sa.and_(_before(table, cut), has_later)
