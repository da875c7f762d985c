"""Models that share a feed of labels: a champion and its shadow."""

from __future__ import annotations

import sqlalchemy as sa

from dagster_monitoring.stores import Store
from dagster_monitoring.stores._label_counts import count_all
from dagster_monitoring.stores._tables import label_counts
from tests.stores.labels.labelled import known, table


def shared(store: Store) -> None:
    for model in ("champion", "shadow"):
        assert store.labels.follow(model, "feed orders")
    store.labels.register_predictions("champion", "d1", ["a", "b"])
    store.labels.register_predictions("champion", "d2", ["c"])
    store.labels.register_predictions("shadow", "d1", ["b"])


def test_a_label_taken_in_once_counts_for_every_model_that_shares_the_feed(store: Store):
    shared(store)
    done = store.labels.append("champion", table(("a", 0, 1, 1), ("b", 1, 1, 1)), "f")
    assert (done.new, done.unknown) == (2, 0)
    assert known(store, partition="d1", model="champion") == {"a": 0, "b": 1}
    assert known(store, partition="d1", model="shadow") == {"b": 1}
    assert store.labels.touched("champion").partitions == {"d1": 2}
    assert store.labels.touched("shadow").partitions == {"d1": 1}
    again = store.labels.append("shadow", table(("a", 0, 1, 1), ("b", 1, 1, 1)), "f")
    assert (again.new, again.redelivered) == (0, 2)
    assert store.labels.append("feed orders", table(("c", 1, 1, 2)), "f").new == 1
    assert known(store, partition="d2", model="champion") == {"c": 1}


def test_labels_of_ids_that_no_model_predicts_wait_and_are_counted_for_each(store: Store):
    shared(store)
    done = store.labels.append("shadow", table(("a", 0, 1, 1), ("x", 1, 1, 1)), "f")
    assert done.unknown == 1
    assert (store.labels.unknown("champion"), store.labels.unknown("shadow")) == (1, 2)
    store.labels.register_predictions("shadow", "d3", ["x"])
    assert (store.labels.unknown("champion"), store.labels.unknown("shadow")) == (1, 1)
    assert known(store, partition="d3", model="shadow") == {"x": 1}
    assert store.labels.touched("champion").partitions == {"d1": 1}
    assert store.labels.touched("shadow").partitions == {"d3": 1}


def test_a_correction_replaces_for_all_and_stays_visible_for_earlier(store: Store):
    shared(store)
    store.labels.append("champion", table(("b", 0, 1, 1)), "f1")
    store.labels.append("shadow", table(("b", 1, 2, 5)), "f2")
    for model in ("champion", "shadow"):
        assert known(store, 2, "d1", model) == {"b": 0}
        assert known(store, 5, "d1", model) == {"b": 1}


def test_a_model_that_follows_later_finds_the_labels_there_are(store: Store):
    shared(store)
    store.labels.append("champion", table(("a", 0, 1, 1), ("b", 1, 1, 1)), "f")
    store.labels.follow("third", "feed orders")
    assert store.labels.unknown("third") == 2
    store.labels.register_predictions("third", "d9", ["a", "z"])
    assert known(store, partition="d9", model="third") == {"a": 0}
    assert store.labels.unknown("third") == 1


def test_following_the_same_ledger_again_changes_nothing(store: Store):
    shared(store)
    assert not store.labels.follow("champion", "feed orders")
    assert not store.labels.follow("alone", "alone")
    assert store.labels.partitions("champion") == ["d1", "d2"]


def test_a_model_that_is_moved_registers_anew_and_all_its_days_are_touched(store: Store):
    shared(store)
    store.labels.append("champion", table(("a", 0, 1, 1)), "f")
    before = store.labels.touched("champion").cursor
    assert store.labels.follow("champion", "champion")
    assert store.labels.partitions("champion") == []
    assert set(store.labels.touched("champion", before).partitions) == {"d1", "d2"}
    assert store.labels.coverage("champion", "d1") == (0, 0)
    store.labels.register_predictions("champion", "d1", ["a"])
    assert known(store, partition="d1", model="champion") == {}
    store.labels.append("champion", table(("a", 5, 1, 1)), "f")
    assert known(store, partition="d1", model="champion") == {"a": 5}
    assert store.labels.unknown("shadow") == 1


def test_counts_follow_predictions_that_move_between_partitions(store: Store):
    store.labels.append("m", table(("a", 0, 1, 1), ("b", 0, 1, 1), ("c", 0, 1, 1)), "f")
    assert store.labels.unknown("m") == 3
    store.labels.register_predictions("m", "p", ["a", "b"])
    store.labels.register_predictions("m", "q", ["b"])
    assert store.labels.unknown("m") == 1
    store.labels.register_predictions("m", "p", ["a"])
    assert store.labels.unknown("m") == 1
    store.labels.register_predictions("m", "q", [])
    assert store.labels.unknown("m") == 2
    store.labels.register_predictions("m", "p", ["c", "b"])
    assert store.labels.unknown("m") == 1


def test_an_older_store_is_counted_as_one_that_counted_from_the_start(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b"])
    store.labels.append("m", table(("a", 0, 1, 1), ("a", 1, 2, 2), ("x", None, 1, 1)), "f")
    store.labels.append("other", table(("b", "late", 1, 1)), "f")
    with store._database.write() as connection:
        query = sa.select(label_counts).order_by(label_counts.c.model_id)
        counted = connection.execute(query).all()
        if not connection.execute(sa.text("SELECT 1 FROM monitoring_labels")).first():
            return  # kept in files, which older stores did not have
        connection.execute(sa.delete(label_counts))
        count_all(connection)
        assert connection.execute(query).all() == counted


def test_changes_since_a_cursor_are_found_without_the_older_ones(store: Store):
    store.labels.register_predictions("m", "p", ["a"])
    store.labels.register_predictions("m", "q", ["b"])
    store.labels.append("m", table(("a", 0, 1, 1), ("b", 0, 1, 1)), "f")
    first = store.labels.last_changes("m")
    store.labels.append("m", table(("a", 1, 2, 2)), "f")
    later = store.labels.last_changes("m", after=max(first.values()))
    assert list(later) == ["p"]
    assert later["p"] == store.labels.last_change("m", "p", "p") > max(first.values())
