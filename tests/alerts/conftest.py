"""Real receivers on this machine, and incidents to tell them about."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents import Cause, Incident, IncidentStatus, Member, Transition

if TYPE_CHECKING:
    from tests.alerts.benches import Bench
    from tests.alerts.mail_server import MailServer

NOW = datetime(2013, 6, 14, 6, tzinfo=UTC)


@dataclass
class Request:
    """What a receiver was sent."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server on loopback that remembers requests and answers as told.

    ``answer`` gets each request and gives status, headers and body. ``stop_waiting`` ends the
    answers that are meant to come too late.
    """

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request], tuple[int, dict[str, str], bytes]] = lambda _: (200, {}, b"ok")
    stop_waiting: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(path=self.path, headers=headers, body=body)
            receiver.requests.append(request)
            status, extra, content = receiver.answer(request)
            self.send_response(status)
            for name, value in {**extra, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST  # noqa: N815 - GET is where a followed redirect would arrive

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that gave up is what the time-out test is about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield receiver
        finally:
            receiver.stop_waiting.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as one:
        yield one


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of the mail server, with its key."""
    from tests.alerts.mail_server import make_certificate

    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def mail(certificate: tuple[Path, Path]) -> Iterator[MailServer]:
    from tests.alerts.mail_server import serving_mail

    with serving_mail(*certificate) as server:
        yield server


@pytest.fixture
def bench_of(
    receiver: Receiver,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Callable[[str], Bench]:
    """Gives the bench of a channel's type."""
    from tests.alerts.benches import build_benches

    found = build_benches(
        receiver,
        folder=tmp_path,
        printed=lambda: capsys.readouterr().out,
        monkeypatch=monkeypatch,
        mail=lambda: request.getfixturevalue("mail"),
    )
    return lambda name: found[name]()


def evaluation(  # noqa: PLR0913 - a builder: each test names what it is about
    monitor: str = "feature_drift",
    *,
    kind: str = "drift",
    metric: str = "psi",
    column: str | None = "temp",
    segment: str | None = None,
    partition: str = "2013-06-13",
    value: float | None = 0.31,
    lower: float | None = None,
    upper: float | None = 0.2,
    status: Status = Status.TRIGGERED,
    severity: Severity | None = Severity.ERROR,
    reason: str | None = None,
    model: str = "flight_delay",
    n_labelled: int | None = None,
    evaluated_at: datetime = NOW,
    standard_error: float | None = None,
) -> Evaluation:
    end = datetime.fromisoformat(partition).replace(tzinfo=UTC) + timedelta(days=1)
    return Evaluation(
        model=model,
        monitor=monitor,
        monitor_kind=kind,
        metric=metric,
        column=column,
        segment=segment,
        baseline_kind="training",
        baseline_version="b-20130331-1a2b3c4d",
        partition=partition,
        window_start=end - timedelta(days=3),
        window_end=end,
        value=value,
        lower=lower,
        upper=upper,
        status=status,
        severity=severity,
        reason=reason,
        n=2900,
        n_labelled=n_labelled,
        model_version="m-1",
        evaluated_at=evaluated_at,
        run_id="4f1c",
        standard_error=standard_error,
    )


def incident(
    *worst: Evaluation,
    severity: Severity = Severity.ERROR,
    resolved: str | None = None,
    model: str = "flight_delay",
) -> Incident:
    return Incident(
        id="inc-0123456789ab",
        model=model,
        cause=Cause.MODEL,
        status=IncidentStatus.RESOLVED if resolved else IncidentStatus.OPEN,
        severity=severity,
        opened_partition="2013-06-11",
        last_partition="2013-06-13",
        resolved_partition=resolved,
        members=tuple(
            Member(
                monitor=name,
                kind=next((e.monitor_kind for e in worst if e.monitor == name), "drift"),
                severity=severity,
                first="2013-06-11",
                last="2013-06-13",
            )
            for name in sorted({e.monitor for e in worst}) or ["feature_drift"]
        ),
        worst=worst,
        historical=False,
        opened_at=NOW - timedelta(days=2),
        updated_at=NOW,
    )


TRANSITIONS = tuple(Transition)
