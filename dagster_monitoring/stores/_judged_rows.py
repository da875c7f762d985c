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


_MARKED = "marked:"


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


class Near(NamedTuple):
    """Changes of a partition some slices back, and the only asset they matter to, if not to all."""

    distance: int
    changes: Changes
    asset: str | None


def successors_of(
    labels: Mapping[str, int], slices: Mapping[str, int], partitions: Partitions, reach: int
) -> dict[str, list[Near]]:
    """The partitions that may look at a changed one, each with what changed near it."""
    found: dict[str, list[Near]] = defaultdict(list)
    for key in {*labels, *slices}:
        changes = Changes(labels.get(key, 0), slices.get(key, 0))
        asset, day = _read_marked(key)
        following = partitions.between(day, partitions.shift(day, reach))
        for distance, partition in enumerate(following):
            if distance or asset is None:
                found[partition].append(Near(distance, changes, asset))
    return found


def marked(asset: str, partition: str) -> str:
    """Stands among the changes of slices for what people say of a partition.

    It matters to an asset's verdicts that look back on the partition, and not to the partition's
    own.
    """
    return f"{_MARKED}{asset}:{partition}"


def _read_marked(key: str) -> tuple[str | None, str]:
    """The asset and the partition of a change; no asset: of the slice itself."""
    if not key.startswith(_MARKED):
        return None, key
    asset, _, partition = key.removeprefix(_MARKED).partition(":")
    return asset, partition


def mark(connection: sa.Connection, model: str, successors: Mapping[str, list[Near]]) -> None:
    table = judged.c
    rows: list[dict[str, object]] = []
    for some in chunks([*successors]):
        query = sa.select(judged).where(
            table.model_id == find_model(model), table.partition.in_(some)
        )
        for row in connection.execute(query):
            near = [
                near.changes
                for near in successors[row.partition]
                if (row.reach is None or near.distance <= row.reach)
                and near.asset in {None, row.asset}
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
