"""Labels that were being taken in when the process was killed are all there afterwards, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import acts
from tests.faults.conftest import Copy
from tests.faults.stopping import Point, killed
from tests.orchestration.world import ROWS, day_of

POINTS = {
    "labels": Point(at="dagster_monitoring.stores.labels:LabelLedger.append", when="after"),
    "of the second file": Point(
        at="dagster_monitoring.stores.deliveries:DeliveryStore.note", when="before", nth=3
    ),
    "the place reached": Point(
        at="dagster_monitoring.stores.cursors:CursorStore.set", when="before", nth=3
    ),
}


def coverage(folder: Path, **changes: object) -> dict[str, tuple[int, int]]:
    with acts.world_in(folder, **changes) as world, world.store() as store:
        return {
            day: (store.labels.coverage("late", day).n_labelled, store.labels.unknown("late"))
            for day in map(day_of, range(acts.DAYS))
        }


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_a_killed_tick_loses_no_label_and_takes_none_twice(
    stages: dict[str, Path], copy: Copy, point: Point
):
    folder = copy("prepared")
    killed(acts.take_labels, folder, at=point)
    acts.take_labels(folder)
    assert coverage(folder) == coverage(stages["labelled"])
    acts.judge(folder)
    assert acts.verdicts(folder) == acts.verdicts(stages["judged"])
    assert {n for n, _ in coverage(folder).values()} == {ROWS}


PLACES = {
    "its bytes": Point(at="pyarrow.parquet:ParquetWriter.write_table", when="after"),
    "its place": Point(at="pathlib:Path.replace", when="before"),
    "before the store knows it": Point(at="pathlib:Path.replace", when="after"),
}


@pytest.mark.parametrize("point", PLACES.values(), ids=PLACES)
def test_a_ledger_in_files_is_killed_while_it_writes_one(tmp_path: Path, point: Point):
    acts.prepare_files(tmp_path)
    killed(acts.take_labels_to_files, tmp_path, at=point)
    acts.take_labels_to_files(tmp_path)
    found = acts.labels_in_files(tmp_path)
    assert found == dict.fromkeys(map(day_of, range(acts.DAYS)), ROWS)
