"""``demo --help`` says what will happen, and nothing happens."""

from pathlib import Path

import pytest

from dagster_monitoring.cli.main import commands
from tests.cli.running import run


def test_the_help_names_the_folder_and_lays_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    result = run(commands, "demo", "--help")
    assert result.exit_code == 0
    assert "[FOLDER]" in result.stdout
    assert "plays production" in result.stdout
    assert list(tmp_path.iterdir()) == []
