"""Every channel keeps the same contract; each one's own test bench says how to reach it."""

from __future__ import annotations

import socket
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_monitoring.alerts import AlertMessage, Channel, ChannelError, channel_types, compose
from dagster_monitoring.alerts.console import ConsoleChannel
from dagster_monitoring.alerts.file import FileChannel
from dagster_monitoring.alerts.slack import SlackChannel
from dagster_monitoring.alerts.webhook import WebhookChannel
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.errors import DeclarationError, DeliveryError
from dagster_monitoring.incidents import Transition
from tests.alerts.conftest import TRANSITIONS, Receiver, evaluation, incident
from tests.alerts.slack_stub import SlackStub, posted_text

SECRET = "xoxb-hush-hush"  # noqa: S105 - nobody's
HOSTILE = [
    "<script>alert('x')</script>",
    "<!channel> <@U012> <https://evil.example|click>",
    "one\nline\r\nand \x1b[31manother\x07",
    "`code` *bold* _it_ ~gone~ &amp; [red]markup[/red]",
    "\u202egnp.exe \u2028 'quote' \"double\" \\",
    "漢字🚀" * 5_000,
    "&" * 100_000,
]


@dataclass(frozen=True)
class Bench:
    """A channel that works, and what its receiver was handed."""

    channel: Channel
    received: Callable[[], list[str]]


@pytest.fixture
def benches(
    receiver: Receiver,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Bench]:
    monkeypatch.setenv("SLACK_TOKEN", SECRET)
    monkeypatch.setenv("HOOK", f"{receiver.url}/hooks/{SECRET}")
    bodies: Callable[[], list[str]] = lambda: [r.body.decode() for r in receiver.requests]  # noqa: E731
    path = tmp_path / "new" / "alerts.jsonl"
    return {
        "console": Bench(ConsoleChannel(), lambda: _panels(capsys.readouterr().out)),
        "file": Bench(FileChannel(path=str(path)), lambda: path.read_text().splitlines()),
        "slack": Bench(slack(receiver), lambda: [posted_text(r) for r in receiver.requests]),
        "webhook": Bench(WebhookChannel(url=EnvironmentVariable(env="HOOK")), bodies),
    }


@pytest.fixture(params=list(channel_types()))
def bench(request: pytest.FixtureRequest, benches: dict[str, Bench], receiver: Receiver) -> Bench:
    if request.param == "slack":
        receiver.answer = SlackStub(token=SECRET)
    return benches[request.param]


