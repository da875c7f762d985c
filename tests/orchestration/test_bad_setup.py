"""Bad declarations, baselines and addresses, and days that are no 24 hours long."""

from datetime import timedelta

import pyarrow as pa
import pytest

from dagster_monitoring.errors import DeclarationError, StoreError
from dagster_monitoring.evaluation import Status
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.running import RunFailedError
from tests.orchestration.faults import put
from tests.orchestration.world import (
    MOMENT,
    ROWS,
    baseline_rows,
    day_of,
    fields_of,
    new_world,
    rows,
    write,
)


@pytest.mark.parametrize(
    ("start", "day", "hours"), [("2024-03-30", "2024-03-31", 23), ("2024-10-26", "2024-10-27", 25)]
)
def test_days_of_23_and_25_hours_hold_their_own_rows(tmp_path, start, day, hours):
    changes = {
        "partitions": {"start": start, "timezone": "Europe/Berlin"},
        "predictions": {"type": "parquet", "path": "all.parquet"},
        "monitors": [{"type": "data_quality"}],
        "ground_truth": None,
    }
    with new_world(tmp_path, **changes) as world:
        first, _ = world.model.partitions.bounds(start)
        table = rows(0, 72 * 10)
        moments = [first + timedelta(minutes=6 * i) for i in range(72 * 10)]
        write(put(table, "at", pa.array(moments, MOMENT)), tmp_path / "all.parquet")
        world.setup()
        world.job("daily", partition_key=day)
        (volume,) = [e for e in world.evaluations(since=day) if e.metric == "row_volume"]
        assert volume.n == hours * 10
        assert (volume.window_end - volume.window_start) == timedelta(hours=hours)


def test_a_baseline_of_too_few_rows_is_refused(tmp_path):
    with new_world(tmp_path) as world:
        write(baseline_rows(9), tmp_path / "baseline.parquet")
        with pytest.raises(RunFailedError, match="9 rows"):
            world.setup()
        world.serve(0)
        with pytest.raises(RunFailedError, match=r"no baseline was built yet.*late_setup"):
            world.day(0)


def test_a_constant_column_of_the_baseline_is_noted_and_judged(tmp_path):
    with new_world(tmp_path, monitors=[{"type": "drift", "window": 1}], ground_truth=None) as world:
        constant = put(baseline_rows(), "size", [7.0] * 300)
        write(constant, tmp_path / "baseline.parquet")
        world.setup()
        world.serve(0, put(rows(0), "size", [7.0] * ROWS))
        world.serve(1)
        world.range(0, 1)
        assert world.cell(0, "drift", "psi", "size").status is Status.HEALTHY
        assert world.cell(1, "drift", "psi", "size").status is Status.TRIGGERED
        with world.backend() as backend:
            notes = backend.baseline_in_force(day_of(0)).notes
        assert any("size" in note for note in notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"segmentz": []}, ("segmentz", "Did you mean 'segments'?")),
        (
            {"monitors": [{"type": "drift", "metrics": ["psy"]}]},
            ("monitors[0]: ", "psy", "Did you mean 'psi'?"),
        ),
        (
            {"monitors": [{"type": "performance", "metrics": ["rocauc"]}]},
            ("Did you mean 'roc_auc'?",),
        ),
        ({"partitions": {"start": "2024-05-01", "zone": "UTC"}}, ("partitions", "zone")),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(change, words):
    with pytest.raises(DeclarationError) as raised:
        MonitoredModel.read(fields_of("late", **change))
    for word in words:
        assert word in str(raised.value)


def test_an_unreachable_database_is_named_without_its_password(tmp_path, monkeypatch):
    monkeypatch.setenv("A_STORE_URL", "postgresql://me:pa55word@127.0.0.1:1/none")
    storage = {"path": "monitoring", "database": {"env": "A_STORE_URL"}}
    with new_world(tmp_path, storage=storage) as world:
        world.serve(0)
        with pytest.raises(StoreError, match=r"127\.0\.0\.1") as raised:
            world.setup()
        assert "pa55word" not in str(raised.value)
        with pytest.raises(RunFailedError) as failed:
            world.day(0)
        assert "pa55word" not in str(failed.value)
        assert "Check that the database runs" in str(failed.value)
