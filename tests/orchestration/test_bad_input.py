"""Bad input: one clear status or error, while other columns, monitors and days go on.

One range run judges a row of days with another fault each; the tests look at what it left.
"""

import json
import os
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.errors import DeclarationError, StoreError
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.running import RunFailedError
from tests.orchestration.world import (
    MOMENT,
    ROWS,
    World,
    baseline_rows,
    day_of,
    fields_of,
    labels,
    morning,
    new_world,
    rows,
    write,
)

FAULTS = (
    "good",
    "missing column",
    "extra column",
    "wrong type in one file",
    "empty file",
    "corrupt file",
    "no bytes",
    "no file",
    "duplicate ids",
    "outside the day",
    "no zone",
    "many categories",
    "infinities",
    "hostile value",
    "one class",
    "all null",
    "no ids",
    "good again",
)
DAY = {fault: number for number, fault in enumerate(FAULTS)}
HOSTILE = "<script>alert(1)</script>'; DROP TABLE x;--\n| a | b |\r\n=1+1"
MONITORS = [
    {"type": "data_quality"},
    {"type": "drift", "columns": "all", "window": 1},
    {"type": "performance", "metrics": ["accuracy", "roc_auc"], "window": 1},
    {"type": "label_coverage"},
]


def put(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def serve_fault(world: World, fault: str) -> None:
    number = DAY[fault]
    table = rows(number)
    path = world.serve(number, table)
    moments = table["at"].to_pylist()
    other_moments = [m - timedelta(days=2) if i < 15 else m for i, m in enumerate(moments)]
    replaced = {
        "missing column": lambda: table.drop(["temp"]),
        "extra column": lambda: table.append_column("novel", table["size"]),
        "empty file": lambda: table.slice(0, 0),
        "duplicate ids": lambda: put(table, "id", ["d8-0"] * 30 + table["id"].to_pylist()[30:]),
        "outside the day": lambda: put(table, "at", pa.array(other_moments, MOMENT)),
        "no zone": lambda: put(table, "at", table["at"].cast(pa.timestamp("us"))),
        "many categories": lambda: put(
            rows(number, 50_000), "city", [f"town-{i}" for i in range(50_000)]
        ),
        "infinities": lambda: put(
            table, "temp", [np.inf, -np.inf, np.nan] * 5 + table["temp"].to_pylist()[15:]
        ),
        "hostile value": lambda: put(
            table, "city", [HOSTILE] * 40 + table["city"].to_pylist()[40:]
        ),
        "all null": lambda: put(table, "temp", pa.nulls(ROWS, pa.float64())),
        "no ids": lambda: table.drop(["id"]),
    }
    if fault in replaced:
        write(replaced[fault](), path)
    elif fault == "wrong type in one file":
        write(table.slice(0, 100), path)
        text = put(table.slice(100), "temp", [f"{v} °C" for v in table["temp"].to_pylist()[100:]])
        world.serve(number, text, file="part-1")
    elif fault == "corrupt file":
        path.write_bytes(path.read_bytes()[:-200])
    elif fault == "no bytes":
        path.write_bytes(b"")
    elif fault == "no file":
        path.unlink()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with new_world(tmp_path_factory.mktemp("bad"), monitors=MONITORS) as found:
        for number, fault in enumerate(FAULTS):
            serve_fault(found, fault)
            given = None
            if fault == "one class":
                given = np.zeros(ROWS, np.int64)
            found.label(f"l{number:02}", labels(rows(number), morning(number), values=given))
        found.clock.now = morning(len(FAULTS))
        found.setup()
        found.range(0, len(FAULTS) - 1)
        yield found


def cell(world: World, fault: str, monitor: str, metric: str, column=None) -> Evaluation:
    return world.cell(DAY[fault], monitor, metric, column)


def assert_others_go_on(world: World, fault: str, *, but: str) -> None:
    """Every other column has its drift, and performance its value."""
    for column in ("temp", "size", "kind", "late_proba", "late_pred"):
        if column != but:
            assert cell(world, fault, "drift", "psi", column).value is not None, column
    assert cell(world, fault, "performance", "accuracy").value > 0.6


@pytest.mark.parametrize("fault", FAULTS)
def test_every_day_has_a_verdict_of_every_monitor(world, fault):
    found = {e.monitor for e in world.of_day(DAY[fault])}
    assert found == {"data_quality", "drift", "performance", "label_coverage"}
    for asset in ("drift", "data_quality", "performance"):
        (record, *_) = [r for r in world.checks(asset, asset) if r.partition == day_of(DAY[fault])]
        assert record.evaluation.description


@pytest.mark.parametrize("fault", ["good", "good again"])
def test_good_days_between_are_healthy(world, fault):
    assert [e for e in world.of_day(DAY[fault]) if e.severity is Severity.ERROR] == []
    assert cell(world, fault, "performance", "roc_auc").status is Status.HEALTHY


def test_a_missing_column_is_named(world):
    quality = cell(world, "missing column", "data_quality", "missing_columns")
    assert (quality.status, quality.value) == (Status.TRIGGERED, 1.0)
    assert "temp" in quality.reason
    drift = cell(world, "missing column", "drift", "psi", "temp")
    assert (drift.status, drift.severity) == (Status.NO_DATA, Severity.WARN)
    assert_others_go_on(world, "missing column", but="temp")


def test_an_extra_column_is_named(world):
    quality = cell(world, "extra column", "data_quality", "extra_columns")
    assert quality.value == 1.0
    assert "novel" in quality.reason
    assert_others_go_on(world, "extra column", but="")


def test_a_wrong_type_in_one_file_counts_its_rows(world):
    quality = cell(world, "wrong type in one file", "data_quality", "type_faults", "temp")
    assert quality.status is Status.TRIGGERED
    assert quality.value == pytest.approx(50 / 150)
    assert_others_go_on(world, "wrong type in one file", but="temp")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("corrupt file", ("part-0.parquet", "can't be read to its end", "Write it again")),
        ("no bytes", ("part-0.parquet", "0 bytes", "write it again")),
        ("no file", ("no file at", "Check that the slice was written")),
        ("empty file", ("no rows",)),
    ],
)
def test_a_slice_without_rows_says_why_and_never_passes(world, fault, words):
    found = world.of_day(DAY[fault])
    passing = {e.metric for e in found if e.severity is None and e.status is Status.HEALTHY}
    assert passing <= {"missing_columns", "extra_columns"}, passing
    for monitor in ("drift", "performance"):
        assert {e.status for e in found if e.monitor == monitor} == {Status.NO_DATA}
        assert all(e.severity for e in found if e.monitor == monitor)
    assert cell(world, fault, "data_quality", "row_volume").severity is Severity.ERROR
    reasons = " ".join(e.reason or "" for e in found if e.monitor in {"drift", "data_quality"})
    for word in words:
        assert word in reasons, reasons
    if fault != "empty file":
        assert f"late, partition {day_of(DAY[fault])}" in reasons