@pytest.fixture(params=[name for name, kind in channel_types().items() if kind.remote])
def remote(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Channel:
    return benches[request.param].channel


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections, because nobody listens on it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def slack(receiver: Receiver, **changes: object) -> SlackChannel:
    fields = {
        "channel": "#ml-alerts",
        "token": {"env": "SLACK_TOKEN"},
        "base_url": f"{receiver.url}/api/",
        **changes,
    }
    return SlackChannel.model_validate(fields)


def message(*, column: str = "temp", transition: Transition = Transition.OPENED) -> AlertMessage:
    worst = [
        evaluation(column=column, segment=f"carrier={column}", value=0.31 + i) for i in range(3)
    ]
    about = incident(*worst, resolved="2013-06-14" if transition is Transition.RESOLVED else None)
    return compose(about, transition, run_url="https://dagster.example/runs/4f1c?a=1&b=<x>")


def _panels(output: str) -> list[str]:
    return [f"╭{part}" for part in output.split("╭")[1:]]


def test_every_channel_has_a_bench(benches):
    """A new channel's file comes with a bench here; the contract below then runs on it."""
    assert set(benches) == set(channel_types())


class TestContract:
    @pytest.mark.parametrize("transition", TRANSITIONS)
    def test_the_message_arrives_with_what_a_person_needs(self, bench, transition):
        bench.channel.send(message(transition=transition))
        [received] = bench.received()
        said = message(transition=transition)
        for needed in ("flight_delay", "feature_drift", "temp", "b-20130331-1a2b3c4d", "m-1",
                       "https://dagster.example/runs/4f1c", "dagster-monitoring history",
                       said.title, said.partition, said.incident_id):  # fmt: skip
            assert needed in received
        assert "0.31" in received
        assert "0.2" in received

    @pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
    def test_hostile_values_are_taken_as_text(self, bench, text):
        bench.channel.send(message(column=text))
        [received] = bench.received()
        assert not any(character in received for character in "\x1b\x07\u202e\u2028")
        assert len(received) < 20_000, "cut, whatever its length"

    def test_two_messages_arrive_as_two(self, bench):
        bench.channel.send(message())
        bench.channel.send(message(transition=Transition.RESOLVED))
        assert len(bench.received()) == 2

    def test_the_declaration_holds_no_secret(self, bench):
        assert SECRET not in repr(bench.channel)
        assert SECRET not in bench.channel.model_dump_json()

    def test_its_name_is_its_type_unless_given(self, bench):
        assert bench.channel.name == bench.channel.type
        fields = {**bench.channel.model_dump(exclude_none=True), "name": "night shift"}
        assert type(bench.channel).model_validate(fields).name == "night shift"


class TestRemoteContract:
    """What a channel does when its receiver does not answer as it should."""

    def failure(self, channel: Channel) -> ChannelError:
        with pytest.raises(DeliveryError) as caught:
            channel.send(message())
        assert isinstance(caught.value, ChannelError)
        text = str(caught.value)
        assert text.startswith(f"alert channel '{channel.name}': ")
        assert text.count(". ") >= 1, "problem, then next step"
        logged = "".join(traceback.format_exception(caught.value))
        assert SECRET not in logged, "nor in what a log shows of its causes"
        return caught.value

    @pytest.mark.parametrize(
        ("header", "seconds"), [("30", 30.0), ("0", 0.0), ("soon", None), ("86400", 3600.0)]
    )
    def test_too_many_requests_says_how_long_to_wait(self, remote, receiver, header, seconds):
        receiver.answer = lambda _: (429, {"Retry-After": header}, b'{"error": "ratelimited"}')
        assert self.failure(remote).retry_after_seconds == seconds
        assert len(receiver.requests) == 1, "the outbox tries again, not the channel"

    @pytest.mark.parametrize("body", [b"", b"<html>boom</html>", b'{"ok": false}', b"\xff\xfe"])
    @pytest.mark.parametrize("status", [400, 404, 500, 503])
    def test_a_failing_receiver_is_an_error(self, remote, receiver, status, body):
        receiver.answer = lambda _: (status, {}, body)
        self.failure(remote)
        assert len(receiver.requests) == 1

    def test_no_answer_in_time_is_an_error_soon(self, remote, receiver):
        def late(_: object) -> tuple[int, dict[str, str], bytes]:
            receiver.stop_waiting.wait(10)
            return 200, {}, b'{"ok": true}'

        receiver.answer = late
        impatient = remote.model_copy(update={"timeout_seconds": 1})
        started = time.monotonic()
        assert "no answer from 127.0.0.1 within 1 s" in str(self.failure(impatient))
        assert time.monotonic() - started < 3

    def test_a_refused_connection_is_an_error(self, remote, closed_port, monkeypatch):
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{closed_port}/{SECRET}")
        there = {"base_url": f"http://127.0.0.1:{closed_port}/api/"}
        away = remote.model_copy(update=there if isinstance(remote, SlackChannel) else {})
        assert "127.0.0.1 refused the connection" in str(self.failure(away))

    def test_a_secret_that_is_not_set_names_its_variable(self, remote, monkeypatch):
        monkeypatch.delenv("HOOK")
        monkeypatch.delenv("SLACK_TOKEN")
        with pytest.raises(DeclarationError, match=r"variable (HOOK|SLACK_TOKEN) is not set"):
            remote.send(message())
