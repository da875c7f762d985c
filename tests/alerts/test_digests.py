"""A day in one message: what every channel that takes it lays out, in its own form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from dagster_monitoring.alerts import (
    AlertDigest,
    AlertMessage,
    DigestIncident,
    DigestWarning,
    channel_types,
    compose,
)
from dagster_monitoring.alerts._plain import plain_lines
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Transition
from tests.alerts.benches import email
from tests.alerts.conftest import NOW, evaluation, incident
from tests.alerts.slack_stub import posted_blocks

KINDS = [kind for kind, declared in channel_types().items() if declared.takes_digest]


def one(number: int = 0, **changes: object) -> DigestIncident:
    fields = {
        "id": f"inc-{number:012d}",
        "severity": Severity.ERROR,
        "cause": Cause.MODEL,
        "opened_partition": "2013-06-11",
        "last_partition": "2013-06-13",
        "opened_at": NOW - timedelta(days=2, hours=4),
        "owner": "ada",
        "monitors": ("drift", "performance"),
        "is_new": False,
    }
    return DigestIncident(**{**fields, **changes})


def message(**changes: object) -> AlertMessage:
    fields = {
        "since": NOW - timedelta(days=1),
        "n_open": {Severity.ERROR: 1, Severity.WARN: 1},
        "n_opened": 1,
        "n_closed": 1,
        "n_warnings": 12,
        "open": (
            one(1),
            one(2, severity=Severity.WARN, owner=None, is_new=True, cause=Cause.DATA,
                opened_at=NOW - timedelta(hours=3)),
        ),
        "closed": (one(3),),
        "warned": (DigestWarning(monitor="drift", count=12, columns=("temp", "humid"), n_more=3),),
        **changes,
    }  # fmt: skip
    about = compose(incident(evaluation()), Transition.DIGEST, run_url=None)
    return replace(
        about, rows=(), plot=None, title="flight_delay: 2 open incidents, 12 warnings",
        summary="Open: 1 ERROR, 1 WARN.", digest=AlertDigest(**fields),
    )  # fmt: skip


def test_it_reads_from_the_worst_to_the_least():
    assert plain_lines(message())[1:9] == [
        "Open:",
        ("- ERROR inc-000000000001: model, since 2013-06-11, open for 2 d 4 h, ada has it: "
        "drift, performance"),
        ("- WARN inc-000000000002: new, data, since 2013-06-11, open for 3 h, nobody has it: "
        "drift, performance"),
        "Closed:",
        "- inc-000000000003: model, 2013-06-11 to 2013-06-13: drift, performance",
        "Warnings:",
        "- WARN drift: 12 on temp, humid and 3 more",
        message().next_step,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_channel_tells_counts_ages_owners_and_what_is_left_out(bench_of, receiver, kind):
    bench = bench_of(kind)
    receiver.answer = bench.answer or receiver.answer
    bench.channel.send(message(n_more_open=1_234))
    (told,) = bench.received()
    counts = ("flight_delay: 2 open incidents, 12 warnings", "Open: 1 ERROR, 1 WARN")
    ids = ("inc-000000000001", "inc-000000000002", "inc-000000000003")
    for words in (*counts, *ids, "ada", "temp"):
        assert words in told
    if kind in {"webhook", "file"}:
        assert AlertMessage.from_json(told) == message(n_more_open=1_234)
        return
    for words in ("2 d 4 h", "nobody", "and 1,234 more", "and 3 more", "dagster-monitoring"):
        assert words in told
    assert told.index("inc-000000000001") < told.index("inc-000000000002")
    assert not getattr(bench.answer, "errors", None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_digest_of_hostile_names_is_cut_and_is_text(bench_of, receiver, kind):
    bench = bench_of(kind)
    receiver.answer = bench.answer or receiver.answer
    text = "<!channel> <b>`*x*` &\u202e\x1b[2J" * 20
    full = message(
        open=tuple(one(i, owner=text[:100], monitors=(text,) * 9) for i in range(10)),
        closed=tuple(one(i, monitors=(text,) * 9) for i in range(5)),
        warned=(DigestWarning(monitor=text, count=9, columns=(text[:100],) * 5, n_more=9),) * 10,
    )
    bench.channel.send(full)
    (told,) = bench.received()
    assert not getattr(bench.answer, "errors", None)
    assert not any(character in told for character in "\x1b\u202e")
    if kind not in {"webhook", "file"}:
        assert len(told) < 20_000


def test_slack_has_a_section_for_each_part(bench_of, receiver):
    bench = bench_of("slack")
    receiver.answer = bench.answer
    bench.channel.send(message())
    blocks = posted_blocks(receiver.requests[0])
    texts = [b["text"]["text"] for b in blocks if b["type"] == "section"]
    assert [text.split("\n")[0] for text in texts[1:4]] == ["*Open*", "*Closed*", "*Warnings*"]
    assert texts[1].split("\n")[1].startswith("🔴 `inc-000000000001` model, since")
    assert texts[1].split("\n")[2].startswith("🟠 `inc-000000000002` new, data")
    assert not any("fields" in block for block in blocks), "there is no one partition or baseline"


def test_a_mail_has_tables_and_a_subject_of_its_own(mail, monkeypatch):
    email(mail, monkeypatch).send(message())
    (got,) = mail.mails
    assert got["Subject"] == "flight_delay: 2 open incidents, 12 warnings, 2013-06-14"
    assert got["Importance"] is None
    page = got.get_body(("html",)).get_content()
    cells = Cells.of(page)
    assert cells[1][:6] == ["ERROR", "inc-000000000001", "model", "2013-06-11", "2 d 4 h", "ada"]
    assert cells[2][5:] == ["nobody", "drift, performance", "new"]
    assert cells[-1] == ["drift", "12", "temp, humid and 3 more"]
    assert not re.search(r"<script|onerror", page)


class Cells(HTMLParser):
    """The rows of all tables, as texts."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_cell = False

    @classmethod
    def of(cls, page: str) -> list[list[str]]:
        parser = cls()
        parser.feed(page)
        return parser.rows

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - HTMLParser's
        if tag == "tr":
            self.rows.append([])
        self._is_cell = tag in {"td", "th"}
        if self._is_cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_cell = self._is_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._is_cell:
            self.rows[-1][-1] += data


def test_a_digest_kept_by_an_older_version_can_still_be_sent():
    kept = json.loads(message().to_json())
    for name in ("digest", "impact", "steps"):
        del kept[name]
    kept["details"] = ["new: ERROR inc-1"]
    assert "! new: ERROR inc-1" in plain_lines(AlertMessage.from_json(json.dumps(kept)))
