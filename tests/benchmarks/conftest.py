"""The bench's scripts as modules, and its contestants run in this process."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

RunContestant = Callable[..., dict[str, object]]


@pytest.fixture(autouse=True)
def bench_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (BENCHMARKS, BENCHMARKS / "contestants"):
        monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def run_contestant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RunContestant:
    """Runs a script with arguments; gives what it reports."""

    def run(script: str, *arguments: object) -> dict[str, object]:
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        runpy.run_path(str(BENCHMARKS / "contestants" / script), run_name="__main__")
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run
