"""Labels and ids of any type come back as they were, and missing ones are none."""

from __future__ import annotations

import pyarrow as pa
import pytest

from dagster_monitoring.stores import Store
from tests.stores.labels.labelled import known, table


def test_whole_numbers_are_one_label_as_integer_or_float(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b"])
    store.labels.append("m", table(("a", 1, 1, 1)), "f1")
    done = store.labels.append("m", table(("a", 1.0, 1, 2), ("b", 0.0, 1, 2)), "f2")
    assert (done.redelivered, done.new, done.type_changed) == (1, 1, False)
    assert store.labels.resolved("m", "p")["label"].type == pa.int64()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 0], pa.int64()),
        ([2**62, -(2**62)], pa.int64()),
        ([-4.0, 0.1], pa.float64()),
        ([1e300, 5e-324], pa.float64()),
        ([True, False], pa.bool_()),
        (["yes", "1"], pa.string()),
    ],
)
def test_labels_keep_type_and_value(store: Store, values: list[object], expected: pa.DataType):
    store.labels.register_predictions("m", "p", ["a", "b"])
    store.labels.append("m", table(("a", values[0], 1, 1), ("b", values[1], 1, 1)), "f")
    found = store.labels.resolved("m", "p")["label"]
    assert found.to_pylist() == values
    assert found.type == expected


def test_a_label_type_that_changes_is_said_and_nothing_is_lost(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b"])
    store.labels.register_predictions("m", "q", ["c"])
    store.labels.append("m", table(("a", 1, 1, 1)), "f1")
    done = store.labels.append("m", table(("b", "0", 1, 1), ("c", "late", 1, 1)), "f2")
    assert done.type_changed
    assert (done.kinds_before, done.kinds) == (("numbers",), ("text",))
    assert known(store) == {"a": 1, "b": 0}
    assert known(store, partition="q") == {"c": "late"}
    store.labels.register_predictions("m", "all", ["a", "c"])
    assert known(store, partition="all") == {"a": "1", "c": "late"}


def test_a_missing_label_is_no_label_and_takes_back_an_earlier_one(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b", "c"])
    done = store.labels.append(
        "m", table(("a", 1.0, 1, 1), ("b", None, 1, 1), ("c", float("nan"), 1, 1)), "f1"
    )
    assert (done.new, done.empty) == (1, 2)
    assert known(store) == {"a": 1}
    store.labels.append("m", table(("b", 0.0, 1, 2), ("a", None, 2, 3)), "f2")
    assert known(store, 2) == {"a": 1, "b": 0}
    assert known(store) == {"b": 0}
    assert store.labels.coverage("m", "p") == (3, 1)


def test_an_infinite_label_is_no_label(store: Store):
    store.labels.register_predictions("m", "p", ["a", "b"])
    store.labels.append("m", table(("a", float("inf"), 1, 1), ("b", 2.5, 1, 1)), "f")
    assert known(store) == {"b": 2.5}


def test_hostile_ids_and_labels_are_joined_and_come_back(store: Store):
    hostile = ["'; DROP TABLE monitoring_labels; --", "a\x00b", "<b>\n%s :x", "é漢\U0001f600", ""]
    store.labels.register_predictions("m", "p", hostile)
    store.labels.append("m", table(*((name, name + "!", 1, 1) for name in hostile)), "f\x00")
    assert known(store) == {name: name + "!" for name in hostile}
    assert store.labels.unknown("m") == 0


def test_whole_number_ids_are_joined_as_text(store: Store):
    store.labels.register_predictions("m", "p", pa.array([1, 2]))
    store.labels.append("m", table(("1", 1, 1, 1)), "f")
    assert known(store) == {"1": 1}