def test_duplicate_ids_are_counted_and_joined_all(world):
    quality = cell(world, "duplicate ids", "data_quality", "duplicate_ids")
    assert quality.value == pytest.approx(29 / 150)
    assert quality.status is Status.TRIGGERED
    assert cell(world, "duplicate ids", "performance", "accuracy").value is not None


def test_timestamps_outside_the_day_are_counted(world):
    quality = cell(world, "outside the day", "data_quality", "outside_partition")
    assert quality.value == pytest.approx(15 / 150)
    assert quality.status is Status.TRIGGERED
    assert_others_go_on(world, "outside the day", but="")


def test_timestamps_without_a_zone_count_as_utc(world):
    assert cell(world, "no zone", "data_quality", "outside_partition").value == 0.0
    assert_others_go_on(world, "no zone", but="")


def test_a_category_of_very_many_values_is_bounded(world):
    quality = cell(world, "many categories", "data_quality", "new_categories", "city")
    assert quality.value == pytest.approx(1.0)
    assert quality.severity is not None
    assert len(quality.reason) < 2_000
    stored = world.folder / "monitoring" / "late" / "profiles"
    (file,) = stored.rglob(f"{day_of(DAY['many categories'])}.parquet")
    assert file.stat().st_size < 300_000
    assert cell(world, "many categories", "drift", "psi", "city").severity is Severity.ERROR
    assert cell(world, "many categories", "drift", "psi", "size").value is not None


def test_infinities_are_counted_and_the_rest_is_judged(world):
    quality = cell(world, "infinities", "data_quality", "non_finite", "temp")
    assert quality.value == pytest.approx(10 / 150)
    assert cell(world, "infinities", "drift", "psi", "temp").value < 1
    assert_others_go_on(world, "infinities", but="temp")


def test_one_class_leaves_roc_auc_without_a_value_and_accuracy_with_one(world):
    roc = cell(world, "one class", "performance", "roc_auc")
    assert (roc.status, roc.severity) == (Status.NO_DATA, Severity.WARN)
    assert "no positive label" in roc.reason
    assert cell(world, "one class", "performance", "accuracy").value is not None


