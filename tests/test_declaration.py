"""Declarations: frozen, closed, and explained in plain words."""

import pytest
from pydantic import ValidationError

from dagster_monitoring.declaration import Declaration, EnvironmentVariable, explain
from dagster_monitoring.errors import DeclarationError, UnknownNameError, did_you_mean
from dagster_monitoring.schema import Columns, Task


class Example(Declaration):
    task: Task
    columns: Columns


COLUMNS = {"id": "id", "timestamp": "at"}
TASK = {"type": "regression", "label": "y", "prediction": "p"}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {"task": {**TASK, "predicton": "p"}, "columns": COLUMNS},
            "task.regression: unknown field 'predicton'. Did you mean 'prediction'?",
        ),
        (
            {"task": TASK, "columns": {**COLUMNS, "numerc": []}},
            "columns: unknown field 'numerc'. Did you mean 'numeric'?",
        ),
        ({"task": TASK, "columns": {"id": "id"}}, "columns.timestamp: Field required"),
        (
            {"task": TASK, "columns": {**COLUMNS, "numeric": ["id"]}},
            "columns: columns in more than one role: id",
        ),
    ],
)
def test_a_fault_names_its_path_and_the_nearest_field(attributes, expected):
    with pytest.raises(ValidationError) as caught:
        Example.model_validate(attributes)
    assert explain(caught.value).startswith(expected)


def test_a_declaration_cannot_change():
    columns = Columns(**COLUMNS)
    with pytest.raises(ValidationError):
        columns.id = "other"


def test_a_wrong_value_is_not_repeated_in_the_error():
    with pytest.raises(ValidationError) as caught:
        EnvironmentVariable(env="", value="s3cret")
    assert "s3cret" not in explain(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_secret_is_read_when_it_is_used(monkeypatch):
    secret = EnvironmentVariable(env="EXAMPLE_SECRET")
    monkeypatch.delenv("EXAMPLE_SECRET", raising=False)
    with pytest.raises(DeclarationError, match="EXAMPLE_SECRET is not set"):
        secret.read()
    monkeypatch.setenv("EXAMPLE_SECRET", "xyz")
    assert secret.read() == "xyz"
    assert "xyz" not in repr(secret)


def test_an_unknown_name_lists_what_there_is():
    message = str(UnknownNameError("drift metric", "psy", ["psi", "hellinger"]))
    assert "Did you mean 'psi'?" in message
    assert "hellinger, psi" in message
    assert did_you_mean("nothing like it", ["psi"]) == ""


def test_a_fault_is_where_it_was_written():
    from dagster_monitoring.model import MonitoredModel

    declared = {
        "model": "m",
        "task": {"type": "regression", "label": "y"},
        "columns": {"id": "id", "timestamp": "at"},
        "partitions": {"start": "2024-01-01"},
        "baseline": {"type": "parquet", "path": ""},
        "predictions": {"type": "parquet", "path": "x", "pth": "y"},
        "monitors": [
            "default",
            {"type": "drift", "window": 0, "threshold": {"type": "learned", "slices": 1}},
        ],
    }
    with pytest.raises(DeclarationError) as raised:
        MonitoredModel.read(declared, where="attributes.")
    assert [line.partition(": ")[0] for line in str(raised.value).splitlines()] == [
        "attributes.task.prediction",
        "attributes.baseline.path",
        "attributes.predictions",
        "attributes.monitors[1].window",
        "attributes.monitors[1].threshold.slices",
    ]
