from __future__ import annotations

import typing

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import dagster_monitoring.monitors as room
from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import (
    default_monitors,
    evaluate,
    monitor_types,
    overall,
    past_partitions,
)
from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
from dagster_monitoring.monitors.quality import quality_metrics
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Regression,
)

COLUMNS = Columns(id="id", timestamp="at", numeric=("x",))
TASKS = [
    BinaryClassification(label="y", prediction="p", score="s"),
    MulticlassClassification(label="y", prediction="p"),
    Regression(label="y", prediction="p"),
]


def declarations(kind, seen):
    """A declaration and all that its fields can hold."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind not in seen:
            seen.add(kind)
            for field in kind.model_fields.values():
                declarations(field.annotation, seen)
    else:
        for argument in typing.get_args(kind):
            declarations(argument, seen)
    return seen


@pytest.mark.parametrize("name", monitor_types())
def test_every_field_of_every_monitor_says_what_it_is(name):
    for declaration in declarations(monitor_types()[name], set()):
        for field, info in declaration.model_fields.items():
            assert field == "type" or info.description, f"{declaration.__name__}.{field}"


def test_each_file_of_the_room_is_found_by_its_type():
    assert set(monitor_types()) == {
        "data_quality",
        "drift",
        "great_expectations",
        "early_labels",
        "label_coverage",
        "label_freshness",
        "impact",
        "impact_error",
        "multivariate_drift",
        "performance",
    }


def test_yaml_chooses_the_monitor_by_its_type_and_names_the_known_ones():
    read = TypeAdapter(room.AnyMonitor).validate_python
    drift = read({"type": "drift", "baseline": {"rolling": 28}, "segments": True})
    assert drift == DriftMonitor(baseline=Rolling(rolling=28), segments=True)
    with pytest.raises(ValidationError, match="'data_quality', 'drift'"):
        read({"type": "drifts"})


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ({"type": "drift"}, "drift"),
        ({"type": "drift", "columns": "predictions"}, "prediction_drift"),
        ({"type": "drift", "baseline": {"rolling": 14}}, "drift_rolling_14"),
        ({"type": "great_expectations", "path": "a/my-suite.json"}, "great_expectations_my_suite"),
        ({"type": "performance", "name": "weekly"}, "weekly"),
    ],
)
def test_a_monitor_without_a_name_is_called_by_what_it_does(declared, name):
    assert TypeAdapter(room.AnyMonitor).validate_python(declared).name == name


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.type)
def test_defaults_have_their_own_names_and_features_never_say_more_than_warn(task):
    monitors = default_monitors(task, COLUMNS)
    names = [monitor.name for monitor in monitors]
    assert len(set(names)) == len(names)
    assert {m.asset for m in monitors} == {"drift", "data_quality", "performance"}
    features = [m for m in monitors if isinstance(m, DriftMonitor) and m.columns == "features"]
    assert {m.severity for m in features} == {Severity.WARN}


def test_without_ground_truth_or_features_nothing_is_watched_that_is_not_there():
    no_features = Columns(id="id", timestamp="at")
    monitors = default_monitors(TASKS[0], no_features, labels=False)
    assert [m.name for m in monitors] == ["data_quality", "prediction_drift"]


def test_defaults_are_calm_on_a_calm_model(world):
    """Days of one population: no default monitor says ERROR, and few say WARN."""
    warned = 0
    days = world.days[28:]
    for monitor in default_monitors(world.task, world.columns):
        for day in days:
            view = world.at(day)
            past = [monitor.measure(view.at(key)) for key in past_partitions(monitor, view)]
            verdict = overall(evaluate(monitor, view, past, run_id=None, now=view.now))
            assert verdict.severity is not Severity.ERROR, (monitor.name, day, verdict)
            assert verdict.status is not Status.NO_DATA, (monitor.name, day, verdict)
            warned += verdict.severity is Severity.WARN
    assert warned <= 0.03 * len(days) * 6


def test_quality_metrics_have_limits_and_titles():
    for name, metric in quality_metrics().items():
        assert metric.name == name
        assert metric.title
        assert metric.worse in ("upper", "both")
