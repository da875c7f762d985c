"""``replay`` and ``mark`` on a small project."""

from __future__ import annotations

import json

import pytest

from dagster_monitoring.cli.mark import command as mark
from dagster_monitoring.cli.project import load_model
from dagster_monitoring.cli.replay import command as replay
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.baselines import build_declared, put_in_force
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.judging import Judging
from tests.cli.running import run

DAY = "1970-01-02"


@pytest.fixture
def ready(project: str, tmp_path) -> str:
    """The project with a baseline in force, and nothing judged."""
    model = load_model("price", project=tmp_path, module=project)
    with open_backend(model) as backend:
        put_in_force(backend, build_declared(backend), clock=utc_now)
    return project


def test_a_replay_of_days_never_judged_tells_what_would_have_been(ready: str):
    result = run(replay, "price", "--from", DAY, "--to", DAY, "--module", ready, columns=120)
    assert result.exit_code == 0, result.output
    assert f"{DAY} to {DAY}: " in result.output
    assert "there were 0 incidents" in result.output
    options = ("--from", DAY, "--to", DAY, "--format", "json", "--module", ready)
    found = json.loads(run(replay, "price", *options).output)
    assert found["first"] == found["last"] == DAY


def test_other_monitors_are_tried_from_a_file(ready: str, tmp_path):
    file = tmp_path / "tried.yaml"
    file.write_text("- {type: data_quality, metrics: [row_volume]}\n")
    options = ("--from", DAY, "--to", DAY, "--monitors", str(file), "--module", ready)
    assert run(replay, "price", *options).exit_code == 0
    file.write_text("monitors: [{type: drift, metrics: [pis]}]\n")
    error = run(replay, "price", *options).exception
    assert isinstance(error, DeclarationError)
    assert "tried.yaml" in str(error)
    assert "psi" in str(error)
    file.write_text("columns: {}\n")
    error = run(replay, "price", *options).exception
    assert "write monitors: [...]" in str(error)


def test_without_anything_judged_the_slices_have_to_be_named(ready: str):
    error = run(replay, "price", "--module", ready).exception
    assert isinstance(error, DeclarationError)
    assert "--from and --to" in str(error)


def test_marks_are_kept_listed_and_taken_away(ready: str):
    def call(*arguments: str):
        return run(mark, "price", *arguments, "--module", ready)

    assert "nothing of price is marked" in call().output
    shown = call("bad", "--from", "1970-01-02", "--to", "1970-01-04", "--note", "[b]storm[/]")
    assert "1970-01-02 to 1970-01-04 of price is marked bad" in shown.output
    assert "No judged slice looks back on it." in shown.output
    call("normal", "--from", "1970-01-06", "--by", "ada")
    lines = call().output.splitlines()
    assert lines[0].startswith("bad     1970-01-02 to 1970-01-04")
    assert lines[0].endswith("[b]storm[/]")
    assert lines[1].startswith("normal  1970-01-06  ada:")
    assert "is gone" in call("--from", "1970-01-06", "--remove").output
    assert "no mark has" in call("--from", "1970-01-06", "--remove").output


def test_a_mark_says_how_many_slices_it_outdates_and_what_to_do(ready: str, tmp_path):
    model = load_model("price", project=tmp_path, module=ready)
    with open_backend(model) as backend:
        for day in ("1970-01-02", "1970-01-03"):
            declarations = Declarations(backend=backend, now=utc_now())
            Judging(backend, "drift", declarations, run_id=None, now=utc_now()).judge(day)
    said = run(mark, "price", "bad", "--from", "1970-01-02", "--module", ready, columns=200).output
    assert "1 judged slice from 1970-01-03 to 1970-01-03" in said
    assert "dagster-monitoring backfill price --from 1970-01-03 --to 1970-01-03" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("bad",), "name the slices"),
        (("--from", "1970-01-02"), "normal or bad"),
        (("bad", "--from", "1970-01-04", "--to", "1970-01-02"), "lies before --from"),
        (("odd", "--from", "1970-01-02"), "'odd'"),
    ],
)
def test_a_mark_that_says_nothing_is_refused(ready: str, arguments, says: str):
    result = run(mark, "price", *arguments, "--module", ready)
    assert result.exit_code == 2
    assert says in result.stderr
