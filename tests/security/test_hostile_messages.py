"""Whatever stands in a message, each channel of the catalogue sends it as text.

A new channel's file is covered by itself: its bench (``tests/alerts/benches.py``) says how to reach
it, and what its receiver refuses.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest

from dagster_monitoring.alerts import (
    AlertDigest,
    AlertImpact,
    AlertMessage,
    AlertRealized,
    AlertStep,
    Background,
    DigestIncident,
    DigestWarning,
    channel_types,
    compose,
)
from dagster_monitoring.alerts.email import EmailChannel
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Incident, Member, Transition
from tests.alerts.benches import Bench, email
from tests.alerts.conftest import NOW, Receiver, bench_of, certificate, incident, mail, receiver
from tests.security.test_hostile_values import HOSTILE, OBEYED, evaluation, stored

__all__ = ["bench_of", "certificate", "mail", "receiver"]
KINDS = list(channel_types())
LONGEST = 25_000
# Apprise takes a fifth of a second for a message, and all of them are plain text.
SOME = {"html", "slack", "ansi", "line", "long", "surrogate", "empty"}


def about(text: str) -> Incident:
    """An incident with the text wherever one may stand."""
    watcher = Member(
        monitor="label_deliveries", kind="label_deliveries", severity=Severity.ERROR,
        first="2024-05-01", last="2024-05-01", detail=text,
    )  # fmt: skip
    one = incident(evaluation(text), evaluation(text, value=None, upper=None))
    return replace(one, owner=text, changes=(text,) * 3, members=(*one.members, watcher))


def messages(text: str) -> list[AlertMessage]:
    """One of each kind."""
    text = stored(text)
    seen = AlertRealized(
        partition="2024-05-01", estimate=0.1, value=0.1, standard_error=None, n_labelled=None
    )
    impact = AlertImpact(
        metric="error_rate_change", partition="2024-05-01", estimate=0.1, standard_error=0.01, n=1,
        columns=((text[:100], 0.1),) * 3, realized=seen,
    )  # fmt: skip
    step = AlertStep(key="k", at=NOW, what=text, why=text)
    known = Background(impact=impact, steps=(step,) * 3, said=text, names=frozenset({text}))
    found = [
        compose(
            about(text), transition, run_url=f"https://dagster.example/{text}", background=known,
            show_values_of=(text, "city"),
        )
        for transition in (Transition.OPENED, Transition.UPDATED, Transition.ACKNOWLEDGED)
    ]  # fmt: skip
    return [*found, replace(found[0], rows=(), digest=digest(text[:100]))]


def digest(text: str) -> AlertDigest:
    one = DigestIncident(
        id=text, severity=Severity.ERROR, cause=Cause.MODEL, opened_partition=text,
        last_partition=text, opened_at=NOW, owner=text, monitors=(text,), is_new=True,
    )  # fmt: skip
    warned = DigestWarning(monitor=text, count=1, columns=(text,), n_more=0)
    return AlertDigest(
        since=NOW, n_open={Severity.ERROR: 1}, n_opened=1, n_closed=1, n_warnings=1,
        open=(one,), closed=(one,), warned=(warned,),
    )  # fmt: skip


@pytest.fixture(params=KINDS)
def bench(
    request: pytest.FixtureRequest, bench_of: Callable[[str], Bench], receiver: Receiver
) -> Bench:
    found = bench_of(request.param)
    receiver.answer = found.answer or receiver.answer
    return found


def test_every_channel_sends_text_that_nothing_obeys(bench: Bench, receiver: Receiver):
    for name, text in HOSTILE.items():
        if bench.channel.type == "apprise" and name not in SOME:
            continue
        for told in messages(text):
            bench.channel.send(told)
        for received in bench.received():
            assert not OBEYED.search(received.replace("\r\n", "\n").replace("\r", "")), name
            assert len(received) < LONGEST, name
        assert not getattr(bench.answer, "errors", None), name
        if bench.channel.type == "file":
            assert len(bench.received()) % len(messages(text)) == 0, "a line a message"
        for request in receiver.requests:
            assert not any(OBEYED.search(value) for value in request.headers.values())
            assert OBEYED.search(request.path) is None
            json.loads(request.body) if request.body[:1] == b"{" else None
        receiver.requests.clear()


class Page(HTMLParser):
    """The elements of a mail, and where they lead."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


LAYOUT = {"html", "head", "meta", "body", "div", "h2", "h3", "p", "ul", "li", "table", "tr", "th",
          "td", "b", "a", "img", "br", "span"}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_mail_is_layout_of_our_own_and_has_no_header_of_anothers(mail, monkeypatch, text: str):
    channel: EmailChannel = email(mail, monkeypatch)
    for told in messages(text):
        channel.send(told)
    for got in mail.mails:
        assert got["To"] == "ml@example.com, oncall@example.com"
        assert len(got.get_all("Subject")) == 1
        assert {"Bcc", "Cc", "X-Injected"}.isdisjoint(got.keys())
        page = page_of(got)
        assert page.tags <= LAYOUT
        for name, value in page.attributes:
            assert not name.startswith("on")
            if name in {"href", "src"}:
                assert re.match(r"(https?://|cid:)[^\s<>\"']+\Z", value or "")


def page_of(got: EmailMessage) -> Page:
    body = got.get_body(("html",))
    assert body is not None
    page = Page()
    page.feed(body.get_content())
    return page


def test_a_terminal_that_shows_colours_is_given_no_other_command(monkeypatch, capsys):
    from dagster_monitoring.alerts.console import ConsoleChannel

    monkeypatch.setenv("FORCE_COLOR", "1")
    for text in HOSTILE.values():
        for told in messages(text):
            ConsoleChannel().send(told)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "needs attention" in shown
    assert not OBEYED.search(shown)


def test_no_shell_is_given_a_command_that_a_name_makes():
    """What is to be pasted is quoted, or left out."""
    for text in HOSTILE.values():
        for told in messages(text):
            command = shlex.split(told.next_step.partition("dagster-monitoring ")[2])
            if command[0] == "incidents":
                assert command[1:] == ["show", told.incident_id]
                continue
            assert command[:4] == ["history", "flight_delay", "--since", "2013-06-11"]
            assert command[4:] in ([], ["--column", stored(text)])
