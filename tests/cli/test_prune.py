"""``prune`` says what it deletes, and deletes it once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster_monitoring.cli.project import load_model
from dagster_monitoring.cli.prune import command
from dagster_monitoring.evaluation import Evaluation, Status
from dagster_monitoring.stores import open_store
from tests.cli.running import run

DAYS = 100


def judged(number: int) -> Evaluation:
    start = datetime(1970, 1, 2, tzinfo=UTC) + timedelta(days=number)
    return Evaluation(
        model="price",
        monitor="drift",
        monitor_kind="drift",
        metric="psi",
        column="age",
        segment=None,
        baseline_kind="training",
        baseline_version="b-1",
        partition=start.date().isoformat(),
        window_start=start,
        window_end=start + timedelta(days=1),
        value=0.1,
        lower=None,
        upper=0.25,
        status=Status.HEALTHY,
        severity=None,
        reason=None,
        n=100,
        n_labelled=None,
        model_version="1",
        evaluated_at=start + timedelta(days=1),
        run_id=None,
    )


def test_it_says_what_it_would_delete_then_deletes_it_once(project: str):
    model = load_model("price", project=Path(), module=project)
    with open_store(model.storage.database_url) as store:
        store.evaluations.record([judged(number) for number in range(DAYS)])

    def pruned(*options: str) -> list[str]:
        done = run(command, "price", "--module", project, *options)
        assert done.exit_code == 0, done.output
        return [" ".join(line.split()) for line in done.stdout.splitlines()]

    looked = pruned("--dry-run")
    said = pruned()
    assert looked[:-1] == said[:-1]
    assert (looked[-1], said[-1]) == ("nothing was deleted (--dry-run)", "deleted")
    count = next(int(line.split()[0]) for line in said if line.endswith("old evaluations"))
    with open_store(model.storage.database_url) as store:
        left = store.evaluations.read("price")
    assert count > 0
    assert len(left) == DAYS - count
    assert left[-1] == judged(DAYS - 1), "the last ones stay, however old"
    assert "0 old evaluations" in pruned("--keep-days", "365")


def test_it_keeps_a_year_unless_told_otherwise_and_a_day_at_the_least(project: str):
    assert "365" in run(command, "--help").stdout
    refused = run(command, "price", "--module", project, "--keep-days", "0")
    assert refused.exit_code == 2
