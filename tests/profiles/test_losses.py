"""Rows that a baseline keeps with the model's loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles import losses
from dagster_monitoring.profiles.baseline import build_baseline
from dagster_monitoring.profiles.losses import LOSS, QUARTER, losses_from_table, losses_to_table
from dagster_monitoring.profiles.projecting import RowNeeds
from dagster_monitoring.profiles.reading import hash_ids
from dagster_monitoring.profiles.sample import mixed
from dagster_monitoring.profiles.storage import ProfileStorage
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Ranking,
    Regression,
)

ROLES = Columns(id="id", timestamp="at", numeric=("x",), categorical=("kind",))
BINARY = BinaryClassification(label="y", prediction="p", score="s", positive=1)


def table(n=12_000, **changes):
    source = np.random.default_rng(2)
    columns = {
        "id": [f"row-{at}" for at in range(n)],
        "at": pa.array([0] * n, pa.timestamp("us", tz="UTC")),
        "x": source.normal(size=n),
        "kind": source.choice(["a", "b"], n),
        "s": source.random(n),
        "p": source.integers(0, 2, n),
        "y": source.integers(0, 2, n),
    }
    return pa.table({**columns, **changes})


def built(rows, task=BINARY, *, batch=5000, sampled=True):
    def read(names):
        present = [name for name in names if name in rows.column_names]
        return rows.select(present).to_batches(max_chunksize=batch)

    needs = RowNeeds(losses=sampled)
    return build_baseline(read, columns=ROLES, task=task, model_version="1", rows=needs)


def loss_of(baseline):
    return baseline.losses.values[:, baseline.losses.plan.columns.index(LOSS)]


def test_a_sample_holds_features_outputs_and_the_loss():
    rows = table()
    baseline = built(rows)
    kept = baseline.losses
    assert kept.plan.columns == ("x", "kind", "s", "p", QUARTER, LOSS)
    assert baseline.bins.sample.columns == ("x", "kind", "s", "p")
    assert kept.n == 10_000
    wrong = dict(
        zip(rows["x"].to_pylist(), rows["y"].to_numpy() != rows["p"].to_numpy(), strict=True)
    )
    assert loss_of(baseline).tolist() == [float(wrong[x]) for x in kept.values[:, 0].tolist()]


def test_batches_of_any_size_give_the_same_rows():
    rows = table()
    one, other = built(rows), built(rows, batch=777)
    assert one.version == other.version
    assert np.array_equal(one.losses.values, other.losses.values, equal_nan=True)


@pytest.mark.parametrize("batch", [1, 7, 60])
@pytest.mark.parametrize("size", [1, 6])
def test_of_more_rows_than_are_kept_those_of_the_lowest_ranks_are(batch, size, monkeypatch):
    """Whichever come first, and none without a loss among them; of one id, the lower values."""
    monkeypatch.setattr(losses, "ROWS", size)
    given = [None if at % 8 == 1 else at % 2 for at in range(60)]
    rows = table(60, id=[f"row-{at // 2}" for at in range(60)], y=pa.array(given))
    kept = built(rows, batch=batch).losses
    labelled = rows.filter(rows["y"].is_valid())
    ranks, x = mixed(hash_ids(labelled["id"].combine_chunks())), labelled["x"].to_numpy()
    lowest = np.lexsort((x, ranks))[:size]
    assert kept.ranks.tolist() == ranks[lowest].tolist()
    assert kept.values[:, 0].tolist() == x[lowest].tolist()
    assert np.isfinite(kept.values[:, -1]).all()
    assert kept.n_left_out == given.count(None)


def test_rows_whose_ids_are_lists_are_not_sampled():
    assert built(table(50, id=[[1]] * 50)).losses is None


def test_rows_without_a_label_a_prediction_or_an_id_are_left_out():
    n = 50
    changes = {
        "y": pa.array([None, *([1] * (n - 1))]),
        "p": pa.array([1, None, *([0] * (n - 2))]),
        "id": pa.array(["a", "b", None, *(f"r{at}" for at in range(n - 3))]),
    }
    kept = built(table(n, **changes)).losses
    assert (kept.n, kept.n_left_out) == (n - 3, 3)
    assert set(kept.values[:, -1]) == {1.0}


@pytest.mark.parametrize(
    ("task", "changes", "expected"),
    [
        (
            BinaryClassification(label="y", prediction="p", positive="yes"),
            {"y": ["yes", "no", "other"] * 10, "p": ["yes", "yes", "no"] * 10},
            [0.0, 1.0, 0.0],
        ),
        (
            MulticlassClassification(label="y", prediction="p"),
            {"y": ["a", "b", "c"] * 10, "p": ["a", "c", "d"] * 10},
            [0.0, 1.0, 1.0],
        ),
        (
            Regression(label="y", prediction="p"),
            {"y": [1.0, 2.0, -3.0] * 10, "p": [1.5, 2.0, 3.0] * 10},
            [0.5, 0.0, 6.0],
        ),
    ],
)
def test_the_loss_is_that_of_the_task(task, changes, expected):
    marked = table(30, x=np.tile([0.0, 1.0, 2.0], 10), **changes)
    baseline = built(marked, task)
    by_row = dict(zip(baseline.losses.values[:, 0], loss_of(baseline), strict=True))
    assert [by_row[x] for x in (0.0, 1.0, 2.0)] == expected


def test_there_are_none_without_labels_unasked_or_of_a_ranking():
    assert built(table().drop_columns(["y"])).losses is None
    assert built(table(), sampled=False).losses is None
    ranking = Ranking(label="y", prediction="s", group="kind")
    assert built(table(), ranking).losses is None


def test_other_labels_are_another_version():
    rows = table(100)
    other = rows.set_column(rows.column_names.index("y"), "y", rows["p"])
    assert built(rows).version != built(other).version
    assert built(rows, sampled=False).version == built(other, sampled=False).version


def test_a_baseline_is_read_back_with_its_losses(tmp_path):
    storage, baseline = ProfileStorage(tmp_path), built(table(200))
    storage.write_baseline("m", baseline)
    found = storage.read_baseline("m", baseline.version).losses
    assert found.plan == baseline.losses.plan
    assert found.ranks.tolist() == baseline.losses.ranks.tolist()
    assert np.array_equal(found.values, baseline.losses.values, equal_nan=True)
    plain = replace(built(table(200), sampled=False))
    storage.write_baseline("m", plain)
    assert storage.read_baseline("m", plain.version).losses is None


def test_a_table_gives_back_its_sample():
    sample = built(table(40, y=pa.array([None, *[1] * 39]))).losses
    assert sample.n_left_out == 1
    assert losses_from_table(losses_to_table(sample)).n_left_out == sample.n_left_out


def test_each_row_says_in_which_quarter_of_an_hour_it_was_predicted():
    n = 50
    minutes = np.arange(n) * 7
    moments = pa.array(minutes * 60_000_000, pa.timestamp("us", tz="UTC"))
    rows = table(n, at=moments)
    known = dict(zip(rows["x"].to_pylist(), (minutes // 15).tolist(), strict=True))

    def quarters(changed):
        kept = built(changed).losses
        place = kept.plan.columns.index(QUARTER)
        return dict(zip(kept.values[:, 0].tolist(), kept.values[:, place].tolist(), strict=True))

    assert quarters(rows) == known
    gaps = pa.array([None if at % 2 else 0 for at in range(n)], pa.timestamp("ns", tz="UTC"))
    found = list(quarters(table(n, at=gaps)).values())
    assert np.count_nonzero(np.isnan(found)) == n // 2
    for wrong in (["noon"] * n, pa.nulls(n)):
        assert np.isnan(list(quarters(table(n, at=wrong)).values())).all()
