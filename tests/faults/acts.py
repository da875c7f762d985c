"""What the processes of these tests do, in a world that others prepared."""

from __future__ import annotations

import ctypes
import json
import resource
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.stores._evaluation_rows import evaluation_to_json
from dagster_monitoring.stores._tables import evaluations
from tests.orchestration.world import World, day_of, fields_of, labels, morning, new_world, rows

DAYS = 3
MONITORS = [
    {"type": "data_quality"},
    {"type": "drift", "columns": ["temp"], "metrics": ["psi"], "window": 2},
    {"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20},
]
ALERTS = [{"type": "file", "path": "alerts.jsonl"}]
RETRAINING = {
    "trainer": "tests.orchestration.trainers:good",
    "train_days": 1,
    "holdout_days": 2,
    "minimum_rows": 100,
}
IN_FILES = {"path": "monitoring", "labels": "parquet"}
# In a child no test's settings hold, and Dagster's warnings are its own.
warnings.simplefilter("ignore")


@contextmanager
def world_in(folder: Path, **changes: object) -> Iterator[World]:
    """The world of a folder, as it was left."""
    declared: dict[str, object] = {
        "monitors": MONITORS,
        "alerts": ALERTS,
        "retraining": RETRAINING,
        **changes,
    }
    with new_world(folder, **declared) as world:
        world.clock.now = morning(DAYS)
        yield world


def prepare(folder: Path) -> None:
    """Slices whose relation to the label has turned; labels lie ready; a baseline in force."""
    with world_in(folder) as world:
        for number in range(DAYS):
            world.serve(number)
            world.label(f"l{number}", labels(rows(number), morning(number), flipped=True))
        world.setup()


def judge(folder: Path, later: timedelta = timedelta()) -> None:
    """All days in one run."""
    with world_in(folder) as world:
        world.clock.now += later
        world.range(0, DAYS - 1)


def take_labels(folder: Path) -> None:
    with world_in(folder) as world:
        world.tick("ground_truth_sensor")


def alert(folder: Path, later: timedelta = timedelta()) -> None:
    with world_in(folder) as world:
        world.clock.now += later
        world.job("alerts")


def retrain(folder: Path, later: timedelta = timedelta()) -> int:
    """A tick of the sensor, and the runs that it asks for; gives how many."""
    with world_in(folder) as world:
        world.clock.now += later
        asked = world.tick("retraining_sensor").run_requests or []
        for request in asked:
            purpose = str(request.job_name).removeprefix("late_")
            world.run(purpose, request)
    return len(asked)


def with_little_space(act: Callable[[Path], object], folder: Path, size: int) -> None:
    """An act for which no file can grow beyond a size: as a full disk, it refuses the write."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    act(folder)


def without_powers(act: Callable[[Path], object], folder: Path) -> None:
    """An act that may write only what its mode allows, unlike what root may else."""
    version_3 = struct.pack("=Ii", 0x20080522, 0)
    assert ctypes.CDLL(None).capset(version_3, bytes(24)) == 0
    act(folder)


def verdicts(folder: Path) -> list[str]:
    """All that stands in the record now, but for its run and its moment."""
    with world_in(folder) as world:
        found = [json.loads(evaluation_to_json(e)) for e in world.evaluations()]
    return [
        json.dumps({k: v for k, v in one.items() if k not in {"run_id", "evaluated_at"}})
        for one in found
    ]


def rows_kept(folder: Path) -> int:
    """How many evaluations are kept, superseded ones too."""
    with world_in(folder) as world, world.store() as store, store._database.read() as connection:
        return len(connection.execute(evaluations.select()).all())


def messages(folder: Path) -> list[dict[str, object]]:
    """What the channel took."""
    file = folder / "alerts.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def prepare_files(folder: Path) -> None:
    """Labels lie ready for a ledger in files."""
    with world_in(folder, storage=IN_FILES) as world:
        for number in range(DAYS):
            world.serve(number)
            world.label(f"l{number}", labels(rows(number), morning(number)))
        world.setup()
        with world.backend() as backend:
            for number in range(DAYS):
                ids = rows(number)["id"]
                backend.store.labels.register_predictions("late", day_of(number), ids)


def take_labels_to_files(folder: Path) -> None:
    with world_in(folder, storage=IN_FILES) as world:
        world.tick("ground_truth_sensor")


def labels_in_files(folder: Path) -> dict[str, int]:
    """How many predictions of each day have a label."""
    with world_in(folder, storage=IN_FILES) as world, world.backend() as backend:
        days = [day_of(number) for number in range(DAYS)]
        return {day: backend.store.labels.coverage("late", day).n_labelled for day in days}


def judge_plainly(folder: Path) -> None:
    """All days, where nothing may be written beside what the run itself writes."""
    model = MonitoredModel.read(fields_of("late", monitors=MONITORS)).rooted(folder)
    with dg.DagsterInstance.ephemeral() as instance:
        World(folder, instance, model).range(0, DAYS - 1)
