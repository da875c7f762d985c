"""What is done about an incident is told where it was told, once, and its end says what helped."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.orchestration.running import RunFailedError
from dagster_monitoring.orchestration.updates import tell_rollback
from tests.alerts.conftest import Receiver, serving
from tests.orchestration.world import World, day_of, labels, morning, new_world, rows

TURNED, LAST = 3, 6
FIELDS = {
    "monitors": [
        {
            "type": "performance",
            "metrics": ["accuracy"],
            "minimum_labelled": 20,
            "window": 1,
            "keep_firing_for": 1,
        }
    ],
    "alerts": [
        {"type": "file", "path": "quiet.jsonl"},
        {"type": "teams", "url": {"env": "TEAMS"}},
    ],
    "retraining": {
        "trainer": "tests.orchestration.trainers:good",
        "train_days": 2,
        "holdout_days": 2,
        "minimum_rows": 200,
    },
}


@pytest.fixture(scope="module")
def teams():
    with serving() as receiver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEAMS", f"{receiver.url}/hook")
        yield receiver


@pytest.fixture(scope="module")
def judged(teams: Receiver, tmp_path_factory):
    """The relation turns on day 3; both channels were told."""
    with new_world(tmp_path_factory.mktemp("updates"), **FIELDS) as found:
        assert teams.url
        for number in range(LAST + 1):
            found.serve(number)
            late = labels(rows(number), morning(number), flipped=number >= TURNED)
            found.label(f"l{number}", late)
        found.clock.now = morning(LAST)
        found.setup()
        found.range(0, LAST)
        found.job("alerts")
        yield found


@pytest.fixture
def world(judged, teams: Receiver, tmp_path):
    teams.requests.clear()
    with judged.copy(tmp_path) as found:
        yield found


def quiet(world: World) -> list[dict]:
    return [json.loads(line) for line in (world.folder / "quiet.jsonl").read_text().splitlines()]


def titles(world: World) -> list[str]:
    return [message["title"] for message in quiet(world)[1:]]


def loud(teams: Receiver) -> list[str]:
    """The cards' titles."""
    cards = [json.loads(r.body)["attachments"][0]["content"] for r in teams.requests]
    return [card["body"][0]["inlines"][0]["text"] for card in cards]


def ask(world: World):
    (request,) = world.tick("retraining_sensor").run_requests
    return request


def with_trainer(world: World, name: str) -> World:
    retraining = {**FIELDS["retraining"], "trainer": f"tests.orchestration.trainers:{name}"}
    return world.declare(**{**world.changes, "retraining": retraining})


def serve_champion(world: World, number: int) -> None:
    """The day's rows, scored by who serves now; the relation stays turned."""
    with world.backend() as backend:
        serving_ = backend.registry.load(backend.registry.champion().version)
    table = rows(number)
    features = table.select(["temp", "size", "city", "kind"]).to_pandas()
    score = serving_.predict_proba(features)[:, 1]
    table = table.drop(["late_proba", "late_pred"]).append_column("late_proba", pa.array(score))
    world.serve(number, table.append_column("late_pred", pa.array((score > 0.5).astype(np.int64))))
    world.label(f"l{number}", labels(rows(number), morning(number), flipped=True))
    world.clock.now = morning(number)
    world.day(number)


def test_a_retraining_from_its_request_to_the_end_that_it_brought(world: World, teams):
    request = ask(world)
    ask(world)
    world.job("alerts")
    assert titles(world) == ["late: retraining asked for"]
    assert loud(teams) == [], "what comes of it is worth a message, that it begins is not"

    world.run("retraining", request)
    for _ in range(2):
        world.job("alerts")
    promoted = "late: v1 passed the gate and is promoted"
    assert titles(world) == ["late: retraining asked for", promoted]
    assert loud(teams) == [promoted]
    assert "with 95% confidence" in quiet(world)[-1]["summary"]
    assert quiet(world)[-1]["rows"] == []

    # Within its limits on the first day already, but not for sure yet.
    for number in (LAST + 1, LAST + 2):
        serve_champion(world, number)
        world.job("alerts")
    over = quiet(world)[-1]
    assert over["transition"] == "RESOLVED"
    assert f"v1, promoted for it, is the model since {day_of(LAST + 1)}" in over["summary"]
    assert [step["what"] for step in over["steps"]] == ["v1 passed the gate and is promoted"]
    assert len(loud(teams)) == 2


def test_a_refusal_is_told_and_what_ends_later_was_not_its_doing(world: World, teams):
    world = with_trainer(world, "stubborn")
    world.run("retraining", ask(world))
    world.serve(LAST + 1)
    world.label("well", labels(rows(LAST + 1), morning(LAST + 1)))
    world.clock.now = morning(LAST + 1)
    world.day(LAST + 1)
    world.job("alerts")
    assert titles(world) == [
        "late: retraining asked for",
        "late: the gate refused v1",
        "Resolved: late is healthy again",
    ]
    assert loud(teams) == titles(world)[1:]
    assert "promoted for it" not in quiet(world)[-1]["summary"]


def test_a_failure_is_an_incident_and_an_update_only_where_it_rings_no_bell(world: World, teams):
    world = with_trainer(world, "broken")
    with pytest.raises(RunFailedError):
        world.run("retraining", ask(world))
    world.job("alerts")
    assert sorted(titles(world)) == [
        "ERROR: late needs attention",
        "late: retraining asked for",
        "late: retraining failed",
    ]
    assert loud(teams) == ["ERROR: late needs attention"]
    (opened,) = [one for one in quiet(world)[1:] if one["transition"] == "OPENED"]
    assert opened["cause"] == "retraining"
    assert "ZeroDivisionError" in opened["details"][0]


def test_a_run_that_was_lost_is_told(world: World):
    ask(world)
    world.clock.now += timedelta(days=8)
    ask(world)
    world.job("alerts")
    assert titles(world)[:2] == ["late: retraining asked for", "late: retraining failed"]


def test_a_rollback_is_told(world: World, teams):
    with world.backend() as backend:
        tell_rollback(backend, "late", by="ada", text="v2 to v1: slow", now=world.clock())
    world.job("alerts")
    assert titles(world) == ["late: rolled back by ada"]
    assert loud(teams) == ["late: rolled back by ada"]
    assert quiet(world)[-1]["summary"] == "v2 to v1: slow"


def test_where_an_incident_was_not_told_its_updates_are_not(judged, tmp_path):
    with judged.copy(tmp_path) as world:
        more = {"type": "file", "name": "new", "path": "new.jsonl"}
        later = world.declare(**{**world.changes, "alerts": [*FIELDS["alerts"], more]})
        later.run("retraining", ask(later))
        later.job("alerts")
        assert len(titles(later)) == 2
        assert not (later.folder / "new.jsonl").exists()
