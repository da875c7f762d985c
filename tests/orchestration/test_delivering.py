"""Messages through a receiver that fails in the middle: nothing lost, nothing doubled, in order."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from dagster_monitoring import MonitoredModel
from dagster_monitoring.alerts import compose
from dagster_monitoring.incidents import Transition
from dagster_monitoring.orchestration.alerting import announce
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.telling import message_about
from tests.alerts.conftest import NOW, Receiver, evaluation, incident, serving

LIFE = (
    Transition.OPENED,
    Transition.ESCALATED,
    Transition.ACKNOWLEDGED,
    Transition.REMINDED,
    Transition.RESOLVED,
)
TRANSIENT = {"http": (503, {}, b""), "busy": (429, {"Retry-After": "90"}, b"")}


@pytest.fixture
def receivers() -> Iterator[tuple[Receiver, Receiver]]:
    with serving() as first, serving() as second:
        yield first, second


def model_with(receivers: tuple[Receiver, Receiver], folder: Path, **policy: object):
    alerts = [
        {"type": "webhook", "name": name, "url": one.url, "timeout_seconds": 0.4}
        for name, one in zip(("first", "second"), receivers, strict=True)
    ]
    return MonitoredModel.read(
        {
            "model": "flight_delay",
            "task": {"type": "regression", "label": "y", "prediction": "p"},
            "columns": {"id": "id", "timestamp": "at", "numeric": ["temp"], "categorical": ["c"]},
            "partitions": {"start": "2013-04-01"},
            "baseline": {"type": "parquet", "path": "b.parquet"},
            "predictions": {"type": "parquet", "path": "{partition}.parquet"},
            "monitors": [{"type": "drift", "name": "feature_drift"}],
            "storage": {"path": str(folder)},
            "alerts": alerts,
            "alert_policy": policy,
        }
    )


@contextmanager
def queued(
    receivers: tuple[Receiver, Receiver], folder: Path, *, ids: tuple[str, ...] = ("inc-a",)
) -> Iterator[Backend]:
    """A backend whose outbox holds the life of each incident, for both channels."""
    with open_backend(model_with(receivers, folder)) as backend:
        for transition in LIFE:
            message = compose(incident(evaluation()), transition, run_url=None)
            for one in ids:
                for channel in ("first", "second"):
                    backend.store.outbox.enqueue(
                        model="flight_delay",
                        incident_id=one,
                        transition=transition,
                        channel=channel,
                        dedup_key=f"{one}:{transition}:{channel}",
                        payload=message.to_json(),
                        now=NOW,
                    )
        yield backend


def told(receiver: Receiver) -> list[str]:
    return [json.loads(r.body)["transition"] for r in receiver.requests]


def failing_at(receiver: Receiver, number: int, answer: tuple[int, dict[str, str], bytes]) -> None:
    """The request of a number fails, once; those that were taken are listed."""
    seen: list[int] = []

    def answered(_: object) -> tuple[int, dict[str, str], bytes]:
        seen.append(1)
        return answer if len(seen) == number else (200, {}, b"")

    receiver.answer = answered


@pytest.mark.parametrize("kind", list(TRANSIENT))
@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_failure_in_the_middle_loses_and_doubles_nothing(receivers, tmp_path, kind, number):
    first, second = receivers
    failing_at(first, number, TRANSIENT[kind])
    with queued(receivers, tmp_path) as backend:
        done = announce(backend, now=NOW, run_url=None)
        assert (done.sent, len(done.failed)) == (number - 1 + 5, 1)
        assert told(second) == list(LIFE), "the other channel is told all the same"
        again = announce(backend, now=NOW + timedelta(seconds=91), run_url=None)
        assert (again.sent, again.failed) == (5 - (number - 1), ())
        assert told(first) == [*LIFE[:number], *LIFE[number - 1 :]]
        assert announce(backend, now=NOW + timedelta(days=2), run_url=None).sent == 0


@pytest.mark.parametrize("as_date", [False, True])
def test_a_receiver_that_asks_to_be_left_alone_is(receivers, tmp_path, as_date):
    first, second = receivers
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1800), usegmt=True)
    failing_at(first, 1, (429, {"Retry-After": soon if as_date else "1800"}, b""))
    with queued(receivers, tmp_path, ids=("inc-a", "inc-b")) as backend:
        announce(backend, now=NOW, run_url=None)
        assert len(first.requests) == 1, "no other incident's message either"
        assert len(second.requests) == 10
        announce(backend, now=NOW + timedelta(seconds=1700), run_url=None)
        assert len(first.requests) == 1
        announce(backend, now=NOW + timedelta(seconds=1801), run_url=None)
        assert len(first.requests) == 11
        assert [t for t in told(first)[1:] if t == "OPENED"] == ["OPENED"] * 2


def test_a_receiver_that_hangs_is_asked_once_a_run_and_holds_up_nobody(receivers, tmp_path):
    first, second = receivers

    def late(_: object) -> tuple[int, dict[str, str], bytes]:
        first.stop_waiting.wait(5)
        return 200, {}, b""

    first.answer = late
    with queued(receivers, tmp_path, ids=("inc-a", "inc-b", "inc-c")) as backend:
        done = announce(backend, now=NOW, run_url=None)
        assert (done.sent, len(done.failed)) == (15, 1)
        assert "no answer from 127.0.0.1 within 0.4 s" in done.failed[0]
        assert (len(first.requests), len(second.requests)) == (1, 15)


def test_two_runs_at_once_send_each_message_once(receivers, tmp_path):
    first, second = receivers
    with queued(receivers, tmp_path) as backend:

        def other_run(_: object) -> tuple[int, dict[str, str], bytes]:
            first.answer = lambda _: (200, {}, b"")
            with open_backend(backend.model) as another:
                announce(another, now=NOW, run_url=None)
            return 200, {}, b""

        first.answer = other_run
        announce(backend, now=NOW, run_url=None)
    assert told(first) == list(LIFE)
    assert told(second) == list(LIFE)


def test_a_message_tells_how_long_what_came_before_and_where_to_look(
    receivers, tmp_path, monkeypatch
):
    monkeypatch.setenv("DAGSTER_MONITORING_UI_URL", "https://dagster.example/")
    days = [f"2013-06-{day:02}" for day in range(5, 14)]
    history = [
        evaluation(partition=day, value=0.01 * i, segment="surname=Ann")
        for i, day in enumerate(days)
        if day != "2013-06-09"
    ]
    others = [evaluation(partition=day, value=0.9, segment="surname=Bo") for day in days]
    with open_backend(model_with(receivers, tmp_path)) as backend:
        backend.store.evaluations.record([*history, *others])
        about = incident(history[-1])
        found = message_about(backend, about, Transition.OPENED, run_url=None)
    assert found.n_slices == 3
    assert "since 2013-06-11, 3 slices" in found.summary
    assert found.asset_url == "https://dagster.example/assets/flight_delay/drift?view=checks"
    assert found.plot is not None
    assert found.plot.partitions == tuple(days)
    assert found.plot.values == (0.0, 0.01, 0.02, 0.03, None, 0.05, 0.06, 0.07, 0.08)
    assert found.plot.upper == 0.2
    assert found.plot.title == "psi temp [surname=…]"
    assert "Ann" not in found.to_json()


def test_the_policy_lets_values_of_a_column_be_told(receivers, tmp_path):
    one = evaluation(segment="surname=Ann")
    declared = model_with(receivers, tmp_path, show_values_of=["surname"])
    with open_backend(declared) as backend:
        found = message_about(backend, incident(one), Transition.OPENED, run_url=None)
    assert found.rows[0].segment == "surname=Ann"
    assert found.plot is None, "one value is no plot"
