"""``alerts test`` tells each channel of a test, and says which took it."""

from __future__ import annotations

import json

import pytest

from dagster_monitoring.cli.alerts import command as alerts
from dagster_monitoring.errors import DeclarationError, UnknownNameError
from tests.cli.running import run

MODULE = """
import dagster_monitoring as m
model = m.MonitoredModel.read({{
    "model": "told",
    "task": {{"type": "regression", "label": "y", "prediction": "p"}},
    "columns": {{"id": "id", "timestamp": "at", "numeric": ["a"]}},
    "partitions": {{"start": "2024-01-01"}},
    "baseline": {{"type": "parquet", "path": "b.parquet"}},
    "predictions": {{"type": "parquet", "path": "{{partition}}.parquet"}},
    "alerts": {alerts},
}})
defs = m.build_monitoring_defs(model)
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    def make(*channels: dict) -> str:
        name = f"told_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{name}.py").write_text(MODULE.format(alerts=repr(list(channels))))
        return name

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return make


def call(module: str, *arguments: str):
    return run(alerts, "test", *arguments, "--module", module, columns=200)


def test_each_channel_is_told_of_a_test_and_of_its_end(told, tmp_path):
    module = told({"type": "file", "path": str(tmp_path / "a.jsonl")}, {"type": "console"})
    done = call(module, "told")
    assert done.exit_code == 0
    assert "sent   file (file): took the message and its end" in done.output
    assert "sent   console (console)" in done.output
    first, last = (json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines())
    assert (first["transition"], last["transition"]) == ("OPENED", "RESOLVED")
    assert first["incident_id"] == last["incident_id"]
    assert first["incident_id"].startswith("test-")
    assert all(m["is_test"] and m["title"].startswith("TEST: ") for m in (first, last))
    assert "nothing is wrong" in first["details"][0]


def test_a_channel_that_fails_is_named_and_the_others_are_told(told, tmp_path, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)
    module = told(
        {"type": "webhook", "url": {"env": "NOT_SET"}},
        {"type": "file", "path": str(tmp_path / "a.jsonl")},
    )
    done = call(module, "told")
    assert done.exit_code == 1
    assert "failed webhook (webhook): environment variable NOT_SET is not set" in done.output
    assert "sent   file (file)" in done.output


def test_one_channel_may_be_tried_alone(told, tmp_path):
    module = told({"type": "file", "path": str(tmp_path / "a.jsonl")}, {"type": "console"})
    assert "file" not in call(module, "told", "--channel", "console").output
    error = call(module, "told", "--channel", "consol").exception
    assert isinstance(error, UnknownNameError)
    assert "no alert channel is called 'consol'" in str(error)


def test_without_channels_it_says_so(told):
    error = call(told(), "told").exception
    assert isinstance(error, DeclarationError)
    assert "no channel is declared" in str(error)
