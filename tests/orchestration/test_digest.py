"""One message a day, whom single messages go to, and what waits for the end of a downtime."""

import json
from datetime import timedelta

import dagster as dg
import pytest

from dagster_monitoring.incidents import snooze
from dagster_monitoring.orchestration.incidents import act_by_hand
from dagster_monitoring.stores import Note
from tests.orchestration.world import World, day_of, labels, morning, new_world, rows

MONITORS = [
    {"type": "performance", "metrics": ["accuracy"], "window": 1, "minimum_labelled": 20},
    {
        "type": "drift",
        "metrics": ["psi"],
        "columns": ["temp", "size"],
        "window": 1,
        "threshold": {"type": "absolute", "warn": {"upper": 0.0}, "widen": False},
    },
]


def channel(name: str, **options: object) -> dict[str, object]:
    return {"type": "file", "name": name, "path": f"{name}.jsonl", **options}


ALERTS = [
    channel("all"),
    channel("data", when={"causes": ["pipeline", "data"]}),
    channel("night", when={"hours": {"hours": "18:00-05:00"}}),
    channel("boss", escalation=True),
    channel("daily", digest="daily", when={"severities": ["WARN"]}),
]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Three days judged; on day 2 the model is wrong."""
    policy = {"keep_firing_for": 1, "escalate_after_hours": 4}
    options = {"monitors": MONITORS, "alerts": ALERTS, "alert_policy": policy}
    with new_world(tmp_path_factory.mktemp("digest"), **options) as found:
        for number in range(3):
            found.serve(number)
            found.label(f"l{number}", labels(rows(number), morning(number), flipped=number == 2))
        found.clock.now = morning(2)
        found.setup()
        found.range(0, 2)
        yield found


@pytest.fixture
def world(judged, tmp_path):
    with judged.copy(tmp_path) as found:
        yield found


def told(world: World, name: str) -> list[dict]:
    file = world.folder / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def transitions(world: World, name: str) -> list[str]:
    return [message["transition"] for message in told(world, name)]


def alert(world: World) -> int:
    requests = world.tick("alert_sensor").run_requests or []
    for request in requests:
        world.run("alerts", request)
    return len(requests)


def test_each_channel_gets_its_own(world: World):
    assert alert(world) == 1  # six in the morning
    assert {name: transitions(world, name) for name in ("all", "data", "night", "boss")} == {
        "all": ["OPENED"], "data": [], "night": [], "boss": [],
    }  # fmt: skip
    world.clock.now += timedelta(hours=5)
    assert alert(world) == 1
    assert transitions(world, "all") == ["OPENED", "ESCALATED"]
    assert transitions(world, "boss") == ["ESCALATED"]

    world.serve(3)
    world.label("l3", labels(rows(3), morning(3)))
    world.clock.now = morning(3)
    world.day(3)
    assert alert(world) == 1
    assert transitions(world, "all") == ["OPENED", "ESCALATED", "RESOLVED"]
    assert transitions(world, "boss") == ["ESCALATED", "RESOLVED"]
    assert (transitions(world, "data"), transitions(world, "night")) == ([], [])
    assert "1 slice" in told(world, "all")[-1]["summary"]
    assert "closed 1 d after it was opened" in told(world, "all")[-1]["summary"]


def test_a_digest_comes_once_a_day_with_what_is_open_and_what_warned(world: World):
    alert(world)
    (first,) = told(world, "daily")
    assert first["transition"] == "DIGEST"
    assert first["dedup_key"] == f"digest:late:daily:{day_of(2)}T08:00"
    assert first["title"] == "late: 1 open incident, 6 warnings"
    (opened,) = first["digest"]["open"]
    assert (opened["severity"], opened["is_new"], opened["owner"]) == ("ERROR", True, None)
    assert first["digest"]["n_open"] == {"ERROR": 1, "WARN": 0}
    (warned,) = first["digest"]["warned"]
    assert (warned["monitor"], warned["count"]) == ("drift", 6)
    assert set(warned["columns"]) == {"temp", "size"}
    assert first["summary"].endswith("1 opened, 0 closed. Open: 1 ERROR.")
    world.job("alerts")
    assert len(told(world, "daily")) == 1, "not again on the same day"

    world.clock.now = morning(2).replace(hour=7, minute=59)
    assert alert(world) == 0
    world.clock.now += timedelta(minutes=1)
    assert alert(world) == 1
    second = told(world, "daily")[1]
    assert second["title"] == "late: 1 open incident, 0 warnings"
    assert [one["is_new"] for one in second["digest"]["open"]] == [False]
    assert second["digest"]["warned"] == []


def test_messages_wait_for_the_end_of_a_downtime(world: World):
    policy = {"downtime": [{"hours": "05:00-07:00"}]}
    quiet = world.declare(**world.changes | {"alert_policy": policy})
    alert(quiet)
    assert transitions(quiet, "all") == []
    assert alert(quiet) == 0
    quiet.clock.now += timedelta(hours=1)
    assert alert(quiet) == 1
    assert transitions(quiet, "all") == ["OPENED"]


def sleep(world: World, **span: int) -> None:
    with world.backend() as backend:
        (incident,) = backend.store.incidents.open_ones("late")
        now = world.clock()
        asleep = snooze(incident, until=now + timedelta(**span), now=now)
        note = Note(at=now, author="ada", action="snooze", text="")
        act_by_hand(backend, asleep, note, transition=None)


def judge(world: World, number: int, *, flipped: bool) -> None:
    world.serve(number)
    world.label(f"l{number}", labels(rows(number), morning(number), flipped=flipped))
    world.clock.now = morning(number)
    world.day(number)


def test_one_that_sleeps_is_not_escalated_and_its_end_is_told(world: World):
    alert(world)
    sleep(world, days=3)
    world.clock.now += timedelta(hours=9)
    alert(world)
    judge(world, 3, flipped=False)
    alert(world)
    assert transitions(world, "all") == ["OPENED", "RESOLVED"]
    world.clock.now += timedelta(days=3)
    alert(world)
    assert transitions(world, "all") == ["OPENED", "RESOLVED"]


def test_one_that_is_still_there_after_its_sleep_is_told_once(world: World):
    calm = world.declare(**world.changes | {"alert_policy": {"keep_firing_for": 1}})
    alert(calm)
    sleep(calm, hours=3)
    calm.clock.now += timedelta(hours=2)
    alert(calm)
    assert transitions(calm, "all") == ["OPENED"]
    calm.clock.now += timedelta(hours=1)
    assert alert(calm) == 1, "the sensor sees that the sleep is over"
    assert transitions(calm, "all") == ["OPENED", "REMINDED"]
    for _ in range(2):
        calm.clock.now += timedelta(hours=3)
        calm.job("alerts")
    assert transitions(calm, "all") == ["OPENED", "REMINDED"]


def test_what_opened_again_in_its_sleep_is_told_when_that_is_over(world: World):
    calm = world.declare(**world.changes | {"alert_policy": {"keep_firing_for": 1}})
    alert(calm)
    sleep(calm, days=2, hours=1)
    judge(calm, 3, flipped=False)
    alert(calm)
    assert transitions(calm, "all") == ["OPENED", "RESOLVED"]
    with calm.backend() as backend:
        (over,) = backend.store.incidents.list("late")
    # The day that had closed it turns out as bad as the one before, and so is the next.
    calm.label("l3-corrected", labels(rows(3), morning(3), flipped=True, revision=2))
    (request,) = calm.tick("ground_truth_sensor").run_requests
    calm.run("labels", request)
    judge(calm, 4, flipped=True)
    calm.job("alerts")
    assert transitions(calm, "all") == ["OPENED", "RESOLVED"]
    with calm.store() as store:
        assert store.incidents.get(over.id).is_open
    calm.clock.now = morning(4) + timedelta(hours=1)
    for _ in range(2):
        calm.job("alerts")
    assert transitions(calm, "all") == ["OPENED", "RESOLVED", "REOPENED"]


def test_one_that_nobody_answered_in_its_sleep_is_escalated_after_it(world: World):
    alert(world)
    sleep(world, hours=9)
    world.clock.now += timedelta(hours=9)
    for _ in range(2):
        world.job("alerts")
    assert transitions(world, "all") == ["OPENED", "ESCALATED"]
    assert transitions(world, "boss") == ["ESCALATED"]


def test_dagster_shows_the_open_incidents_as_an_asset(world: World):
    alert(world)
    event = world.instance.get_latest_materialization_event(dg.AssetKey(["late", "incidents"]))
    metadata = event.asset_materialization.metadata
    assert metadata["open"].value == 1
    (record,) = metadata["incidents"].records
    assert record.data["monitors"] == "performance"
    assert record.data["since"] == day_of(2)
