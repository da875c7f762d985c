"""What every channel does when its receiver does not answer as it should."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dagster_monitoring.alerts import (
    Channel,
    ChannelError,
    channel_types,
)
from dagster_monitoring.errors import DeclarationError, DeliveryError
from tests.alerts.benches import SECRET, Bench, message


@pytest.fixture(params=[n for n, kind in channel_types().items() if kind.remote and n != "email"])
def over_http(request: pytest.FixtureRequest, bench_of: Callable[[str], Bench]) -> Bench:
    """Those that speak HTTP; mail has tests of its own."""
    return bench_of(request.param)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections, because nobody listens on it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


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
    def test_too_many_requests_says_how_long_to_wait(self, over_http, receiver, header, seconds):
        receiver.answer = lambda _: (429, {"Retry-After": header}, b'{"error": "ratelimited"}')
        expected = seconds if over_http.explains else None
        assert self.failure(over_http.channel).retry_after_seconds == expected
        assert len(receiver.requests) == 1, "the outbox tries again, not the channel"

    def test_how_long_to_wait_may_be_a_date(self, over_http, receiver):
        soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
        receiver.answer = lambda _: (429, {"Retry-After": soon}, b"")
        wait = self.failure(over_http.channel).retry_after_seconds
        assert wait is None or 60 < wait <= 90
        assert (wait is not None) == over_http.explains

    def test_logs_hold_no_secret_at_any_level(self, over_http, receiver, caplog):
        receiver.answer = lambda _: (500, {}, b"")
        with caplog.at_level(logging.DEBUG):
            self.failure(over_http.channel)
        assert SECRET not in caplog.text

    @pytest.mark.parametrize("body", [b"", b"<html>boom</html>", b'{"ok": false}', b"\xff\xfe"])
    @pytest.mark.parametrize("status", [400, 404, 500, 503])
    def test_a_failing_receiver_is_an_error(self, over_http, receiver, status, body):
        receiver.answer = lambda _: (status, {}, body)
        self.failure(over_http.channel)
        assert len(receiver.requests) == 1

    def test_no_answer_in_time_is_an_error_soon(self, over_http, receiver):
        def late(_: object) -> tuple[int, dict[str, str], bytes]:
            receiver.stop_waiting.wait(10)
            return 200, {}, b'{"ok": true}'

        receiver.answer = late
        impatient = over_http.channel.model_copy(update={"timeout_seconds": 1})
        started = time.monotonic()
        said = "no answer from 127.0.0.1 within 1 s" if over_http.explains else "no answer in time"
        assert said in str(self.failure(impatient))
        assert time.monotonic() - started < 3

    def test_a_refused_connection_is_an_error(self, over_http, closed_port, monkeypatch):
        address = f"127.0.0.1:{closed_port}"
        monkeypatch.setenv("HOOK", f"http://{address}/{SECRET}")
        monkeypatch.setenv("APPRISE", f"json://{address}/{SECRET}")
        fields = type(over_http.channel).model_fields
        there = {"base_url": f"http://{address}/api/"} if "base_url" in fields else {}
        away = over_http.channel.model_copy(update=there)
        said = "127.0.0.1 refused the connection" if over_http.explains else "no connection"
        assert said in str(self.failure(away))

    def test_a_secret_that_is_not_set_names_its_variable(self, over_http, monkeypatch):
        for name in over_http.secrets:
            monkeypatch.delenv(name)
        with pytest.raises(DeclarationError, match=rf"variable {over_http.secrets[0]} is not set"):
            over_http.channel.send(message())
