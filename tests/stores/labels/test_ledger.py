from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta

import pyarrow as pa
import pytest

from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.stores import DeliveryState, Store
from tests.stores.labels.labelled import DAY, MOMENT, Row, known, table


def test_late_labels_and_corrections_answer_as_of_any_moment(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b", "c"])
    done = store.labels.append("m", table(("a", 0, 1, 1), ("b", 1, 1, 3), ("a", 1, 2, 5)), "file-1")
    assert (done.new, done.corrections, done.redelivered, done.unknown) == (2, 1, 0, 0)
    assert known(store, 0.5) == {}
    assert known(store, 1) == {"a": 0}
    assert known(store, 4) == {"a": 0, "b": 1}
    assert known(store, 5) == known(store) == {"a": 1, "b": 1}
    assert store.labels.coverage("m", "p", DAY + timedelta(days=1)) == (3, 1)
    assert store.labels.coverage("m", "p") == (3, 2)
    following = [
        store.labels.next_arrival("m", "p", DAY + timedelta(days=day)) for day in (0.5, 1, 4, 5)
    ]
    assert following == [DAY + timedelta(days=1), DAY + timedelta(days=3), following[2], None]
    assert following[2] == DAY + timedelta(days=5)


def test_the_highest_revision_wins_even_when_a_lower_one_arrives_later(store: Store):
    store.labels.register_predictions("m", "p", ["a"])
    store.labels.append("m", table(("a", 1, 2, 1)), "f1")
    store.labels.append("m", table(("a", 0, 1, 9)), "f2")
    assert known(store) == {"a": 1}


def test_the_resolved_table_has_fixed_names_and_types(store: Store):
    store.labels.register_predictions("m", "p", ["a"])
    store.labels.append("m", table(("a", 1, 2, 1.5)), "f")
    found = store.labels.resolved("m", "p")
    assert found.schema == pa.schema(
        [
            ("prediction_id", pa.string()),
            ("label", pa.int64()),
            ("event_time", MOMENT),
            ("available_at", MOMENT),
            ("revision", pa.int64()),
        ]
    )
    assert found.to_pylist() == [
        {
            "prediction_id": "a",
            "label": 1,
            "event_time": DAY,
            "available_at": DAY + timedelta(days=1.5),
            "revision": 2,
        }
    ]


def test_a_redelivery_changes_nothing_and_touches_nothing(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b"])
    rows = table(("a", 0, 1, 1), ("b", 1, 1, 1), ("a", 1, 2, 2))
    store.labels.append("m", rows, "f")
    before = store.labels.touched("m")
    for again in (rows, table(("a", 0, 1, 7), ("b", 1, 1, 8), ("a", 1, 2, 9))):
        done = store.labels.append("m", again, "f")
        assert (done.new, done.corrections, done.redelivered) == (0, 0, 3)
    assert store.labels.touched("m") == before
    assert store.labels.resolved("m", "p")["available_at"].to_pylist()[0] == DAY + timedelta(days=2)


def test_duplicates_within_one_delivery_are_redeliveries(store: Store):
    done = store.labels.append(
        "m", table(("a", 0, 1, 1), ("a", 0, 1, 1), ("a", 0, 1, 2), ("b", 1, 1, 1)), "f"
    )
    assert (done.new, done.redelivered, done.corrections) == (2, 2, 0)


def test_without_revisions_the_word_said_last_wins(store: Store):
    """A feed that has no revision column says 1 always; a flip back is a change too."""
    store.labels.register_predictions("m", "p", ["a"])
    for day, label in enumerate((0, 1, 0, 0, 1)):
        store.labels.append("m", table(("a", label, None, day)), f"f{day}")
    assert [known(store, day)["a"] for day in range(5)] == [0, 1, 0, 0, 1]


ARRIVALS: list[Row] = [
    ("a", 0, 1, 1),
    ("a", 1, 1, 3),
    ("a", 0, 1, 5),
    ("a", 1, 2, 4),
    ("b", 1, 1, 2),
    ("b", 1, 1, 4),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(6)))[::72])
