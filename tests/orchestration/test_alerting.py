"""From an evaluation to a message: once, on every channel, and never lost."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import pytest

from dagster_monitoring.incidents import IncidentStatus
from dagster_monitoring.orchestration.running import RunFailedError
from tests.orchestration.world import World, day_of, labels, morning, new_world, rows, truth

SECRET = "s3cret-token-4711"  # noqa: S105 - looked for in every file
MONITORS = [
    {
        "type": "performance",
        "metrics": ["accuracy"],
        "window": 1,
        "minimum_labelled": 20,
    }
]


class Receiver:
    """A web server on this machine that takes messages, and can go away and come back."""

    def __init__(self) -> None:
        self.received: list[dict] = []
        self.tokens: list[str | None] = []
        with self.open() as port:
            self.port = port

    @contextmanager
    def open(self) -> Iterator[int]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(json.loads(body))
                receiver.tokens.append(self.headers["Authorization"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", getattr(self, "port", 0)), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture(scope="module")
def receiver():
    return Receiver()


@pytest.fixture(scope="module")
def judged(receiver, tmp_path_factory):
    """Four days judged; on day 3 the model is wrong."""
    alerts = [
        {"type": "console"},
        {"type": "file", "path": "alerts.jsonl"},
        {
            "type": "webhook",
            "url": f"http://127.0.0.1:{receiver.port}/hook",
            "bearer": {"env": "WEBHOOK_TOKEN"},
        },
    ]
    policy = {"keep_firing_for": 1}
    options = {"monitors": MONITORS, "alerts": alerts, "alert_policy": policy}
    with new_world(tmp_path_factory.mktemp("alerts"), **options) as found:
        for number in range(4):
            found.serve(number)
            found.label(f"l{number}", labels(rows(number), morning(number), flipped=number == 3))
        found.clock.now = morning(3)
        found.setup()
        found.range(0, 3)
        yield found


@pytest.fixture
def world(judged, receiver, tmp_path, monkeypatch):
    monkeypatch.setenv("WEBHOOK_TOKEN", SECRET)
    receiver.received.clear()
    receiver.tokens.clear()
    with judged.copy(tmp_path, on_disk=True) as found:
        yield found


def lines(world: World) -> list[dict]:
    """What the file channel was told."""
    file = world.folder / "alerts.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def alert(world: World) -> int:
    """A tick of the alert sensor and the run it asks for; how many it asked for."""
    requests = world.tick("alert_sensor").run_requests or []
    for request in requests:
        world.run("alerts", request)
    return len(requests)


def incidents(world: World):
    with world.store() as store:
        return store.incidents.list("late")


def test_an_incident_is_told_once_on_each_channel_and_so_is_its_end(world, receiver, capfd):
    with receiver.open():
        assert alert(world) == 1
        (incident,) = incidents(world)
        assert (incident.status, incident.opened_partition) == (IncidentStatus.OPEN, day_of(3))
        assert [m["transition"] for m in lines(world)] == ["OPENED"]
        assert [m["transition"] for m in receiver.received] == ["OPENED"]
        assert receiver.tokens == [f"Bearer {SECRET}"]
        shown = capfd.readouterr()
        assert incident.id in shown.out + shown.err or "late" in shown.out + shown.err

        assert alert(world) == 0
        world.job("alerts")
        assert (len(lines(world)), len(receiver.received)) == (1, 1)

        world.serve(4)
        world.label("l4", labels(rows(4), morning(4)))
        world.clock.now = morning(4)
        world.day(4)
        assert alert(world) == 1
        assert [m["transition"] for m in lines(world)] == ["OPENED", "RESOLVED"]
        assert [m["transition"] for m in receiver.received] == ["OPENED", "RESOLVED"]
        assert incidents(world)[0].resolved_partition == day_of(4)

        # Late news of a day left behind: its verdict is kept, and nobody is told.
        wrong = labels(rows(1), morning(4), values=1 - truth(rows(1)), revision=2)
        world.label("l1-corrected", wrong)
        (request,) = world.tick("ground_truth_sensor").run_requests
        world.run("labels", request)
        assert world.cell(1, "performance", "accuracy").severity == "ERROR"
        assert alert(world) == 1
        assert [(i.status, i.historical) for i in incidents(world)] == [
            (IncidentStatus.RESOLVED, True),
            (IncidentStatus.RESOLVED, False),
        ]
        assert (len(lines(world)), len(receiver.received)) == (2, 2)


def test_a_channel_that_is_down_fails_the_run_and_gets_its_message_later(world, receiver):
    with pytest.raises(RunFailedError, match=r"webhook.*127\.0\.0\.1 refused the connection"):
        alert(world)
    assert [m["transition"] for m in lines(world)] == ["OPENED"]
    failed = world.instance.get_runs(filters=dg.RunsFilter(job_name="late_alerts"), limit=1)[0]
    assert failed.status is dg.DagsterRunStatus.FAILURE
    with world.store() as store:
        (waiting,) = store.outbox.failing()
        assert (waiting.channel, waiting.attempts) == ("webhook", 1)
    assert alert(world) == 0, "not before it is due again"

    world.clock.now += timedelta(seconds=61)
    with receiver.open():
        assert alert(world) == 1
        assert [m["transition"] for m in receiver.received] == ["OPENED"]
        assert len(lines(world)) == 1
        world.clock.now += timedelta(hours=2)
        assert alert(world) == 0
    assert_kept_nowhere(SECRET, world.folder)


def assert_kept_nowhere(secret: str, folder: Path) -> None:
    """No file below a folder holds the bytes: Dagster's home, the store, profiles, messages."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.suffix for path in files}
    assert {".db", ".sqlite", ".parquet", ".jsonl"} <= names
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_a_message_says_what_where_and_what_to_do(world, receiver, monkeypatch):
    monkeypatch.setenv("DAGSTER_MONITORING_UI_URL", "http://dagster.example/")
    with receiver.open():
        alert(world)
    (message,) = receiver.received
    text = json.dumps(message)
    run = world.instance.get_runs(filters=dg.RunsFilter(job_name="late_alerts"), limit=1)[0]
    for words in ("late", "performance", "accuracy", day_of(3), "b-", f"/runs/{run.run_id}"):
        assert words in text


