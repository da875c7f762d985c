"""Slices joined with labels by id, by id and time, and by entity across models."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.label_intake import take_in_labels
from dagster_monitoring.orchestration.label_keys import keyed
from dagster_monitoring.orchestration.push import report_labels
from dagster_monitoring.orchestration.slices import read_slice, register_slice
from dagster_monitoring.orchestration.training_rows import LABEL, labelled_rows
from dagster_monitoring.orchestration.validation.labels import check_ground_truth
from dagster_monitoring.profiles.performance import scan_performance
from tests.orchestration.world import MOMENT, START, day_of, fields_of, rows

ROWS = 40
KINDS = ["store", "parquet"]
NOW = datetime.fromisoformat("2024-06-01T00:00:00+00:00")


def declare(folder: Path, name: str = "late", **changes: object) -> MonitoredModel:
    feed = {"type": "parquet", "path": "labels/*.parquet", "expected_delay_days": 1}
    feed |= changes.pop("ground_truth", {})  # type: ignore[arg-type] # a mapping
    kind = changes.pop("kind", "store")
    given = {"ground_truth": feed, "storage": {"path": "monitoring", "labels": kind}, **changes}
    return MonitoredModel.read(fields_of(name, **given)).rooted(folder)


def serve(folder: Path, number: int, **columns: object) -> pa.Table:
    """A slice of the world with other columns beside its own, or in their place."""
    table = rows(number).slice(0, ROWS)
    for name, values in columns.items():
        if name in table.column_names:
            table = table.drop_columns(name)
        table = table.append_column(name, values)
    path = folder / "slices" / f"day={day_of(number)}" / "part-0.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return table


def deliver(folder: Path, **columns: object) -> None:
    size = len(columns["late"])  # type: ignore[arg-type] # an array
    moments = pa.array([NOW - timedelta(days=3)] * size, MOMENT)
    path = folder / "labels" / "a.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({**columns, "available_at": moments}), path)


def joined(model: MonitoredModel, *, first: int = 0) -> tuple[int, int, float | None]:
    """Labels taken in, rows labelled by the performance scan, and the mean label of those."""
    with open_backend(model) as backend:
        register_slice(backend, day_of(first))
        new = take_in_labels(backend, now=NOW).new
        labels = backend.store.labels.resolved(model.model, day_of(first))
        columns, batches = keyed(model, read_slice(model, day_of(first), None))
        found = scan_performance(batches, labels=labels, columns=columns, task=model.task)
        trained = labelled_rows(backend, [day_of(first)], as_of=NOW)
        assert trained.table.num_rows == found.n_labelled
        values = trained.table[LABEL].to_numpy()
    return new, found.n_labelled, float(np.mean(values)) if len(values) else None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stored", [pa.uuid(), pa.binary(16), pa.string()], ids=str)
def test_uuids_are_joined_with_their_text(tmp_path: Path, kind: str, stored: pa.DataType):
    ids = [uuid.UUID(int=i * 7**40 % 2**128) for i in range(ROWS)]
    texts = stored == pa.string()
    serve(tmp_path, 0, id=pa.array([str(i) if texts else i.bytes for i in ids], stored))
    others = pa.string() if not texts else pa.uuid()
    given = pa.array([str(i) if not texts else i.bytes for i in ids], others)
    deliver(tmp_path, id=given, late=[i % 2 for i in range(ROWS)])
    assert joined(declare(tmp_path, kind=kind)) == (ROWS, ROWS, 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_that_comes_again_is_told_apart_by_its_moment(tmp_path: Path, kind: str):
    customers = pa.array([f"c{i % 4}" for i in range(ROWS)])
    table = serve(tmp_path, 0, id=customers)
    late = [int(i < 10) for i in range(ROWS)]
    deliver(tmp_path, customer=customers, scored=table["at"], late=late)
    feed = {"id": "customer", "join": "id_and_time", "time": "scored"}
    model = declare(tmp_path, kind=kind, ground_truth=feed)
    assert joined(model) == (ROWS, ROWS, 0.25)
    (finding,) = [f for f in check_ground_truth(model, START) if "have a label" in f.found]
    assert "40 of the 40" in finding.found
    assert "joined by id and time" in finding.found


def test_moments_that_differ_are_said_to(tmp_path: Path):
    customers = pa.array([f"c{i}" for i in range(ROWS)])
    serve(tmp_path, 0, id=customers)
    moments = pa.array([NOW] * ROWS, MOMENT)
    deliver(tmp_path, id=customers, scored=moments, late=[0] * ROWS)
    model = declare(tmp_path, ground_truth={"join": "id_and_time", "time": "scored"})
    found = check_ground_truth(model, START)[-1]
    assert "no id of the labels (such as c0@" in found.found
    assert "ground_truth.time" in found.remedy


@pytest.mark.parametrize("kind", KINDS)
def test_champion_and_shadow_share_one_feed_whose_labels_are_taken_in_once(
    tmp_path: Path, kind: str
):
    orders = pa.array([f"o{i // 2}" for i in range(ROWS)])
    serve(tmp_path, 0, order=orders)
    deliver(tmp_path, order=[f"o{i}" for i in range(25)], late=[i % 2 for i in range(25)])
    feed = {"join": "entity", "entity": "order", "feed": "orders"}
    champion = declare(tmp_path, "champion", kind=kind, ground_truth=feed)
    shadow = declare(tmp_path, "shadow", kind=kind, ground_truth=feed)
    assert champion.label_ledger == shadow.label_ledger
    assert joined(champion) == (25, ROWS, 0.5)
    assert joined(shadow) == (0, ROWS, 0.5)
    with open_backend(shadow) as backend:
        labels = backend.store.labels
        assert labels.coverage("shadow", START) == (20, 20)
        assert (labels.unknown("champion"), labels.unknown("shadow")) == (5, 5)
        assert labels.touched("shadow").partitions == {START: 20}


def test_labels_that_are_handed_over_are_joined_by_id_and_time(tmp_path: Path):
    customers = pa.array(["c"] * ROWS)
    table = serve(tmp_path, 0, id=customers)
    feed = {"type": "push", "join": "id_and_time", "time": "scored"}
    model = MonitoredModel.read(fields_of("late", ground_truth=feed)).rooted(tmp_path)
    pushed = pa.table(
        {"prediction_id": customers, "label": [1] * ROWS, "prediction_time": table["at"]}
    )
    moments = len(set(table["at"].to_pylist()))
    assert report_labels(model, pushed, clock=lambda: NOW).new == moments
    assert joined(model)[1:] == (ROWS, 1.0)


def test_a_model_that_changes_its_join_registers_and_reads_anew(tmp_path: Path):
    serve(tmp_path, 0, order=pa.array([f"o{i}" for i in range(ROWS)]))
    ids = rows(0)["id"].slice(0, ROWS)
    deliver(tmp_path, id=ids, order=[f"o{i}" for i in range(ROWS)], late=[1] * ROWS)
    assert joined(declare(tmp_path)) == (ROWS, ROWS, 1.0)
    changed = declare(tmp_path, ground_truth={"join": "entity", "entity": "order"})
    with open_backend(changed) as backend:
        assert backend.judged_days() == []
    assert joined(changed) == (ROWS, ROWS, 1.0)
    assert joined(declare(tmp_path, kind="parquet")) == (ROWS, ROWS, 1.0)


def test_an_entity_that_is_the_id_is_refused(tmp_path: Path):
    with pytest.raises(DeclarationError, match=r"ground_truth\.entity.*is columns\.id"):
        declare(tmp_path, ground_truth={"join": "entity", "entity": "id"})
