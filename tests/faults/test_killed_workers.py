"""Run workers killed under the set-up of ``deploy/``: the daemon starts their runs again."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from tests.deploy.test_deploy import instance_of
from tests.faults.test_killed_daemon import daemon, judged, wait_for
from tests.orchestration.world import World, day_of, labels, morning, new_world, rows

DAYS = 3
CHANGES = {
    "monitors": [
        {"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20, "window": 1}
    ],
    "alerts": [{"type": "file", "path": "alerts.jsonl"}],
    "storage": {"path": "monitoring", "database": {"env": "MONITORING_DATABASE_URL"}},
}
# What runs in the code server: its clock is the world's, and two of its workers wait to be killed.
MODULE = """
from pathlib import Path

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from dagster_monitoring.stores.evaluations import EvaluationStore
from dagster_monitoring.stores.outbox import Outbox
from tests.faults.test_killed_workers import CHANGES, DAYS, wait_once
from tests.orchestration.world import fields_of, morning

here = Path(__file__).parent
# The first day of a run is recorded by then, and a message is queued.
EvaluationStore.record = wait_once(EvaluationStore.record, here / "judge", nth=2)
Outbox.claim = wait_once(Outbox.claim, here / "alert", nth=1)
model = MonitoredModel.read(fields_of("late", **CHANGES)).rooted(here)
defs = build_monitoring_defs(model, clock=lambda: morning(DAYS))
"""


def wait_once(original: Callable[..., object], marker: Path, *, nth: int) -> Callable[..., object]:
    """The function; the first process that calls it the n-th time says who it is, and waits."""
    calls = 0

    def waiting(*given: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == nth and not marker.exists():
            partial = marker.with_suffix(f".{os.getpid()}")
            partial.write_text(str(os.getpid()))
            partial.rename(marker)
            signal.pause()
        return original(*given, **options)

    return waiting


def kill_worker(world: World, marker: Path) -> None:
    """``kill -9`` of the process that waits, once there is one."""
    wait_for(marker.exists, world, f"no run came to {marker.name}")
    os.kill(int(marker.read_text()), signal.SIGKILL)


def started_again(world: World, job: str) -> bool:
    """Whether a killed run of a job was tried again, with success, and none is on its way."""
    runs = {run.run_id: run for run in world.instance.get_runs(dg.RunsFilter(job_name=job))}
    again = [run for run in runs.values() if "dagster/retry_number" in run.tags]
    done = [run for run in again if run.status is dg.DagsterRunStatus.SUCCESS]
    killed = [runs[str(run.parent_run_id)].status for run in done]
    assert set(killed) <= {dg.DagsterRunStatus.FAILURE}
    return bool(done) and all(run.is_finished for run in runs.values())


def test_the_runs_of_killed_workers_are_started_again_and_nothing_is_lost_or_double(
    new_postgres_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MONITORING_DATABASE_URL", new_postgres_database())
    with (
        new_world(tmp_path, **CHANGES) as prepared,
        instance_of(new_postgres_database(), tmp_path / "dagster", monkeypatch) as instance,
    ):
        prepared.clock.now = morning(DAYS)
        for number in range(DAYS):
            prepared.serve(number)
        prepared.label("l0", labels(rows(0), morning(0), flipped=True))
        prepared.setup()
        prepared.range(0, DAYS - 1)
        for number in range(1, DAYS):
            prepared.label(f"l{number}", labels(rows(number), morning(number), flipped=True))
        (tmp_path / "watched.py").write_text(MODULE)
        world = World(tmp_path, instance, prepared.model, prepared.clock, CHANGES)
        with daemon(world):
            for name in ("judge", "alert"):
                kill_worker(world, tmp_path / name)
            for number in range(1, DAYS):
                wait_for(lambda n=number: judged(world, n), world, f"day {number} is not judged")
            for job in ("late_labels", "late_alerts"):
                what = f"the killed run of {job} was not started again"
                wait_for(lambda job=job: started_again(world, job), world, what)
        nothing_is_missing_or_double(world)
        (message,) = (tmp_path / "alerts.jsonl").read_text().splitlines()
        assert json.loads(message)["transition"] == "OPENED"


def nothing_is_missing_or_double(world: World) -> None:
    """Judging all days once more writes nothing: all was there, and is what it has to be."""
    with world.store() as store:
        before = store.evaluations.latest_id("late")
        current = store.evaluations.read("late")
    assert {e.partition for e in current} == {day_of(number) for number in range(DAYS)}
    assert len({e.key for e in current}) == len(current)
    world.range(0, DAYS - 1)
    with world.store() as store:
        assert store.evaluations.latest_id("late") == before
