from __future__ import annotations

import io
import re

import pytest

from dagster_monitoring.alerts import ChannelError, compose
from dagster_monitoring.alerts.console import ConsoleChannel
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition
from tests.alerts.conftest import evaluation, incident

MESSAGE = compose(
    incident(
        evaluation("performance", kind="performance", metric="roc_auc", column=None,
                   value=0.61, lower=0.72, upper=None),
        evaluation(column="wind[red]speed[/red]", value=1234567.0, severity=Severity.WARN),
    ),
    Transition.OPENED,
    run_url="https://dagster.example/runs/4f1c",
)  # fmt: skip


def test_a_captured_panel_is_plain_text_of_one_width(capsys):
    ConsoleChannel().send(MESSAGE)
    lines = capsys.readouterr().out.splitlines()
    assert {len(line) for line in lines} == {100}
    assert lines[0].startswith("╭─ ERROR: flight_delay needs attention ─")
    assert lines[-1].endswith(" OPENED inc-0123456789ab ─╯")
    assert any(re.search(r"ERROR +performance +roc_auc +- +0\.61 < 0\.72 +2,900", x) for x in lines)
    assert any(re.search(r"wind\[red\]speed\[/red\] +1,234,567 > 0\.2", x) for x in lines)


def test_stderr_when_asked(capsys):
    ConsoleChannel(stream="stderr").send(MESSAGE)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "flight_delay" in captured.err


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours(monkeypatch):
    terminal = _Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    ConsoleChannel().send(MESSAGE)
    assert "\x1b[31m" in terminal.getvalue(), "an error is red"


def test_a_closed_stream_is_an_error(monkeypatch):
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr("sys.stdout", gone)
    with pytest.raises(ChannelError, match="stdout can't be written"):
        ConsoleChannel().send(MESSAGE)


def test_an_encoding_without_boxes_or_the_values_letters_is_no_crash(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    foreign = incident(evaluation(column="漢字🚀"))
    ConsoleChannel().send(compose(foreign, Transition.OPENED, run_url=None))
    assert b"flight_delay needs attention" in raw.getvalue()