def test_days_of_long_ago_are_recorded_and_nobody_is_told(world, receiver):
    world.clock.now = morning(40)
    with receiver.open():
        alert(world)
    assert [i.historical for i in incidents(world)] == [True]
    assert (lines(world), receiver.received) == ([], [])


def test_a_run_that_crashed_is_asked_for_again_and_one_that_runs_is_not(world):
    def key() -> str | None:
        (request,) = world.tick("alert_sensor").run_requests
        return request.run_key

    world.clock.now = morning(3)  # ten minutes begin
    first = key()
    world.clock.now += timedelta(minutes=9)
    assert key() == first
    world.clock.now += timedelta(minutes=1)
    assert key() != first


def test_news_of_another_model_in_the_same_store_asks_for_no_run(world, receiver):
    with receiver.open():
        assert alert(world) == 1
    with world.store() as store:
        news = [replace(e, model="other") for e in world.evaluations()]
        store.evaluations.record(news)
        store.outbox.enqueue(
            model="other",
            incident_id="i",
            transition="OPENED",
            channel="file",
            dedup_key="k",
            payload="{}",
            now=world.clock(),
        )
    assert alert(world) == 0


def test_a_channel_that_was_taken_away_fails_no_run_and_its_message_shows(world):
    with pytest.raises(RunFailedError):
        alert(world)  # the webhook is down
    world.clock.now += timedelta(seconds=61)
    kept = [{"type": "file", "path": "alerts.jsonl"}]
    without = world.declare(**world.changes | {"alerts": kept})
    (request,) = without.tick("alert_sensor").run_requests
    run = without.run("alerts", request)
    assert run.success
    logged = [e.user_message for e in world.instance.all_logs(run.run_id)]
    (said,) = [line for line in logged if "is no longer declared" in line]
    with world.store() as store:
        (entry,) = store.outbox.failing()
    assert (entry.channel, entry.undeliverable) == ("webhook", True)
    assert entry.last_error == said
    world.clock.now += timedelta(days=30)
    assert without.tick("alert_sensor").run_requests in (None, [])
    assert [m["transition"] for m in lines(world)] == ["OPENED"]
