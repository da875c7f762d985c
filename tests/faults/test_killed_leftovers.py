"""What killed writers leave beside their files goes with the next ``prune``, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dagster_monitoring.orchestration.pruning import prune
from tests.faults import acts
from tests.faults.conftest import Copy
from tests.faults.stopping import Point, killed

# Who writes, from which stage of the world on, and where it is killed.
WRITERS: dict[str, tuple[Callable[..., object], str, Point]] = {
    "a profile": (acts.judge, "labelled", Point(at="pathlib:Path.write_bytes", when="half", nth=2)),
    "a baseline": (acts.prepare, "", Point(at="pathlib:Path.replace", when="before", nth=2)),
    "a model": (acts.retrain, "told", Point(at="os:fsync", when="before")),
    "labels": (acts.take_labels_to_files, "", Point(at="os:fsync", when="before")),
}
# A file of the user's, or of another program, is no leftover of ours.
FOREIGN = (
    "late/profiles/.notes.parquet",
    "late/.anything.parquet.0123456789abcdef0123456789abcdef",
    "label_ledger/labels/1/.keep",
)


def hidden(folder: Path) -> set[Path]:
    return {path for path in folder.rglob(".*") if path.is_file()}


def pruned(folder: Path, *, now: datetime, dry_run: bool = False) -> tuple[int, int]:
    with acts.world_in(folder) as world, world.backend() as backend:
        done = prune(backend, keep_days=9_999, now=now, dry_run=dry_run)
    return done.leftovers, done.leftover_bytes


@pytest.mark.parametrize("writer", WRITERS)
def test_the_file_of_a_killed_writer_goes_when_it_is_a_day_old(
    copy: Copy, tmp_path: Path, writer: str
):
    act, stage, point = WRITERS[writer]
    folder = copy(stage) if stage else tmp_path / "new"
    if act is acts.take_labels_to_files:
        acts.prepare_files(folder)
    killed(act, folder, at=point)
    root = folder / "monitoring"
    (left,) = hidden(root)
    size = left.stat().st_size
    for name in FOREIGN:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("mine")
    now = datetime.now(UTC)
    assert pruned(folder, now=now) == (0, 0), "its writer may live"
    later = now + timedelta(days=1, minutes=1)
    assert pruned(folder, now=later, dry_run=True) == (1, size)
    assert left.exists()
    assert pruned(folder, now=later) == (1, size)
    assert hidden(root) == {root / name for name in FOREIGN}
    assert pruned(folder, now=later) == (0, 0)
