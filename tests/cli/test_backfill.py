"""``backfill`` on a real project: from nothing to verdicts, recorded in DAGSTER_HOME."""

import json
from pathlib import Path

import click
import dagster as dg
import pytest
import yaml

from dagster_monitoring.cli.backfill import command as backfill
from dagster_monitoring.cli.history import command as history
from tests.cli.conftest import ROWS
from tests.cli.running import run

DAYS = ("--from", "1970-01-02", "--to", "1970-01-03")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


@pytest.mark.usefixtures("home")
def test_the_baseline_is_built_then_each_day_is_judged_and_the_runs_are_recorded(project: str):
    result = run(backfill, "price", "-m", project, *DAYS, "--slices-per-run", "1")
    assert result.exception is None, result.exception
    assert "2 days judged" in result.stdout
    with dg.DagsterInstance.get() as instance:
        runs = [r.job_name for r in instance.get_runs() if r.is_success]
    assert runs == ["price_daily", "price_daily", "price_setup"]
    found = json.loads(run(history, "price", "-m", project, "--format", "json").stdout)
    drift = [e for e in found if e["monitor"] == "drift"]
    assert all(e["baseline_version"] for e in drift)
    assert all(e["n"] == ROWS for e in drift if e["partition"] == "1970-01-02")
    # The second day has no file.
    assert {e["status"] for e in drift if e["partition"] == "1970-01-03"} == {"NO_DATA"}
    assert {e["partition"] for e in drift} == {"1970-01-02", "1970-01-03"}

    # Again: the baseline stays, and no verdict changes.
    assert run(backfill, "price", "-m", project, *DAYS).exception is None
    again = json.loads(run(history, "price", "-m", project, "--format", "json").stdout)
    assert again == found
    with dg.DagsterInstance.get() as instance:
        assert [r.job_name for r in instance.get_runs()].count("price_setup") == 1


def test_without_a_dagster_home_nothing_is_run(project: str, tmp_path: Path):
    result = run(backfill, "price", "-m", project, *DAYS)
    assert result.exit_code == 2
    assert "set DAGSTER_HOME" in result.stderr
    assert not (tmp_path / ".monitoring").exists()


@pytest.mark.parametrize("option", ["--from", "--to"])
@pytest.mark.parametrize("day", ["2024-13-01", "yesterday", "20240501", "2024-5-1", ""])
def test_what_is_no_day_is_refused_with_the_option_and_the_form(option: str, day: str):
    other = "--to" if option == "--from" else "--from"
    result = run(backfill, "price", option, day, other, "2024-05-01")
    assert result.exit_code == click.BadParameter.exit_code
    assert f"'{option}'" in result.stderr
    assert "YYYY-MM-DD" in result.stderr


@pytest.mark.usefixtures("home")
def test_days_before_production_are_named(project: str):
    result = run(backfill, "price", "-m", project, "--from", "1969-01-01", "--to", "1969-01-02")
    assert result.exit_code == 2
    assert "no day of price lies from 1969-01-01 to 1969-01-02" in result.stderr


@pytest.mark.usefixtures("home")
def test_todays_settings_judge_the_past_only_when_chosen(project: str, tmp_path: Path):
    def backfilled(*options: str) -> set[tuple[object, ...]]:
        assert run(backfill, "price", "-m", project, *day, *options).exception is None
        rows = json.loads(run(history, "price", "-m", project, "--format", "json").stdout)
        drift = [e for e in rows if e["monitor"] == "drift"]
        return {(e["upper"], e["declared"], e["declaration_version"]) for e in drift}

    day = ("--from", "1970-01-02", "--to", "1970-01-02")
    declared = tmp_path / "defs.yaml"
    attributes = yaml.safe_load(declared.read_text())

    def declare(upper: float) -> None:
        threshold = {"type": "absolute", "error": {"upper": upper}, "widen": False}
        drift = {"type": "drift", "columns": ["age"], "threshold": threshold}
        attributes["attributes"]["monitors"] = [drift]
        declared.write_text(yaml.safe_dump(attributes))

    declare(0.5)
    ((upper, chosen, version),) = before = backfilled()
    assert (upper, chosen) == (0.5, "then")
    declare(0.75)
    assert backfilled() == before
    ((upper, chosen, newer),) = now = backfilled("--as-declared-now")
    assert (upper, chosen) == (0.75, "now")
    assert newer != version
    assert backfilled() == now
    assert backfilled("--as-declared-then") == before