def test_the_order_of_deliveries_does_not_matter(store: Store, order: tuple[int, ...]):
    store.labels.register_predictions("m", "p", ["a", "b"])
    for position in order:
        store.labels.append("m", table(ARRIVALS[position]), f"f{position}")
    seen = [known(store, day) for day in range(7)]
    assert seen == [
        {},
        {"a": 0},
        {"a": 0, "b": 1},
        {"a": 1, "b": 1},
        {"a": 1, "b": 1},
        {"a": 1, "b": 1},
        {"a": 1, "b": 1},
    ]


def test_deliveries_overlap_in_one_batch_as_they_do_alone(store: Store):
    """What lies between two equal words of a batch may stand in the ledger already."""
    store.labels.register_predictions("m", "p", ["a"])
    store.labels.append("m", table(("a", 1, 1, 2)), "f1")
    store.labels.append("m", table(("a", 0, 1, 1), ("a", 0, 1, 3)), "f2")
    assert [known(store, day)["a"] for day in (1, 2, 3)] == [0, 1, 0]


def test_labels_before_their_predictions_wait_and_then_touch(store: Store):
    done = store.labels.append("m", table(("a", 1, 1, 1), ("b", 0, 1, 1)), "f")
    assert done.unknown == 2
    assert store.labels.unknown("m") == 2
    assert store.labels.touched("m").partitions == {}
    store.labels.register_predictions("m", "p", ["a", "z"])
    assert store.labels.unknown("m") == 1
    assert known(store) == {"a": 1}
    assert store.labels.touched("m").partitions == {"p": 1}


def test_touched_gives_exactly_the_partitions_that_changed(store: Store):
    for day in range(1, 5):
        store.labels.register_predictions("m", f"d{day}", [f"x{day}", f"y{day}"])
    store.labels.append("m", table(("x1", 0, 1, 1), ("x2", 0, 1, 1), ("y2", 0, 1, 1)), "f1")
    first = store.labels.touched("m")
    assert first.partitions == {"d1": 1, "d2": 2}
    store.labels.append("m", table(("x1", 0, 1, 5), ("x3", 1, 1, 5), ("y1", 1, 1, 5)), "f2")
    second = store.labels.touched("m", after=first.cursor)
    assert second.partitions == {"d1": 1, "d3": 1}
    assert store.labels.touched("m", after=second.cursor) == store.labels.touched(
        "m", after=second.cursor
    )
    assert store.labels.touched("m", after=second.cursor).partitions == {}
    assert store.labels.touched("m", after=second.cursor).cursor == second.cursor
    assert store.labels.last_change("m", "d1", "d2") > first.cursor
    assert store.labels.last_change("m", "d2", "d2") <= first.cursor
    assert store.labels.last_change("m", "d4", "d9") == 0
    for day, change in store.labels.last_changes("m").items():
        assert change == store.labels.last_change("m", day, day) > 0


def test_registering_a_partition_again_replaces_its_predictions(store: Store):
    store.labels.append("m", table(("a", 1, 1, 1), ("b", 0, 1, 1)), "f")
    assert store.labels.register_predictions("m", "p", ["a", "a", "c"]) == 2
    assert store.labels.register_predictions("m", "p", pa.array(["b", "c", None])) == 2
    assert known(store) == {"b": 0}
    assert store.labels.coverage("m", "p") == (2, 1)
    assert store.labels.register_predictions("m", "p", []) == 0
    assert store.labels.coverage("m", "p") == (0, 0)
    assert store.labels.partitions("m") == ["p"]


