"""A note of each delivery that labels refer to, and of no other."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from dagster_monitoring.stores import Cut, Store
from dagster_monitoring.stores._tables import label_appends
from tests.stores.labels.labelled import known, table

CUT = Cut(
    model="m",
    first_kept="",
    superseded_before=datetime(2024, 1, 1, tzinfo=UTC),
    open_incidents=(),
)


def noted(store: Store) -> list[str]:
    query = sa.select(label_appends.c.delivery).order_by(label_appends.c.id)
    with store._database.read() as connection:
        return list(connection.execute(query).scalars())


def test_a_redelivery_leaves_no_note(store: Store):
    for delivery in ("first", "again"):
        store.labels.append("m", table(("a", 0, 1, 1)), delivery)
    store.labels.append("m", table(("a", 1, 2, 2)), "correction")
    assert noted(store) == ["first", "correction"]


def test_pruning_takes_out_the_notes_that_an_older_version_left(store: Store):
    store.labels.follow("m", "shared")
    store.labels.register_predictions("m", "p", ["a", "b"])
    store.labels.append("m", table(("a", 0, 1, 1)), "first")
    with store._database.write() as connection:
        mine = sa.select(label_appends.c.model_id).limit(1).scalar_subquery()
        rows = [{"model_id": connection.execute(sa.select(mine)).scalar(), "delivery": "idle"}]
        connection.execute(sa.insert(label_appends), rows * 3)
    store.labels.append("m", table(("b", 1, 1, 2)), "second")
    for dry_run, count, left in ((True, 3, 5), (False, 3, 2), (False, 0, 2)):
        done = store.retention.prune(CUT, dry_run=dry_run)
        assert done["notes of deliveries without a label"] == count
        assert len(noted(store)) == left
    assert noted(store) == ["first", "second"]
    assert known(store) == {"a": 0, "b": 1}