def test_an_all_null_column_is_missing_and_has_no_drift(world):
    assert cell(world, "all null", "data_quality", "missing_share", "temp").value == 1.0
    assert cell(world, "all null", "data_quality", "missing_share", "temp").severity is not None
    assert cell(world, "all null", "drift", "psi", "temp").status is Status.NO_DATA
    assert_others_go_on(world, "all null", but="temp")


def test_without_ids_no_label_is_joined_and_the_rest_is_judged(world):
    reason = cell(world, "no ids", "performance", "accuracy").reason
    assert cell(world, "no ids", "performance", "accuracy").status is Status.NO_DATA
    assert reason
    assert cell(world, "no ids", "drift", "psi", "temp").value is not None
    assert cell(world, "no ids", "label_coverage", "label_coverage").severity is not None


def test_a_hostile_value_is_data_in_the_store_and_harmless_in_what_is_shown(world, tmp_path):
    quality = cell(world, "hostile value", "data_quality", "new_categories", "city")
    assert quality.value == pytest.approx(40 / 150)
    assert "DROP TABLE" in quality.reason
    (record,) = [
        r
        for r in world.checks("data_quality", "data_quality")
        if r.partition == day_of(DAY["hostile value"])
    ]
    found = record.evaluation
    assert "\n" not in found.description
    for row in found.metadata["evaluations"].records:
        assert all("\n" not in str(v) and "\r" not in str(v) for v in row.data.values())
    plot = found.metadata["plot"].md_str
    assert "<script" not in plot
    assert "\n" not in plot

    project = tmp_path / "hostile_project.py"
    declared = json.loads(world.model.model_dump_json(exclude_unset=True, exclude={"root"}))
    project.write_text(
        "import json, pathlib, dagster_monitoring as m\n"
        f"declared = json.loads({json.dumps(json.dumps(declared))})\n"
        f"root = pathlib.Path({str(world.folder)!r})\n"
        "model = m.MonitoredModel.read(declared).rooted(root)\n"
        "defs = m.build_monitoring_defs(model)\n"
    )
    for form in ("table", "csv", "json"):
        command = [sys.executable, "-c", "from dagster_monitoring.cli.main import main; main()"]
        options = ["history", "late", "-m", "hostile_project", "--column", "city"]
        day = day_of(DAY["hostile value"])
        shown = subprocess.run(  # noqa: S603 - this project's own commands
            [*command, *options, "--since", day, "--until", day, "--format", form],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "400"},
        )
        assert shown.returncode == 0, shown.stderr
        assert "script" in shown.stdout
        if form == "json":
            assert {row["column"] for row in json.loads(shown.stdout)} == {"city"}


def test_a_day_twice_is_judged_twice_and_kept_once(world):
    before = world.of_day(DAY["good"])
    world.day(DAY["good"])
    assert world.of_day(DAY["good"]) == before
    with world.store() as store:
        assert store.labels.coverage("late", day_of(DAY["good"])).n_predictions == ROWS


def test_what_was_stored_stays_when_a_slice_breaks_later(world):
    """The file of a judged day is damaged, and the day judged again: labels joined before stay."""
    number = DAY["good again"]
    before = world.cell(number, "performance", "accuracy")
    path = world.folder / "slices" / f"day={day_of(number)}" / "part-0.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:500])
    world.day(number)
    assert world.cell(number, "drift", "psi", "temp").status is Status.NO_DATA
    history = world.evaluations("drift", as_of=before.evaluated_at)
    assert history
    with world.store() as store:
        assert store.labels.coverage("late", day_of(number)).n_labelled == ROWS
    path.write_bytes(whole)
    world.day(number)
    assert world.cell(number, "performance", "accuracy").value == before.value


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


def test_an_unreachable_database_is_named_without_its_password(tmp_path):
    storage = {"path": "monitoring", "database": "postgresql://me:pa55word@127.0.0.1:1/none"}
    with new_world(tmp_path, storage=storage) as world:
        world.serve(0)
        with pytest.raises(StoreError, match=r"127\.0\.0\.1") as raised:
            world.setup()
        assert "pa55word" not in str(raised.value)
        with pytest.raises(RunFailedError) as failed:
            world.day(0)
        assert "pa55word" not in str(failed.value)
        assert "Check that the database runs" in str(failed.value)


def test_pictures_of_a_slice_are_whole_after_bad_ones(world):
    """Profiles of every day that had rows are there, those of bad days too."""
    folder = world.folder / "monitoring" / "late" / "profiles"
    kept = {path.stem for path in folder.rglob("*.parquet")}
    assert kept >= {day_of(n) for n in range(len(FAULTS)) if FAULTS[n] != "no file"}
    for path in folder.rglob("*.parquet"):
        pq.read_table(path)
