"""Each fault of real files and services is one finding that says where and what to do."""

import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.validation import (
    Finding,
    check_baseline,
    check_channels,
    check_ground_truth,
    check_monitors,
    check_predictions,
    check_secrets,
    check_storage,
    check_store,
    check_trainer,
    validate,
)

ROWS = 240
LAST = "2024-03-03"
Declared = Callable[..., MonitoredModel]


def rows_of(day: int, prefix: str = "p") -> pa.Table:
    start = datetime(2024, 3, day, tzinfo=UTC)
    return pa.table(
        {
            "id": [f"{prefix}{day}-{i}" for i in range(ROWS)],
            "at": pa.array(
                [start + timedelta(minutes=6 * i) for i in range(ROWS)],
                pa.timestamp("us", tz="UTC"),
            ),
            "age": [float(i % 31) for i in range(ROWS)],
            "city": ["Oslo", "Rome", "Lima"] * (ROWS // 3),
            "late_pred": [i % 2 for i in range(ROWS)],
            "late_proba": [i / ROWS for i in range(ROWS)],
        }
    )


def write(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def labels_of(table: pa.Table) -> pa.Table:
    moment = [datetime(2024, 3, 5, tzinfo=UTC)] * len(table)
    return pa.table(
        {
            "id": table["id"],
            "late": [i % 2 for i in range(len(table))],
            "available_at": pa.array(moment, pa.timestamp("us", tz="UTC")),
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    baseline = rows_of(1, "b").append_column("late", pa.array([i % 2 for i in range(ROWS)]))
    write(baseline, tmp_path / "baseline.parquet")
    for day in (2, 3):
        write(rows_of(day), tmp_path / f"slices/day=2024-03-0{day}/part.parquet")
    write(labels_of(rows_of(2)), tmp_path / "labels/1.parquet")
    return tmp_path


@pytest.fixture
def declared(folder: Path) -> Declared:
    def declare(**changes: object) -> MonitoredModel:
        fields: dict[str, object] = {
            "model": "late",
            "task": {
                "type": "binary_classification",
                "label": "late",
                "prediction": "late_pred",
                "score": "late_proba",
            },
            "columns": {"id": "id", "timestamp": "at", "numeric": ["age"], "categorical": ["city"]},
            "partitions": {"start": "2024-03-02"},
            "baseline": {"type": "parquet", "path": "baseline.parquet"},
            "predictions": {"type": "parquet", "path": "slices/day={partition}/*.parquet"},
            "ground_truth": {"type": "parquet", "path": "labels/*.parquet"},
            "alerts": [{"type": "console"}],
        }
        return MonitoredModel.read({**fields, **changes}).rooted(folder)

    return declare


def of_level(findings: list[Finding], level: str) -> str:
    return " | ".join(f"{f.what}: {f.found} {f.remedy}" for f in findings if f.level == level)


def test_what_is_in_order_has_no_other_finding(declared: Declared):
    findings = validate(declared())
    assert {finding.level for finding in findings} == {"ok"}
    assert f"the slice of {LAST} has 240 rows" in of_level(findings, "ok")
    assert "240 of the 240 predictions of 2024-03-02 have a label" in of_level(findings, "ok")


def test_nothing_is_made_by_looking(declared: Declared, folder: Path):
    before = sorted(folder.rglob("*"))
    validate(declared())
    assert sorted(folder.rglob("*")) == before


def test_bad_data_never_stops_the_other_findings(declared: Declared, folder: Path):
    for file in folder.rglob("*.parquet"):
        file.write_bytes(b"no parquet at all")
    findings = validate(declared())
    faults = of_level(findings, "fault")
    assert faults.count("can't be read to its end") == 3
    assert {f.what for f in findings} >= {"baseline", "predictions", "ground_truth", "alerts[0]"}


def test_a_baseline_that_is_missing_or_small_is_a_fault(declared: Declared, folder: Path):
    small = pq.read_table(folder / "baseline.parquet").slice(0, 9)
    write(small, folder / "baseline.parquet")
    assert "9 rows, and at least 10" in of_level(check_baseline(declared()), "fault")
    (folder / "baseline.parquet").unlink()
    assert "no file at" in of_level(check_baseline(declared()), "fault")


def test_a_missing_column_says_the_nearest(declared: Declared):
    columns = {"id": "id", "timestamp": "at", "numeric": ["agee"]}
    for found in (
        check_baseline(declared(columns=columns)),
        check_predictions(declared(columns=columns), None),
    ):
        assert "no column 'agee'. Did you mean 'age'?" in of_level(found, "fault")


def test_a_type_that_does_not_fit_its_role_is_a_fault(declared: Declared, folder: Path):
    columns = {"id": "id", "timestamp": "at", "numeric": ["city"], "categorical": ["age"]}
    found = of_level(check_baseline(declared(columns=columns)), "fault")
    assert "city is string, not a number" in found
    day = rows_of(3)
    text = day.set_column(2, "age", day["age"].cast(pa.string()))
    write(text, folder / "slices/day=2024-03-03/zz.parquet")
    slices = check_predictions(declared(), None)
    assert "column 'age' is string, but double in" in of_level(slices, "warning")


@pytest.mark.parametrize(
    "change", [lambda t: t.cast(pa.timestamp("us")), lambda t: t.cast("int64")]
)
def test_a_timestamp_needs_a_zone(declared: Declared, folder: Path, change):
    day = rows_of(3)
    changed = day.set_column(1, "at", change(day["at"]))
    write(changed, folder / "slices/day=2024-03-03/part.parquet")
    found = of_level(check_predictions(declared(), LAST), "fault")
    assert "zone" in found


def test_labels_have_to_be_those_of_the_task(declared: Declared):
    task = {
        "type": "binary_classification",
        "label": "late",
        "prediction": "late_pred",
        "score": "age",
        "positive": "yes",
    }
    found = of_level(check_baseline(declared(task=task)), "fault")
    assert "never the positive 'yes'" in found
    assert "score age goes from 0 to 30" in found


def test_a_baseline_without_labels_or_with_constants_is_a_warning(declared: Declared, folder: Path):
    constant = rows_of(1).set_column(2, "age", pa.array([4.0] * ROWS))
    write(constant, folder / "baseline.parquet")
    found = of_level(check_baseline(declared()), "warning")
    assert "no column 'late', the label" in found
    assert "age is constant" in found


def test_a_baseline_that_reaches_into_production_is_a_warning(declared: Declared):
    model = declared(partitions={"start": "2024-03-01"})
    assert "goes to 2024-03-01" in of_level(check_baseline(model), "warning")


def test_rows_of_another_day_point_to_the_time_zone(declared: Declared):
    model = declared(partitions={"start": "2024-03-02", "timezone": "Asia/Tokyo"})
    found = of_level(check_predictions(model, LAST), "warning")
    assert "outside that day of Asia/Tokyo" in found
    assert "partitions.timezone" in found


def test_no_slice_at_all_and_none_of_a_day_are_faults(declared: Declared, folder: Path):
    assert "no file at" in of_level(check_predictions(declared(), "2024-03-09"), "fault")
    other = {"type": "parquet", "path": str(folder / "nowhere/{partition}.parquet")}
    assert "no file at" in of_level(check_predictions(declared(predictions=other), None), "fault")


@pytest.mark.parametrize(
    "path", ["slices/*/part.parquet", "slices/day={partition}", "slices/day={partition}/p*t"]
)
def test_the_newest_slice_is_found_by_name_or_by_timestamp(declared: Declared, folder: Path, path):
    if path.endswith("}"):
        for day in (2, 3):
            write(rows_of(day), folder / f"flat/{LAST[:-1]}{day}.parquet")
        path = "flat/{partition}.parquet"
    path = path.replace("p*t", "p*t.parquet")
    model = declared(predictions={"type": "parquet", "path": path})
    found = of_level(check_predictions(model, None), "ok")
    assert f"the slice of {LAST} has 240 rows" in found


def test_ids_that_match_no_prediction_are_a_fault_with_examples(declared: Declared, folder: Path):
    write(labels_of(rows_of(2, "L")), folder / "labels/1.parquet")
    found = of_level(check_ground_truth(declared(), None), "fault")
    assert "L2-0" in found
    assert "p2-0" in found
    assert "ground_truth.id" in found


def test_ids_kept_as_floats_match_whole_numbers(declared: Declared, folder: Path):
    day = rows_of(3)
    numbered = day.set_column(0, "id", pa.array([float(i) for i in range(ROWS)]))
    write(numbered, folder / "slices/day=2024-03-03/part.parquet")
    labels = labels_of(day)
    write(labels.set_column(0, "id", pa.array(range(ROWS))), folder / "labels/1.parquet")
    found = check_ground_truth(declared(), None)
    assert "240 of the 240 predictions of 2024-03-03" in of_level(found, "ok")


def test_a_feed_without_its_columns_or_files_is_said(declared: Declared, folder: Path):
    write(labels_of(rows_of(2)).drop_columns(["late"]), folder / "labels/1.parquet")
    assert "no column 'late'" in of_level(check_ground_truth(declared(), None), "fault")
    (folder / "labels/1.parquet").unlink()
    assert "no labels have arrived" in of_level(check_ground_truth(declared(), None), "warning")
    without = check_ground_truth(declared(ground_truth=None), None)
    assert "performance and label coverage are not judged" in of_level(without, "warning")


def test_labels_of_a_table_are_read_with_its_slices(declared: Declared, folder: Path):
    with sqlite3.connect(folder / "shop.db") as database:
        database.execute("create table scored (id text, at datetime, age float, city text, "
                         "late_pred integer, late_proba float)")  # fmt: skip
        database.execute("create table truth (id text, late integer, available_at datetime)")
        for i in range(ROWS):
            moment = f"2024-03-03 {i % 24:02}:00:00.000000"
            row = (f"s{i}", moment, float(i), "Oslo", i % 2, 0.5)
            database.execute("insert into scored values (?, ?, ?, ?, ?, ?)", row)
            database.execute("insert into truth values (?, ?, ?)", (f"s{i}", i % 2, moment))
    database.close()
    model = declared(
        predictions={"type": "sql", "url": "sqlite:///shop.db", "table": "scored"},
        ground_truth={"type": "sql", "url": "sqlite:///shop.db", "table": "truth"},
    )
    slices, labels = check_predictions(model, None), check_ground_truth(model, None)
    assert f"the slice of {LAST} has 240 rows" in of_level(slices, "ok")
    assert "no time zone" in of_level(slices, "warning")
    assert of_level(slices + labels, "fault") == ""
    assert "240 of the 240 predictions" in of_level(labels, "ok")


def test_a_secret_that_is_not_set_is_a_fault_with_its_field(
    declared: Declared, monkeypatch: pytest.MonkeyPatch
):
    slack = {"type": "slack", "channel": "#ml", "token": {"env": "A_TEST_TOKEN"}}
    model = declared(alerts=[slack])
    monkeypatch.delenv("A_TEST_TOKEN", raising=False)
    assert "alerts[0].token: environment variable A_TEST_TOKEN is not set" in of_level(
        check_secrets(model), "fault"
    )
    monkeypatch.setenv("A_TEST_TOKEN", "xoxb-secret")
    found = check_secrets(model)
    assert [f.level for f in found] == ["ok"]
    assert "secret" not in str(found)


def test_nobody_being_told_is_a_warning(declared: Declared):
    assert "nobody is told" in of_level(check_channels(declared(alerts=[])), "warning")


def test_an_extra_that_is_not_installed_is_a_fault_that_names_it(
    declared: Declared, monkeypatch: pytest.MonkeyPatch
):
    slack = {"type": "slack", "channel": "#ml", "token": {"env": "A_TEST_TOKEN"}}
    assert of_level(check_channels(declared(alerts=[slack])), "fault") == ""
    # This is how Python marks a package as not importable.
    monkeypatch.setitem(sys.modules, "slack_sdk", None)
    found = of_level(check_channels(declared(alerts=[slack])), "fault")
    assert "dagster-monitoring[slack]" in found


def test_a_store_that_cant_be_reached_is_a_fault_without_its_password(
    declared: Declared, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("A_STORE_URL", "postgresql://me:hunter2@127.0.0.1:1/none")
    storage = {"database": {"env": "A_STORE_URL"}}
    found = of_level(check_store(declared(storage=storage)), "fault")
    assert "storage.database" in found
    assert "hunter2" not in found
    other = declared(storage={"database": "mysql://me@localhost/x"})
    assert "SQLite or PostgreSQL" in of_level(check_store(other), "fault")


def test_a_store_that_is_another_file_is_a_fault(declared: Declared, folder: Path):
    (folder / "store.sqlite").write_text("this is not a database" * 100)
    model = declared(storage={"database": f"sqlite:///{folder}/store.sqlite"})
    assert "not a database" in of_level(check_store(model), "fault")


def test_storage_below_a_file_is_a_fault_and_elsewhere_is_probed(declared: Declared, folder: Path):
    (folder / "file").write_text("")
    blocked = declared(storage={"path": "file/monitoring"})
    assert "is not a folder" in of_level(check_storage(blocked), "fault")
    remote = declared(storage={"path": "memory://probe", "database": "sqlite:///x.db"})
    assert "can be written to" in of_level(check_storage(remote), "ok")
    import fsspec

    assert fsspec.filesystem("memory").find("/probe") == []


def test_a_trainer_has_to_be_found(declared: Declared):
    model = declared(retraining={"trainer": "no_such_project.train:fit"})
    assert "no module 'no_such_project'" in of_level(check_trainer(model), "fault")
    assert check_trainer(declared()) == []
    assert of_level(check_trainer(declared(retraining={})), "fault") == ""


def test_a_suite_has_to_be_there(declared: Declared, folder: Path):
    path = str(folder / "suite.json")
    model = declared(monitors=["default", {"type": "great_expectations", "path": path}])
    assert "no expectation suite" in of_level(check_monitors(model), "fault")
    Path(path).write_text('{"expectations": [{"type": "expect_column_to_exist", "kwargs": {}}]}')
    assert "1 expectations" in of_level(check_monitors(model), "ok")
