"""Labelled rows from several origins, and what models say of them."""

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.training_rows import DAY, LABEL, Rows, is_scored, with_outputs
from dagster_monitoring.retraining import Predictions
from tests.orchestration.world import fields_of

BINARY = {"type": "binary_classification", "label": "y", "prediction": "said", "score": "score"}
MULTICLASS = {
    "type": "multiclass_classification",
    "label": "y",
    "prediction": "said",
    "scores": {"a": "p_a", "b": "p_b", "c": "p_c"},
}


def model_of(task: dict[str, object]) -> MonitoredModel:
    return MonitoredModel.read(fields_of("m", task=task, monitors=[{"type": "data_quality"}]))


def rows_of(label: pa.Array, **columns: pa.Array) -> Rows:
    days = pa.array(["2024-05-01"] * len(label))
    return Rows(table=pa.table({**columns, LABEL: label, DAY: days}))


def test_a_class_that_a_challenger_never_saw_has_probability_0_in_its_baseline():
    rows = rows_of(
        pa.array(["a", "b"]),
        said=pa.array(["a", "c"]),
        p_a=pa.array([0.6, 0.2]),
        p_b=pa.array([0.3, 0.2]),
        p_c=pa.array([0.1, 0.6]),
    )
    said = Predictions(
        outputs=np.array(["a", "b"]),
        probabilities=np.array([[0.9, 0.1], [0.2, 0.8]]),
        classes=("a", "b"),
    )
    table = with_outputs(model_of(MULTICLASS), rows, said, version="v2")
    assert table["p_b"].to_pylist() == [0.1, 0.8]
    assert table["p_c"].to_pylist() == [0.0, 0.0]

    rows = rows_of(pa.array([0, 1]), said=pa.array([0, 1]), score=pa.array([0.2, 0.8]))
    said = Predictions(
        outputs=np.array([0, 0]), probabilities=np.array([[1.0], [1.0]]), classes=("0",)
    )
    table = with_outputs(model_of(BINARY), rows, said, version="v2")
    assert table["score"].to_pylist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        ([pa.array([True, False]), pa.array([1, 0])], [1, 0, 1, 0]),
        ([pa.array([1, 0]), pa.array([True, None])], [1, 0, 1, None]),
        ([pa.array([True, False]), pa.array([1.0, 0.5])], [1, 0, 1, 0.5]),
        ([pa.array([True, False]), pa.array(["1", "0"])], ["1", "0", "1", "0"]),
        ([pa.array([1.0, 2.0]), pa.array(["b"]), pa.array([3])], ["1", "2", "b", "3"]),
        ([pa.array(["b"]), pa.array(["c"], pa.large_string())], ["b", "c"]),
        ([pa.array([True]), pa.array([None], pa.null()), pa.array([False])], [True, None, False]),
    ],
)
def test_labels_of_several_types_are_joined_as_one(parts, joined):
    found = Rows.concatenate([rows_of(part, said=part) for part in parts]).table
    assert found[LABEL].to_pylist() == joined
    assert found["said"].to_pylist() == joined


def test_a_row_is_scored_when_prediction_and_score_are_there():
    said, score = pa.array([1, None, 1, 1]), pa.array([0.9, 0.9, None, float("nan")])
    rows = rows_of(pa.array([1, 1, 1, 1]), said=said, score=score)
    assert is_scored(model_of(BINARY), rows).tolist() == [True, False, False, False]
    empty = Rows(table=rows.table.slice(0, 0))
    assert is_scored(model_of(BINARY), empty).tolist() == []
