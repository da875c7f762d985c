"""A run killed anywhere, and run again: no verdict is missing, none is there twice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from dagster_monitoring.profiles.storage import ProfileStorage
from tests.faults import acts
from tests.faults.conftest import Copy
from tests.faults.stopping import Point, killed, stopped

STORES = "dagster_monitoring.stores"
POINTS = {
    "a profile's bytes": Point(at="pathlib:Path.write_bytes", when="half", nth=2),
    "a profile's place": Point(at="pathlib:Path.replace", when="before", nth=2),
    "what a slice counts": Point(
        at=f"{STORES}.judgements:JudgementStore.count_slice", when="after"
    ),
    "evaluations": Point(at=f"{STORES}.evaluations:refresh_verdicts", when="before", nth=2),
    "what they rest on": Point(at=f"{STORES}.judgements:JudgementStore.note", when="before", nth=4),
    "between two days": Point(at=f"{STORES}.judgements:JudgementStore.note", when="after", nth=5),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_a_killed_run_leaves_nothing_missing_and_nothing_double(
    stages: dict[str, Path], copy: Copy, point: Point
):
    folder = copy("labelled")
    killed(acts.judge, folder, at=point)
    every_file_is_whole(folder)
    acts.judge(folder, timedelta(hours=1))
    assert acts.verdicts(folder) == acts.verdicts(stages["judged"])
    assert acts.rows_kept(folder) == acts.rows_kept(stages["judged"]), "none was superseded"


def every_file_is_whole(folder: Path) -> None:
    """Whatever can be found by its name can be read."""
    storage = ProfileStorage(folder / "monitoring")
    (version,) = storage.list_baselines("late")
    for partition in storage.list_partitions("late", version):
        storage.read("late", version, partition)
    for partition in storage.list_performance("late"):
        storage.read_performance("late", partition)


def test_two_runs_of_the_same_days_at_once_give_what_one_gives(stages: dict[str, Path], copy: Copy):
    folder = copy("labelled")
    reading = Point(
        at="dagster_monitoring.orchestration.evaluator:Evaluator.evaluate", when="after"
    )
    with stopped(acts.judge, folder, at=reading) as other:
        acts.judge(folder, timedelta(hours=1))
        other.go_on()
    assert acts.verdicts(folder) == acts.verdicts(stages["judged"])
    assert acts.rows_kept(folder) == acts.rows_kept(stages["judged"])


def test_a_run_waits_for_one_that_is_killed_while_it_writes(stages: dict[str, Path], copy: Copy):
    folder = copy("labelled")
    writing = Point(at=f"{STORES}.evaluations:refresh_verdicts", when="after")
    beginning = Point(at=f"{STORES}._database:Database.write", when="before")
    with stopped(acts.judge, folder, at=beginning) as waiter:
        with stopped(acts.judge, folder, at=writing):
            waiter.end.send("go on")
        waiter.ends()
    assert acts.verdicts(folder) == acts.verdicts(stages["judged"])
    assert acts.rows_kept(folder) == acts.rows_kept(stages["judged"])
