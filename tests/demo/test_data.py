"""The demo's data are what their README says, and hold what the demo needs."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

import dagster_monitoring.demo.world as demo
from dagster_monitoring.schema import Partitions

DATA = Path(demo.__file__).parent / "data"
NEW_YORK = Partitions(start="2013-01-01", timezone="America/New_York")


@pytest.fixture(scope="module")
def baseline() -> pa.Table:
    return pq.read_table(DATA / "baseline.parquet")


@pytest.fixture(scope="module")
def production() -> pa.Table:
    return pa.concat_tables(pq.read_table(p) for p in sorted(DATA.glob("production-*.parquet")))


@pytest.fixture(scope="module")
def labels() -> pa.Table:
    return pq.read_table(DATA / "labels.parquet")


def test_the_readme_lists_every_file_with_its_rows():
    table = re.findall(
        r"^\| `(\S+\.parquet)` \| ([\d,]+) \|", (DATA / "README.md").read_text(), re.MULTILINE
    )
    listed = {name: int(rows.replace(",", "")) for name, rows in table}
    assert listed == {p.name: pq.read_metadata(p).num_rows for p in DATA.glob("*.parquet")}


def test_the_files_stay_small():
    assert sum(p.stat().st_size for p in DATA.glob("*.parquet")) < 4_000_000


def test_no_prediction_id_occurs_twice(baseline: pa.Table, production: pa.Table):
    ids = [*baseline["prediction_id"].to_pylist(), *production["prediction_id"].to_pylist()]
    assert len(ids) == len(set(ids))


def test_timestamps_carry_utc_and_lie_in_their_spans(baseline: pa.Table, production: pa.Table):
    for table, first, last in (
        (baseline, "2013-01-01", "2013-03-31"),
        (production, "2013-04-01", "2013-11-30"),
    ):
        assert table.schema.field("timestamp").type == pa.timestamp("us", tz="UTC")
        days = {NEW_YORK.key_of(t) for t in table["timestamp"].to_pylist()}
        assert days == set(NEW_YORK.between(first, last))


def test_out_of_fold_predictions_perform_as_the_readme_says(baseline: pa.Table):
    late, score = baseline["delayed15"].to_numpy(), baseline["delay15_proba"].to_numpy()
    assert roc_auc_score(late, score) == pytest.approx(0.691, abs=5e-4)
    assert late.mean() == pytest.approx(0.227, abs=5e-4)
    log_loss = -np.log(np.where(late == 1, score, 1 - score)).mean()
    assert log_loss == pytest.approx(0.494, abs=5e-4)


def test_predicted_classes_follow_the_cut_off(baseline: pa.Table):
    expected = baseline["delay15_proba"].to_numpy() >= demo.CUTOFF
    assert (baseline["delay15_pred"].to_numpy() == expected).all()


def test_every_label_is_of_a_flight_that_was_scored(production: pa.Table, labels: pa.Table):
    assert set(labels["prediction_id"].to_pylist()) < set(production["prediction_id"].to_pylist())


def test_labels_arrive_after_the_landing_and_in_order(labels: pa.Table):
    assert pc.all(pc.greater(labels["available_at"], labels["event_time"])).as_py()
    arrivals = labels["available_at"].to_numpy()
    assert (np.diff(arrivals) >= np.timedelta64(0)).all()


def test_most_labels_arrive_within_a_day_and_some_much_later(labels: pa.Table):
    delay = pc.subtract(labels["available_at"], labels["event_time"]).to_numpy()
    days = delay / np.timedelta64(1, "D")
    assert (days <= 25 / 24).mean() > 0.95
    assert (days > 5).sum() > 500


def test_corrections_change_the_value_and_come_later(labels: pa.Table):
    rows = labels.to_pandas()
    first = rows[rows["revision"] == 1].drop_duplicates("prediction_id")
    corrections = rows[rows["revision"] == 2].drop_duplicates("prediction_id")
    both = corrections.merge(first, on="prediction_id", suffixes=("", "_wrong"))
    assert len(both) == len(corrections) == 614
    assert (both["delayed15"] == 1 - both["delayed15_wrong"]).all()
    assert (both["event_time"] == both["event_time_wrong"]).all()
    assert (both["available_at"] > both["available_at_wrong"]).all()


def test_redeliveries_repeat_the_value(labels: pa.Table):
    rows = labels.to_pandas()
    of_one_revision = rows.groupby(["prediction_id", "revision"])["delayed15"]
    assert of_one_revision.nunique().max() == 1
    assert of_one_revision.ngroups == len(rows) - 295


@pytest.mark.parametrize(
    ("day", "least"),
    [
        ("2013-05-23", 0.5),
        ("2013-06-13", 0.6),
        ("2013-07-01", 0.6),
        ("2013-08-08", 0.5),
        ("2013-08-09", 0.5),
        ("2013-09-12", 0.5),
    ],
)
def test_the_storms_are_in_the_labels(
    production: pa.Table, labels: pa.Table, day: str, least: float
):
    start, end = NEW_YORK.bounds(day)
    flights = production.to_pandas()
    of_day = flights[(flights["timestamp"] >= start) & (flights["timestamp"] < end)]
    last_word = (
        labels.to_pandas().sort_values("revision").drop_duplicates("prediction_id", keep="last")
    )
    assert of_day.merge(last_word, on="prediction_id")["delayed15"].mean() >= least
