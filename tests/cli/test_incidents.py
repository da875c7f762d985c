"""``incidents`` shows what needs a person and keeps what people do about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.cli.incident_page import print_one
from dagster_monitoring.cli.incidents import command as incidents
from dagster_monitoring.cli.project import load_model
from dagster_monitoring.errors import IncidentError
from dagster_monitoring.incidents import Incident, IncidentStatus
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.incidents import advance_incidents
from tests.alerts.test_remarks import RATE
from tests.cli.running import run
from tests.cli.test_history import evaluation

HOSTILE = "[bold red]temp[/] <b>\x1b[2J"


@pytest.fixture
def opened(project: str, tmp_path):
    """Yesterday a column drifted, and a label file could not be read."""
    model = load_model("price", project=tmp_path, module=project)
    now = datetime.now(UTC)
    day = f"{now - timedelta(days=1):%Y-%m-%d}"
    bad = evaluation(
        1, "drift", HOSTILE, 0.4, partition=day, window_end=now, window_start=now, evaluated_at=now
    )
    with open_backend(model) as backend:
        backend.store.evaluations.record([bad])
        advance_incidents(backend, now=now, run_url=None)
        (incident,) = backend.store.incidents.list("price")
    return project, incident


def known(project: str, tmp_path) -> Incident:
    model = load_model("price", project=tmp_path, module=project)
    with open_backend(model) as backend:
        (incident,) = backend.store.incidents.list("price")
    return incident


def call(project: str, *arguments: str):
    return run(incidents, *arguments, "--module", project, columns=160)


def test_open_ones_are_listed(opened):
    project, incident = opened
    shown = call(project, "list").output
    assert incident.id in shown
    for words in ("price", "model", "ERROR", "OPEN", "drift"):
        assert words in shown
    (row,) = json.loads(call(project, "list", "price", "--format", "json").output)
    assert (row["id"], row["cause"]) == (incident.id, "model")


def test_one_is_shown_with_its_values_as_they_are(opened):
    project, incident = opened
    shown = call(project, "show", incident.id[:8]).output
    assert "[bold red]temp[/] <b>" in shown
    assert "\x1b[2J" not in shown
    assert "0.4" in shown
    assert "OPEN ERROR (drift)" in shown
    whole = json.loads(call(project, "show", incident.id, "--format", "json").output)
    assert whole["worst"][0]["column"] == HOSTILE


def test_what_people_do_is_kept(opened, tmp_path):
    project, incident = opened
    assert call(project, "ack", incident.id, "--by", "ada", "--note", "on it").exit_code == 0
    mine = known(project, tmp_path)
    assert (mine.status, mine.owner) == (IncidentStatus.ACKNOWLEDGED, "ada")
    assert call(project, "snooze", incident.id, "--for", "4h", "--by", "ada").exit_code == 0
    until = known(project, tmp_path).snoozed_until
    assert until is not None
    assert timedelta(hours=3.9) < until - datetime.now(UTC) <= timedelta(hours=4)
    assert call(project, "note", incident.id, "a vendor's fault", "--owner", "bob").exit_code == 0
    assert call(project, "resolve", incident.id, "--why", "fixed", "--by", "bob").exit_code == 0
    over = known(project, tmp_path)
    assert (over.status, over.closed_by_hand, over.owner) == (IncidentStatus.RESOLVED, True, "bob")
    shown = call(project, "show", incident.id).output
    for words in (
        "ack by ada: on it",
        "snooze by ada",
        "a vendor's fault",
        "resolve by bob: fixed",
    ):
        assert words in shown
    assert "no incident is open" in call(project, "list").output
    assert incident.id in call(project, "list", "--all").output


def test_an_incident_that_is_not_there_or_over_is_named(opened, tmp_path):
    project, incident = opened
    missing = call(project, "show", "inc-nothing").exception
    assert isinstance(missing, IncidentError)
    assert "inc-nothing" in str(missing)
    call(project, "resolve", incident.id, "--why", "done")
    for asked in (("ack",), ("snooze", "--for", "1h"), ("resolve", "--why", "again")):
        error = call(project, asked[0], incident.id, *asked[1:]).exception
        assert isinstance(error, IncidentError)
        assert "it was resolved on" in str(error)
    assert known(project, tmp_path).closed_by_hand


@pytest.mark.parametrize("span", ["4", "0h", "h", "4w", "-1h"])
def test_a_span_that_is_none_is_refused(opened, span: str):
    project, incident = opened
    result = call(project, "snooze", incident.id, f"--for={span}")
    assert result.exit_code == 2
    assert "write 30m, 4h or 2d" in result.stderr


BROKEN = [
    # what is given, what is said of it
    ("half \udcff byte", "U+DCFF at character 6"),
    ("esc\x1b[2J", "U+001B at character 4"),
    ("txt\u202eexe", "U+202E at character 4"),
    ("x" * 4_001, "4,001 characters, and 4,000 are kept"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_text_that_nothing_can_hold_is_refused_where_it_is_given(opened, tmp_path, text, said):
    project, incident = opened
    before = known(project, tmp_path)
    asked = [
        ("note", incident.id, text),
        ("ack", incident.id, "--note", text),
        ("resolve", incident.id, "--why", text),
    ]
    if len(text) < 1_000:
        asked += [
            ("note", incident.id, "a word", "--owner", text),
            ("note", incident.id, "a word", "--by", text),
        ]
    for arguments in asked:
        refused = call(project, *arguments)
        assert refused.exit_code == 2
        assert said in " ".join(refused.stderr.split())
        assert "Traceback" not in refused.stderr
    assert known(project, tmp_path) == before


def test_a_name_is_one_line_and_a_note_may_have_several(opened, tmp_path):
    project, incident = opened
    for wrong in ("two\nlines", " ", "x" * 201):
        assert call(project, "note", incident.id, "a word", "--owner", wrong).exit_code == 2
    told = call(project, "note", incident.id, "one\r\ntwo", "--owner", " Zoë 李 ")
    assert told.exit_code == 0
    assert known(project, tmp_path).owner == "Zoë 李"
    assert "one two" in call(project, "show", incident.id).output


def test_the_impact_is_shown_where_there_is_an_estimate(opened, capsys):
    project, one = opened
    assert json.loads(call(project, "show", one.id, "--format", "json").output)["impact"] is None
    assert "impact" not in call(project, "show", one.id).output
    print_one(one, [one], [], n_slices=1, impact=RATE)
    shown = " ".join(capsys.readouterr().out.split())
    assert "error rate +2.9 points (95 %: +1.5 to +4.3), estimated on 2013-06-13" in shown
    assert "realized on 2013-06-12: +2.6 points" in shown
