"""What verdicts rest on, and which are outdated because it changed.

A verdict rests on slices and, some, on labels: those of its own day and of the days that its
window, rolling baseline and learned limits look back on. Changes of both are counted, and so is
what people say of the days before it. A verdict is
outdated when a change came after those it knew, or when a moment passed at which its answer changes
by itself. Finding the outdated ones takes time that grows with what changed, not with history.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import sqlalchemy as sa

from dagster_monitoring.schema import Partitions
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._judged_rows import (
    Changes,
    chunks,
    mark,
    marked,
    news,
    reach_cursor,
    successors_of,
)
from dagster_monitoring.stores._models import find_model, made_id, model_number
from dagster_monitoring.stores._tables import counted_slices, judged, label_changes, slice_changes
from dagster_monitoring.stores.cursors import CursorStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a partition's verdicts rest on.

    Args:
        asset: whose verdicts.
        days: the partitions that they look at, the judged one last.
        knew: the changes before anything was read for them.
        on_labels: whether they rest on labels too.
        due: the moment at which they change by themselves; ``None`` for none.
        made: changes of slices that were made, and known, while judging.
    """

    model: str
    asset: str
    days: Sequence[str]
    knew: Changes
    on_labels: bool
    due: datetime | None = None
    made: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """A partition whose verdicts are outdated, and what they would rest on now."""

    partition: str
    now: Changes
    passed: datetime | None


