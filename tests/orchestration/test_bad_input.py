"""Bad input: one clear status or error, while other columns, monitors and days go on.

One range run judges a row of days with another fault each; the tests look at what it left.
"""

import numpy as np
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.evaluation import Severity, Status
from tests.orchestration.faults import DAY, FAULTS, MONITORS, cell, serve_fault
from tests.orchestration.world import ROWS, World, day_of, labels, morning, new_world, rows


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


def test_pictures_of_a_slice_are_whole_after_bad_ones(world):
    """Profiles of every day that had rows are there, those of bad days too."""
    folder = world.folder / "monitoring" / "late" / "profiles"
    kept = {path.stem for path in folder.rglob("*.parquet")}
    assert kept >= {day_of(n) for n in range(len(FAULTS)) if FAULTS[n] != "no file"}
    for path in folder.rglob("*.parquet"):
        pq.read_table(path)
