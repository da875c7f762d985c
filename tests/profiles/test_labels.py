"""Labels found by the ids of predictions, in whatever form both come."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.profiles.labels import (
    LabelIndex,
    class_names,
    class_text,
    is_class,
    read_values,
)

IDS = ["a", "b", "c", "d"]


def labels(ids=IDS, **more):
    return pa.table({"prediction_id": ids, "label": np.arange(len(ids)), **more})


def found(index, ids):
    """The label of each id, None where it has none."""
    places = index.find(ids)
    assert set(places[places < 0].tolist()) <= {-1}
    return [None if at < 0 else index.label[at].as_py() for at in places.tolist()]


FORMS = {
    "text": lambda ids: pa.array(ids, pa.string()),
    "large text": lambda ids: pa.array(ids, pa.large_string()),
    "dictionary": lambda ids: pa.array(ids, pa.string()).dictionary_encode(),
}


@pytest.mark.parametrize("asked", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("kept", FORMS.values(), ids=FORMS)
def test_ids_are_found_in_every_form(kept, asked):
    index = LabelIndex(labels(kept(IDS)))
    assert found(index, asked(["d", "x", None, "a", "a"])) == [3, None, None, 0, 0]
    assert found(index, asked(["b", "c"])) == [1, 2]
    assert found(index, asked([None, None])) == [None, None]
    assert found(index, asked([])) == []
    assert found(LabelIndex(labels(kept([]))), asked(["a"])) == [None]


def test_whole_numbers_are_ids():
    assert found(LabelIndex(labels([7, 8])), pa.array([8, 9, 7])) == [1, None, 0]


@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_labels_of_any_number_of_pieces_are_one_table(form, pieces):
    parts = [labels(form([f"{i}a", f"{i}b"])) for i in range(pieces)]
    index = LabelIndex(pa.concat_tables(parts))
    ids = [f"{i}{letter}" for i in range(pieces) for letter in "ab"]
    assert found(index, pa.array(ids)) == [0, 1] * pieces


def test_rows_without_an_id_or_a_label_are_no_labels():
    table = pa.table({"prediction_id": ["a", None, "c"], "label": [None, 1, 2]})
    assert found(LabelIndex(table), pa.array(["a", "c"])) == [None, 2]


@pytest.mark.parametrize("name", ["prediction_id", "label"])
def test_a_missing_column_is_named_with_those_there_are(name):
    (other,) = {"prediction_id", "label"} - {name}
    with pytest.raises(SchemaMismatchError, match=rf"no column '{name}': it has \['{other}'\]"):
        LabelIndex(labels().drop_columns([name]))


def test_it_is_known_when_labels_of_some_rows_arrived():
    moments = [datetime(2024, 1, day, tzinfo=UTC) for day in (3, 1, 2)]
    index = LabelIndex(labels(available_at=pa.array([*moments, None])))
    found = index.available(np.array([2, -1, 0, 3]))
    assert found.type == pa.timestamp("us", tz="UTC")
    assert found.to_pylist() == [moments[2], None, moments[0], None]
    assert len(index.available(np.array([], dtype=int))) == 0
    finer = pa.array([1_999, 0, 0, 0], pa.timestamp("ns", tz="UTC"))
    found = LabelIndex(labels(available_at=finer)).available(np.array([0]))
    assert found.cast(pa.int64()).to_pylist() == [1]
    assert LabelIndex(labels()).available(np.array([0])) is None
    assert LabelIndex(labels(available_at=pa.nulls(4))).available(np.array([0])) is None


@pytest.mark.parametrize(
    ("values", "classes", "places"),
    [
        (pa.array(["b", "a", None, "b"]), ["a", "b"], [1, 0, -1, 1]),
        (pa.array([1.0, 2.5, None]), ["1", "2.5"], [0, 1, -1]),
        (pa.array(["1.0", "1", "01"]), ["01", "1"], [1, 1, 0]),
        (pa.array([[1], [2]]), [], [-1, -1]),
        (pa.array([], pa.string()), [], []),
        (
            pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array([None, "x"])),
            ["x"],
            [-1, 0, -1],
        ),
    ],
)
def test_classes_are_text_in_order_and_rows_point_at_them(values, classes, places):
    names, rows = class_names(values)
    assert (names, rows.tolist()) == (classes, places)


def test_text_is_kept_as_it_is_when_asked_for():
    names, rows = class_names(pa.array(["1.0", "1"]), whole=False)
    assert (names, rows.tolist()) == (["1", "1.0"], [1, 0])


@pytest.mark.parametrize(
    ("given", "text"),
    [("1.0", "1"), ("-2.00", "-2"), ("1.5", "1.5"), ("a.0", "a.0"), ("1.0.0", "1.0.0"), ("", "")],
)
def test_only_whole_numbers_lose_their_decimals(given, text):
    assert class_text(given) == text


@pytest.mark.parametrize(
    ("name", "declared", "same"),
    [
        ("1", 1, True),
        ("true", 1, True),
        ("TRUE", True, True),
        ("0", 1, False),
        ("0", 0, True),
        ("False", 0, True),
        ("1", False, False),
        ("true", "true", True),
        ("yes", "yes", True),
        ("Yes", "yes", False),
        ("2", 2, True),
        ("2", "2.0", True),
    ],
)
def test_a_declared_class_is_known_again(name, declared, same):
    assert is_class(name, declared) is same


def test_numbers_are_read_from_numbers_and_from_text():
    assert read_values(pa.array([1, 2])).tolist() == [1.0, 2.0]
    given = pa.array(["1.5", "x", None, "-2", "1.5", "inf"])
    expected = [1.5, np.nan, np.nan, -2.0, 1.5, np.inf]
    assert np.array_equal(read_values(given), expected, equal_nan=True)
    assert np.isnan(read_values(pa.array([[1], [2]]))).all()