class JudgementStore:
    """What the verdicts of all models rest on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cursors = CursorStore(database)

    def count_slice(
        self,
        model: str,
        partition: str,
        counted_on: str,
        content: bytes,
        *,
        comparable: bool = True,
    ) -> int | None:
        """Says what a slice's counts are; the change's number when they are others than before.

        A slice that is counted on further bins is not taken to have changed.

        Args:
            model: the model's name.
            partition: the slice.
            counted_on: on which bins, or with what; each has its own counts.
            content: the counts, as they are kept.
            comparable: whether other counts mean other rows; with other labels they do not.
        """
        digest = blake2b(content, digest_size=16).hexdigest()
        table = counted_slices.c
        with self._database.write() as connection:
            key = {"model_id": model_number(connection, model), "partition": partition}
            of_slice = sa.and_(*(table[name] == value for name, value in key.items()))
            query = sa.select(table.counted_on, table.digest).where(of_slice)
            known = {row.counted_on: row.digest for row in connection.execute(query)}
            if known.get(counted_on) == digest:
                return None
            here = sa.and_(of_slice, table.counted_on == counted_on)
            connection.execute(sa.delete(counted_slices).where(here))
            row = {**key, "counted_on": counted_on, "digest": digest}
            connection.execute(sa.insert(counted_slices), [row])
            if not comparable or (known and counted_on not in known):
                return None
            return made_id(connection.execute(sa.insert(slice_changes).values(**key)))

    def count_marks(
        self, model: str, partitions: Sequence[str], *, assets: Collection[str]
    ) -> None:
        """Says that people hold other things of partitions than they did.

        Verdicts of the assets that look back on these are outdated; those of the partitions
        themselves are not.
        """
        with self._database.write() as connection:
            number = model_number(connection, model)
            rows = [
                {"model_id": number, "partition": marked(asset, key)}
                for asset in assets
                for key in partitions
            ]
            if rows:
                connection.execute(sa.insert(slice_changes), rows)

    def counted_on(self, model: str, partition: str) -> list[str]:
        """On which bins, and with what, a slice was counted; sorted."""
        query = sa.select(counted_slices.c.counted_on).where(
            counted_slices.c.model_id == find_model(model),
            counted_slices.c.partition == partition,
        )
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def last_slice_change(self, model: str, partition: str) -> int:
        """The number of the last change of a slice; 0 before it was counted."""
        table = slice_changes.c
        query = sa.select(sa.func.max(table.id)).where(
            table.model_id == find_model(model), table.partition == partition
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def changes(self, model: str) -> Changes:
        """The last changes of a model; ask before anything is read."""
        with self._database.read() as connection:
            labels, slices = (
                connection.execute(
                    sa.select(sa.func.max(table.id)).where(table.model_id == find_model(model))
                ).scalar()
                for table in (label_changes.c, slice_changes.c)
            )
        return Changes(labels or 0, slices or 0)

    def knows_all(self, judgement: Judgement) -> bool:
        """Whether nothing that a partition's verdicts rest on changed while they were made."""
        knew = judgement.knew
        with self._database.read() as connection:
            others = _last_changes(connection, judgement, but=judgement.made)
        return others.labels <= (knew.labels if judgement.on_labels else 0) and (
            others.slices <= knew.slices
        )

    def reach(self, model: str) -> int:
        """How many slices before its own any verdict of a model looked at; 0 for none."""
        return int(self._cursors.get(reach_cursor(model)) or 0)

    def note(self, judgement: Judgement) -> None:
        """Keeps what a partition's verdicts rest on; do it in the transaction that records them.

        A change that came while they were made, and not by who made them, leaves them outdated.
        """
        *_, partition = judgement.days
        with self._database.write() as connection:
            now = _last_changes(connection, judgement)
            is_outdated = not self.knows_all(judgement)
            knew = judgement.knew if judgement.on_labels else judgement.knew._replace(labels=0)
            if not is_outdated:
                knew = now
            reach = len(judgement.days) - 1
            if reach > int(self._cursors.get(reach_cursor(judgement.model)) or 0):
                self._cursors.set(reach_cursor(judgement.model), str(reach))
            key = {
                "model_id": model_number(connection, judgement.model),
                "asset": judgement.asset,
                "partition": partition,
            }
            row = {
                "reach": reach,
                "on_labels": judgement.on_labels,
                "labels": knew.labels,
                "slices": knew.slices,
                "labels_now": now.labels,
                "slices_now": now.slices,
                "due": judgement.due,
                "is_outdated": is_outdated,
            }
            here = sa.and_(*(judged.c[name] == value for name, value in key.items()))
            if connection.execute(sa.update(judged).where(here).values(**row)).rowcount == 0:
                connection.execute(sa.insert(judged), [key | row])

    def outdated(
        self,
        model: str,
        assets: Sequence[str],
        *,
        now: datetime,
        partitions: Partitions,
    ) -> list[Outdated]:
        """The partitions whose verdicts of some assets are outdated, in order.

        Args:
            model: the model's name.
            assets: any of these assets' verdicts.
            now: the moment until which due dates have passed.
            partitions: the model's; one outside them is none.
        """
        self._follow(model, partitions)
        table = judged.c
        mine = sa.and_(table.model_id == find_model(model), table.asset.in_(assets))
        columns = (table.partition, table.labels_now, table.slices_now, table.due)
        # One after the other, so that each is found by its own index.
        queries = [
            sa.select(*columns).where(mine, table.is_outdated),
            sa.select(*columns).where(mine, table.due.is_not(None), table.due <= now),
        ]
        found: dict[str, Outdated] = {}
        with self._database.read() as connection:
            for query in queries:
                for partition, labels, slices, due in connection.execute(query):
                    passed = due if due is not None and due <= now else None
                    entry = Outdated(
                        partition=partition, now=Changes(labels, slices), passed=passed
                    )
                    found[partition] = _later(found.get(partition), entry)
        inside = (o for o in found.values() if partitions.holds(o.partition))
        return sorted(inside, key=lambda o: o.partition)

    def _follow(self, model: str, partitions: Partitions) -> None:
        """Marks the verdicts that look at what changed since the last time."""
        labels_cursor, slices_cursor = (f"{model}/followed-{kind}" for kind in ("labels", "slices"))
        since = [int(self._cursors.get(name) or 0) for name in (labels_cursor, slices_cursor)]
        with self._database.read() as connection:
            if not any(news(connection, model, since)):
                return
        with self._database.write() as connection:
            labels, slices = news(connection, model, since)
            reach = int(self._cursors.get(reach_cursor(model)) or 0)
            mark(connection, model, successors_of(labels, slices, partitions, reach))
            for name, found in ((labels_cursor, labels), (slices_cursor, slices)):
                if found:
                    self._cursors.set(name, str(max(found.values())))


def _last_changes(
    connection: sa.Connection, judgement: Judgement, *, but: Collection[int] = ()
) -> Changes:
    """The last changes of what a judgement rests on, leaving some changes of slices out."""
    model = find_model(judgement.model)
    last = {"labels": 0, "slices": 0}
    tables = {"labels": label_changes.c, "slices": slice_changes.c}
    if not judgement.on_labels:
        del tables["labels"]
    for kind, table in tables.items():
        said = [marked(judgement.asset, key) for key in judgement.days[:-1]]
        for some in chunks([*judgement.days, *(said if kind == "slices" else [])]):
            query = sa.select(sa.func.max(table.id)).where(
                table.model_id == model, table.partition.in_(some)
            )
            if kind == "slices" and but:
                query = query.where(table.id.not_in(but))
            last[kind] = max(last[kind], int(connection.execute(query).scalar() or 0))
    return Changes(**last)


def _later(known: Outdated | None, other: Outdated) -> Outdated:
    """Of several assets' verdicts of a partition, what the newest would rest on."""
    if known is None:
        return other
    passed = [moment for moment in (known.passed, other.passed) if moment is not None]
    return Outdated(
        partition=known.partition,
        now=Changes(
            max(known.now.labels, other.now.labels), max(known.now.slices, other.now.slices)
        ),
        passed=max(passed, default=None),
    )
