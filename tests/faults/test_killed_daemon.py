"""The daemon and its code server die in the middle of their work, and go on where they were."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg

from tests.orchestration.world import ROWS, World, day_of, labels, morning, new_world, rows

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
MONITORS = [{"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20, "window": 1}]
MODULE = """
from pathlib import Path

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from tests.orchestration.world import fields_of

fields = fields_of("late", monitors={monitors})
defs = build_monitoring_defs(MonitoredModel.read(fields).rooted(Path(__file__).parent))
"""


@contextmanager
def daemon(world: World) -> Iterator[subprocess.Popen[bytes]]:
    """The real daemon with a code server of its own, both gone at the end."""
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(world.instance.root_directory),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(world.folder)]),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "dagster._daemon", "run", "-m", "watched"]
    with (world.folder / "daemon.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, env=environment, stdout=log, stderr=log, start_new_session=True,
            cwd=world.folder,
        )  # fmt: skip
        try:
            yield process
        finally:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Daemon, code server and runs at once, as when the machine goes down."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(reached: Callable[[], bool], world: World, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        log = (world.folder / "daemon.log").read_text(errors="replace")
        assert time.monotonic() < deadline, f"{what}; the daemon said: {log[-3000:]}"
        time.sleep(0.2)


def taken_in(world: World, number: int) -> bool:
    with world.store() as store:
        return store.labels.coverage("late", day_of(number)).n_labelled == ROWS


def judged(world: World, number: int) -> bool:
    found = [e for e in world.of_day(number, "performance") if e.segment is None]
    return bool(found) and all(e.n_labelled == ROWS and e.value is not None for e in found)


def test_a_killed_daemon_and_code_server_lose_no_label_and_judge_no_day_twice(tmp_path):
    with new_world(tmp_path, monitors=MONITORS, on_disk=True) as world:
        (tmp_path / "watched.py").write_text(MODULE.format(monitors=MONITORS))
        for number in range(2):
            world.serve(number)
        world.setup()
        world.range(0, 1)
        for number in range(2):
            world.label(f"l{number}", labels(rows(number), morning(number)))
        with daemon(world) as first:
            wait_for(lambda: taken_in(world, 0), world, "no tick took the labels in")
            kill(first)
        with daemon(world):
            for number in range(2):
                wait_for(lambda n=number: judged(world, n), world, f"day {number} was not judged")
        with world.store() as store:
            assert store.labels.unknown("late") == 0
            current = store.evaluations.read("late", monitor="performance")
        assert len({e.key for e in current}) == len(current)
        runs = world.instance.get_runs(dg.RunsFilter(job_name="late_labels"))
        keys = [run.tags["dagster/run_key"] for run in runs]
        assert len(set(keys)) == len(keys), "each request is one run"
