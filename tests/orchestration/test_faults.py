"""Trouble that no monitor tells of is an incident too, and is over when it is gone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from dagster_monitoring.incidents import Cause, IncidentStatus
from dagster_monitoring.orchestration.running import RunFailedError
from tests.orchestration.world import World, day_of, labels, morning, new_world, rows

MONITORS = [{"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20}]


@pytest.fixture
def world(tmp_path):
    alerts = [{"type": "file", "path": "alerts.jsonl"}]
    with new_world(tmp_path, monitors=MONITORS, alerts=alerts) as made:
        made.serve(0)
        made.setup()
        made.clock.now = morning(0)
        made.range(0, 0)
        yield made


def told(world: World) -> list[dict]:
    file = world.folder / "alerts.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def alert(world: World) -> int:
    """A tick of the alert sensor and the runs it asks for."""
    requests = world.tick("alert_sensor").run_requests or []
    for request in requests:
        world.run("alerts", request)
    return len(requests)


def test_a_poisoned_label_file_is_set_aside_with_an_incident_and_the_others_go_on(world: World):
    bad = world.folder / "labels" / "a-poisoned.parquet"
    bad.parent.mkdir(exist_ok=True)
    bad.write_bytes(b"PAR1 this is no Parquet file")
    world.label("b-good", labels(rows(0), world.clock.now))
    log: list[str] = []
    world.tick("ground_truth_sensor", None, log)
    assert any("a-poisoned.parquet" in line for line in log)
    with world.store() as store:
        assert store.labels.coverage("late", day_of(0)).n_labelled == len(rows(0))
        (aside,) = store.deliveries.set_aside("late")
        assert aside.uri.endswith("a-poisoned.parquet")

    assert alert(world) == 1
    (message,) = told(world)
    assert (message["transition"], message["cause"]) == ("OPENED", "labels")
    assert "a-poisoned.parquet" in message["details"][0]
    assert alert(world) == 0, "told once"

    bad.unlink()
    world.label("a-poisoned", labels(rows(0), world.clock.now))
    world.clock.now += timedelta(hours=1)
    world.tick("ground_truth_sensor")
    assert alert(world) == 1
    assert [m["transition"] for m in told(world)] == ["OPENED", "RESOLVED"]
    with world.store() as store:
        (incident,) = store.incidents.list("late")
    assert (incident.status, incident.cause) == (IncidentStatus.RESOLVED, Cause.LABELS)


def test_a_poisoned_file_of_a_shared_feed_that_is_removed_is_over(tmp_path):
    feed = {"type": "parquet", "path": "labels/*.parquet", "feed": "outcomes"}
    alerts = [{"type": "file", "path": "alerts.jsonl"}]
    with new_world(tmp_path, monitors=MONITORS, alerts=alerts, ground_truth=feed) as made:
        made.setup()
        bad = made.folder / "labels" / "poisoned.parquet"
        bad.parent.mkdir(exist_ok=True)
        bad.write_bytes(b"no Parquet")
        made.tick("ground_truth_sensor")
        assert alert(made) == 1
        bad.unlink()
        made.tick("ground_truth_sensor")
        assert alert(made) == 0, "not everything was looked at yet"
        made.clock.now += timedelta(hours=1)
        made.tick("ground_truth_sensor")
        assert alert(made) == 1
        assert [m["transition"] for m in told(made)] == ["OPENED", "RESOLVED"]


def test_a_dead_channel_is_an_incident_on_the_others(tmp_path):
    alerts = [
        {"type": "webhook", "url": "http://127.0.0.1:9/hook"},
        {"type": "file", "path": "alerts.jsonl"},
    ]
    with new_world(tmp_path, monitors=MONITORS, alerts=alerts) as made:
        made.serve(0)
        made.label("l0", labels(rows(0), morning(0), flipped=True))
        made.setup()
        made.clock.now = morning(0) + timedelta(days=1)
        made.range(0, 0)
        for _ in range(5):
            with pytest.raises(RunFailedError, match="webhook"):
                made.job("alerts")
            made.clock.now += timedelta(minutes=20)
        causes = [(m["transition"], m["cause"]) for m in told(made)]
        assert causes == [("OPENED", "model"), ("OPENED", "alerting")]
        assert "channel webhook takes no message" in told(made)[1]["details"][0]
        with made.store() as store:
            asked = {(e.channel, e.incident_id) for e in store.outbox.failing()}
            incidents = {i.cause: i.id for i in store.incidents.list("late")}
        assert ("webhook", incidents[Cause.ALERTING]) not in asked
