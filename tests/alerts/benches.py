"""Each channel with a receiver on this machine that checks what it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from dagster_monitoring.alerts import (
    AlertMessage,
    AlertPlot,
    Channel,
    compose,
)
from dagster_monitoring.alerts.apprise import AppriseChannel
from dagster_monitoring.alerts.console import ConsoleChannel
from dagster_monitoring.alerts.email import EmailChannel
from dagster_monitoring.alerts.file import FileChannel
from dagster_monitoring.alerts.jira_service_management import JiraServiceManagementChannel
from dagster_monitoring.alerts.opsgenie import OpsgenieChannel
from dagster_monitoring.alerts.pagerduty import PagerDutyChannel
from dagster_monitoring.alerts.slack import SlackChannel
from dagster_monitoring.alerts.slack_webhook import SlackWebhookChannel
from dagster_monitoring.alerts.teams import TeamsChannel
from dagster_monitoring.alerts.webhook import WebhookChannel
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.incidents import Transition
from tests.alerts.conftest import Receiver, Request, evaluation, incident
from tests.alerts.mail_server import MailServer
from tests.alerts.receivers import (
    Answer,
    OpsgenieStub,
    PagerDutyStub,
    SlackWebhookStub,
    TeamsStub,
    all_text,
)
from tests.alerts.slack_stub import SlackStub, posted_text

SECRET = "xoxb-hush-hush"  # noqa: S105 - nobody's


@dataclass(frozen=True)
class Bench:
    """A channel that works, and what its receiver was handed.

    ``answer`` is how the receiver answers when all is well; ``secrets`` names the environment
    variables. ``explains``: the channel says why it failed, and how long to wait.
    """

    channel: Channel
    received: Callable[[], list[str]]
    answer: Callable[[Request], Answer] | None = None
    secrets: tuple[str, ...] = ()
    explains: bool = True


def build_benches(
    receiver: Receiver,
    *,
    folder: Path,
    printed: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    mail: Callable[[], MailServer],
) -> dict[str, Callable[[], Bench]]:
    """How to set up the bench of each channel, by its type."""
    base = f"{receiver.url}/api/"
    for name in ("SLACK_TOKEN", "KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("HOOK", f"{receiver.url}/hooks/{SECRET}")
    monkeypatch.setenv("APPRISE", f"{receiver.url.replace('http', 'json')}/hooks/{SECRET}")
    path = folder / "new" / "alerts.jsonl"
    hook, key = EnvironmentVariable(env="HOOK"), EnvironmentVariable(env="KEY")

    def texts() -> list[str]:
        return [all_text(json.loads(r.body)) for r in receiver.requests]

    def lines() -> list[str]:
        return path.read_text().splitlines()

    def bodies() -> list[str]:
        return [r.body.decode() for r in receiver.requests]

    def email_bench() -> Bench:
        server = mail()
        return Bench(email(server, monkeypatch), lambda: [parts(m) for m in server.mails])

    stubs = {
        "opsgenie": OpsgenieStub(SECRET, "/api/v2/alerts"),
        "jira": OpsgenieStub(SECRET, "/api/v2/alerts", has_priority=False),
    }
    channels: dict[str, Callable[[], Bench]] = {
        "console": lambda: Bench(ConsoleChannel(), lambda: _panels(printed())),
        "file": lambda: Bench(FileChannel(path=str(path)), lines),
        "slack": lambda: Bench(
            slack(receiver),
            lambda: [posted_text(r) for r in receiver.requests],
            SlackStub(token=SECRET),
            ("SLACK_TOKEN",),
        ),
        "slack_webhook": lambda: Bench(
            SlackWebhookChannel(url=hook), texts, SlackWebhookStub(f"/hooks/{SECRET}"), ("HOOK",)
        ),
        "webhook": lambda: Bench(WebhookChannel(url=hook), bodies, None, ("HOOK",)),
        "teams": lambda: Bench(TeamsChannel(url=hook), texts, TeamsStub(), ("HOOK",)),
        "pagerduty": lambda: Bench(
            PagerDutyChannel(routing_key=key, base_url=receiver.url + "/"),
            texts,
            PagerDutyStub(SECRET),
            ("KEY",),
        ),
        "opsgenie": lambda: Bench(
            OpsgenieChannel(api_key=key, base_url=base), texts, stubs["opsgenie"], ("KEY",)
        ),
        "jira_service_management": lambda: Bench(
            JiraServiceManagementChannel(api_key=key, base_url=base), texts, stubs["jira"], ("KEY",)
        ),
        "apprise": lambda: Bench(
            AppriseChannel(url=EnvironmentVariable(env="APPRISE")), texts, None, ("APPRISE",),
            explains=False,
        ),
        "email": email_bench,
    }  # fmt: skip
    return channels


def slack(receiver: Receiver, **changes: object) -> SlackChannel:
    fields = {
        "channel": "#ml-alerts",
        "token": {"env": "SLACK_TOKEN"},
        "base_url": f"{receiver.url}/api/",
        **changes,
    }
    return SlackChannel.model_validate(fields)


def message(
    *,
    column: str = "temp",
    transition: Transition = Transition.OPENED,
    shown: tuple[str, ...] = ("carrier",),
) -> AlertMessage:
    worst = [
        evaluation(column=column, segment=f"carrier={column}", value=0.31 + i) for i in range(3)
    ]
    about = incident(*worst, resolved="2013-06-14" if transition is Transition.RESOLVED else None)
    return compose(
        about,
        transition,
        run_url="https://dagster.example/runs/4f1c?a=1&b=<x>",
        asset_url="https://dagster.example/assets/flight_delay/drift",
        show_values_of=shown,
        n_slices=3,
        plot=AlertPlot(
            title=f"psi {column}"[:100],
            partitions=("2013-06-11", "2013-06-12", "2013-06-13"),
            values=(0.1, None, 0.31),
            lower=None,
            upper=0.2,
        ),
    )


def email(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> EmailChannel:
    monkeypatch.setenv("MAIL_USER", server.account[0])
    monkeypatch.setenv("MAIL_PASSWORD", server.account[1])
    return EmailChannel(
        host="127.0.0.1",
        port=server.port,
        username=EnvironmentVariable(env="MAIL_USER"),
        password=EnvironmentVariable(env="MAIL_PASSWORD"),
        sender="monitoring@example.com",
        to=("ml@example.com", "oncall@example.com"),
        ca_file=str(server.certificate),
    )


def parts(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    return f"{mail['Subject']}\n{body.get_content()}"


def _panels(output: str) -> list[str]:
    return [f"╭{part}" for part in output.split("╭")[1:]]