def test_an_id_in_two_partitions_is_labelled_in_both(store: Store):
    store.labels.register_predictions("m", "p", ["a"])
    store.labels.register_predictions("m", "q", ["a"])
    store.labels.append("m", table(("a", 1, 1, 1)), "f")
    assert known(store, partition="p") == known(store, partition="q") == {"a": 1}
    assert store.labels.touched("m").partitions == {"p": 1, "q": 1}


def test_models_do_not_see_each_other(store: Store):
    store.labels.register_predictions("m", "p", ["a"])
    store.labels.append("other", table(("a", 1, 1, 1)), "f")
    assert known(store) == {}
    assert store.labels.unknown("other") == 1
    assert store.labels.unknown("m") == 0
    assert store.labels.coverage("nobody", "p") == (0, 0)
    assert store.labels.resolved("nobody", "p").num_rows == 0


def test_rows_without_id_or_arrival_are_left_out_and_counted(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b"])
    done = store.labels.append("m", table((None, 1, 1, 1), ("b", 1, 1, None), ("a", 1, 1, 1)), "f")
    assert (done.unusable, done.new) == (2, 1)
    assert known(store) == {"a": 1}


def test_an_empty_delivery_is_fine(store: Store):
    done = store.labels.append("m", table(), "f")
    assert (done.new, done.redelivered, done.kinds) == (0, 0, ())
    assert store.labels.resolved("m", "p").num_rows == 0


def test_a_delivery_that_fails_half_way_leaves_nothing(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b"])
    with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 - its end is what fails
        store.labels.append("m", table(("a", 1, 1, 1)), "f")
        assert known(store) == {"a": 1}
        store.deliveries.note("m", DeliveryState(uri="f", fingerprint="1"), now=DAY)
        raise RuntimeError
    assert known(store) == {}
    assert store.deliveries.known("m", ["f"]) == {}
    assert store.labels.touched("m").partitions == {}


def test_two_writers_of_the_same_delivery_keep_it_once(label_store: Callable[[], Store]):
    rows = table(*((f"id{i}", i % 2, 1, 1) for i in range(2_000)))
    results, faults = [], []

    def take_in(partition: str) -> None:
        try:
            with label_store() as own:
                own.labels.register_predictions("m", partition, [f"id{i}" for i in range(1_000)])
                results.append(own.labels.append("m", rows, "f"))
        except Exception as fault:  # noqa: BLE001 - handed to the test's thread
            faults.append(fault)

    threads = [threading.Thread(target=take_in, args=(name,)) for name in ("p", "q")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(r.new for r in results) == [0, 2_000]
    assert sorted(r.redelivered for r in results) == [0, 2_000]
    with label_store() as store:
        assert store.labels.coverage("m", "p") == store.labels.coverage("m", "q") == (1_000, 1_000)
        assert store.labels.touched("m").partitions == {"p": 1_000, "q": 1_000}


def test_a_month_of_labels_is_taken_in_at_once(store: Store):
    size = 50_000
    store.labels.register_predictions("m", "p", [f"id{i}" for i in range(size)])
    rows = table(*((f"id{i}", i % 2, 1, 1) for i in range(size)))
    assert store.labels.append("m", rows, "f").new == size
    assert store.labels.append("m", rows, "f").redelivered == size
    assert store.labels.register_predictions("m", "p", [f"id{i}" for i in range(1, size)])


def test_a_missing_column_is_named_and_nothing_is_written(store: Store):
    with pytest.raises(SchemaMismatchError, match="label"):
        store.labels.append("m", table(("a", 1, 1, 1)).drop_columns("label"), "f")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_word_said_again_holds_against_one_that_comes_in_late(
    store: Store, order: tuple[int, ...]
):
    store.labels.register_predictions("m", "p", ["a"])
    arrivals: list[Row] = [("a", 0, 1, 1), ("a", 1, 1, 3), ("a", 0, 1, 5)]
    for position in order:
        store.labels.append("m", table(arrivals[position]), f"f{position}")
    assert [known(store, day)["a"] for day in (1, 3, 5)] == [0, 1, 0]
