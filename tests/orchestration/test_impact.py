"""Impact, from slices in files to checks in Dagster, before labels and after."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.incidents import Cause
from dagster_monitoring.monitors import _estimate
from dagster_monitoring.orchestration.impact_told import impact_of
from dagster_monitoring.orchestration.replay import replay_verdicts
from dagster_monitoring.statistics.impact import error_change
from tests.orchestration.world import day_of, labels, morning, new_world, rows, truth, write

N = 1000
LAST = 1
IDLE, HARM = 1, 2
SHARE = "error_rate_change_share"
MONITORS = [
    {"type": "impact", "window": 1},
    {"type": "impact_error", "window": 1},
    {"type": "drift", "window": 1, "impact": True},
]


def near_nothing(table):
    """Temperatures close to 0, about which the model knows little."""
    temp = table["temp"].to_numpy() * 0.1
    score = 1 / (1 + np.exp(-(2 * temp + table["size"].to_numpy())))
    changed = {"temp": temp, "late_proba": score, "late_pred": (score > 0.5).astype(np.int64)}
    for name, values in changed.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    alerts = [{"type": "file", "path": "alerts.jsonl"}]
    with new_world(tmp_path_factory.mktemp("impact"), monitors=MONITORS, alerts=alerts) as made:
        slices = [rows(0, N), near_nothing(rows(1, N))]
        for number, table in enumerate(slices):
            made.serve(number, table)
        made.label("first", labels(slices[0], datetime(2024, 5, 3, tzinfo=UTC)))
        made.clock.now = datetime(2024, 5, 3, 7, tzinfo=UTC)
        made.setup()
        made.range(0, LAST)
        yield made


def test_the_harm_is_told_before_a_label_is_there(world):
    calm, harm = (world.cell(number, "impact", "error_rate_change") for number in (0, LAST))
    assert calm.status is Status.HEALTHY
    assert (harm.status, harm.severity) == (Status.TRIGGERED, Severity.ERROR)
    assert harm.value > 0.05
    assert world.cell(LAST, "impact", "error_rate_change_share", "temp").value > 0.02
    drift = world.cell(LAST, "drift", "psi", "temp")
    assert (drift.status, drift.severity) == (Status.TRIGGERED, Severity.ERROR)


@pytest.fixture(scope="module")
def paging(tmp_path_factory):
    """Days of training and of service; then a column drifts that is idle, then one that harms."""
    monitors = [
        {"type": "impact", "window": 1},
        {"type": "drift", "window": 1, "impact": True, "columns": ["temp", "idle"]},
    ]
    roles = {"id": "id", "timestamp": "at", "numeric": ["temp", "size", "idle"],
             "categorical": ["city", "kind"]}  # fmt: skip
    options = {
        "monitors": monitors,
        "columns": roles,
        "ground_truth": None,
        "alerts": [{"type": "file", "path": "alerts.jsonl"}],
        "alert_policy": {"keep_firing_for": 1},
    }
    with new_world(tmp_path_factory.mktemp("paging"), **options) as made:
        training = [with_idle(rows(number - 30, 300, prefix="b"), 0.0) for number in range(10)]
        labelled = [t.append_column("late", pa.array(truth(t))) for t in training]
        write(pa.concat_tables(labelled), made.folder / "baseline.parquet")
        made.serve(0, with_idle(rows(0, N), 0.0))
        made.serve(IDLE, with_idle(rows(IDLE, N), 2.0))
        made.serve(HARM, with_idle(near_nothing(rows(HARM, N)), 0.0))
        made.setup()
        made.range(0, IDLE)
        yield made


def with_idle(table, shift):
    idle = np.random.default_rng(len(table)).normal(shift, 1.0, len(table))
    return table.append_column("idle", pa.array(idle))


def told(world):
    world.clock.now = morning(HARM)
    world.job("alerts")
    file = world.folder / "alerts.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_drift_that_harms_nobody_is_recorded_and_drift_that_harms_pages(paging):
    drift = paging.cell(IDLE, "drift", "psi", "idle")
    assert (drift.status, drift.severity) == (Status.TRIGGERED, Severity.WARN)
    assert "its share of the model's change of error is 0" in drift.reason
    assert abs(paging.cell(IDLE, "impact", "error_rate_change").value) < 0.02
    assert told(paging) == []
    with paging.store() as store:
        assert store.incidents.list("late") == []

    paging.day(HARM)
    harm = paging.cell(HARM, "drift", "psi", "temp")
    assert (harm.status, harm.severity) == (Status.TRIGGERED, Severity.ERROR)
    (page,) = told(paging)
    assert (page["transition"], page["severity"], page["cause"]) == ("OPENED", "ERROR", "model")
    with paging.store() as store:
        (incident,) = store.incidents.list("late")
    assert incident.monitors == ("drift", "impact")
    assert incident.opened_partition == day_of(HARM)


def test_a_baseline_read_back_gives_the_same_verdicts_alone(world):
    before = [(e.key, e.value, e.severity) for e in world.of_day(LAST)]
    world.day(LAST)
    assert [(e.key, e.value, e.severity) for e in world.of_day(LAST)] == before
    assert world.checks("drift", "impact")[0].evaluation.passed is False


def test_all_monitors_of_a_partition_share_one_estimate(world, monkeypatch):
    made = []
    monkeypatch.setattr(
        _estimate, "error_change", lambda *rows: made.append(rows) or error_change(*rows)
    )
    with world.backend() as backend:
        verdicts = replay_verdicts(
            backend, world.model.active_monitors, first=day_of(0), last=day_of(0),
            now=world.clock(),
        )  # fmt: skip
    assert {verdict.kind for verdict in verdicts} == {"impact", "impact_error", "drift"}
    assert len(made) == 1


def test_labels_stand_beside_the_estimate_once_they_are_there(world):
    name = "error_rate_change_estimated_less_realized"
    found = world.cell(0, "impact_error", name)
    assert found.status is Status.HEALTHY
    assert found.n_labelled == N
    beside = [world.cell(0, "impact_error", f"error_rate_change_{w}").value
              for w in ("estimated", "realized")]  # fmt: skip
    assert found.value == pytest.approx(beside[0] - beside[1])
    waiting = world.cell(LAST, "impact_error", name)
    assert waiting.status is Status.NO_DATA


def test_a_message_tells_the_estimate_its_columns_and_later_the_truth(world, tmp_path):
    with world.copy(tmp_path) as mine:
        mine.job("alerts")
        (line,) = (mine.folder / "alerts.jsonl").read_text().splitlines()
        told = json.loads(line)["impact"]
        estimate = mine.cell(LAST, "impact", "error_rate_change")
        assert told["estimate"] == estimate.value
        assert told["standard_error"] == estimate.standard_error
        assert told["partition"] == day_of(LAST)
        shares = dict(told["columns"])
        assert shares["temp"] == mine.cell(LAST, "impact", SHARE, "temp").value
        assert all(share >= estimate.value / 10 for share in shares.values())
        assert "<rest>" not in shares
        assert told["realized"] is None

        mine.label("second", labels(near_nothing(rows(LAST, N)), datetime(2024, 5, 4, tzinfo=UTC)))
        mine.clock.now += timedelta(days=1)
        mine.day(LAST)
        with mine.backend() as backend:
            (incident,) = backend.store.incidents.open_ones("late")
            found = impact_of(backend, incident)
            of_labels = replace(incident, cause=Cause.LABELS)
            assert impact_of(backend, of_labels) is None, "no input moved"
        realized = mine.cell(LAST, "impact_error", "error_rate_change_realized")
        assert found.realized.value == realized.value
        assert found.realized.estimate == pytest.approx(estimate.value)
        assert found.realized.n_labelled == N
        with mine.declare(monitors=MONITORS[2:]).backend() as backend:
            assert impact_of(backend, incident) is None, "no monitor estimates"


def test_a_monitor_declared_later_asks_for_a_new_baseline(tmp_path):
    with new_world(tmp_path, monitors=[{"type": "drift", "window": 1}]) as plain:
        for number in (0, 1):
            plain.serve(number, rows(number, N))
        plain.setup()
        plain.day(0)
        later = plain.declare(monitors=MONITORS[:1])
        later.day(0)
        found = later.cell(0, "impact", "error_rate_change")
        assert found.status is Status.NO_DATA
        assert "_setup" in found.reason
        later.job("setup")
        later.day(1)
        assert later.cell(1, "impact", "error_rate_change").value is not None
