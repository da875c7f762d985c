"""What was judged, and by which changes it is outdated: the rows behind ``judgements``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from dagster_monitoring.schema import Partitions
from dagster_monitoring.stores._models import find_model, model_number
from dagster_monitoring.stores._tables import cursors, judged, label_changes, slice_changes

_KEYS_A_QUERY = 500
# How far older verdicts, which did not say it, are taken to look back: learned limits and a window.
_REACH_OF_OLD = 31


class Changes(NamedTuple):
    """The counts of the last changes of labels and of slices; 0 before the first."""

    labels: int
    slices: int


def adopt_judged_labels(connection: sa.Connection) -> None:
    """Takes over what an older store kept of judged days, a cursor each."""
    query = sa.select(cursors).where(cursors.c.name.contains("/judged-labels/"))
    for name, value in connection.execute(query).all():
        model, _, partition = name.partition("/judged-labels/")
        change, _, due = value.partition(" ")
        row = {
            "model_id": model_number(connection, model),
            "asset": "performance",
            "partition": partition,
            "on_labels": True,
            "labels": int(change),
            "slices": 0,
            "labels_now": int(change),
            "slices_now": 0,
            "due": datetime.fromisoformat(due) if due else None,
            "is_outdated": False,
        }
        connection.execute(sa.insert(judged), [row])
        connection.execute(sa.delete(cursors).where(cursors.c.name == name))
        here = cursors.c.name == reach_cursor(model)
        connection.execute(sa.delete(cursors).where(here))
        new = {"name": reach_cursor(model), "value": str(_REACH_OF_OLD)}
        connection.execute(sa.insert(cursors), [new])


def news(
    connection: sa.Connection, model: str, since: Sequence[int]
) -> Iterator[Mapping[str, int]]:
    """The partitions whose labels, then whose slices, changed since; each with its last change."""
    for table, cursor in zip((label_changes.c, slice_changes.c), since, strict=True):
        query = (
            sa.select(table.partition, sa.func.max(table.id))
            .where(table.model_id == find_model(model), table.id > cursor)
            .group_by(table.partition)
        )
        yield {row[0]: int(row[1]) for row in connection.execute(query)}


def successors_of(
    labels: Mapping[str, int], slices: Mapping[str, int], partitions: Partitions, reach: int
) -> dict[str, list[tuple[int, Changes]]]:
    """The partitions that may look at a changed one: how far back it lies, and its changes."""
    found: dict[str, list[tuple[int, Changes]]] = defaultdict(list)
    for day in {*labels, *slices}:
        changes = Changes(labels.get(day, 0), slices.get(day, 0))
        following = partitions.between(day, partitions.shift(day, reach))
        for distance, partition in enumerate(following):
            found[partition].append((distance, changes))
    return found


def mark(
    connection: sa.Connection, model: str, successors: Mapping[str, list[tuple[int, Changes]]]
) -> None:
    table = judged.c
    rows: list[dict[str, object]] = []
    for some in chunks([*successors]):
        query = sa.select(judged).where(
            table.model_id == find_model(model), table.partition.in_(some)
        )
        for row in connection.execute(query):
            near = [
                c for at, c in successors[row.partition] if row.reach is None or at <= row.reach
            ]
            labels = max((c.labels for c in near), default=0) if row.on_labels else 0
            slices = max((c.slices for c in near), default=0)
            if labels > row.labels_now or slices > row.slices_now:
                now = Changes(max(labels, row.labels_now), max(slices, row.slices_now))
                rows.append(
                    {
                        "of_asset": row.asset,
                        "of_partition": row.partition,
                        "new_labels": now.labels,
                        "new_slices": now.slices,
                        "new_state": now.labels > row.labels or now.slices > row.slices,
                    }
                )
    if rows:
        statement = (
            sa.update(judged)
            .where(
                table.model_id == find_model(model),
                table.asset == sa.bindparam("of_asset"),
                table.partition == sa.bindparam("of_partition"),
            )
            .values(
                labels_now=sa.bindparam("new_labels"),
                slices_now=sa.bindparam("new_slices"),
                is_outdated=sa.bindparam("new_state"),
            )
        )
        connection.execute(statement, rows)


def reach_cursor(model: str) -> str:
    """Holds how many slices before its own any verdict of the model looks at."""
    return f"{model}/reach"


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[at : at + _KEYS_A_QUERY] for at in range(0, len(keys), _KEYS_A_QUERY))
