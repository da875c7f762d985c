from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.profiles.performance import PerformanceProfile, scan_performance
from dagster_monitoring.profiles.performance_profile import empty_performance, merge_performance
from dagster_monitoring.profiles.performance_serialization import from_table, to_table
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Regression,
)
from dagster_monitoring.statistics.performance import performance_metric
from tests.profiles.conftest import COLUMNS, TASK, make_rows

ROLES = Columns(id="id", timestamp="at")


def _scan(rows: list[pa.RecordBatch], labels: pa.Table | None) -> PerformanceProfile:
    return scan_performance(
        rows, labels=labels, columns=COLUMNS, task=TASK, segments={"city": ("Oslo", "Rome")}
    )


def _value(name: str, profile: PerformanceProfile) -> object:
    return performance_metric(name).compute(profile.summary)


def test_metrics_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rows = make_rows(2_000, seed=3)
    profile = _scan([rows], None)
    y, p, s = (rows[name].to_numpy() for name in ("late", "guess", "score"))
    assert _value("roc_auc", profile) == pytest.approx(metrics.roc_auc_score(y, s), rel=1e-12)
    assert _value("f1", profile) == pytest.approx(metrics.f1_score(y, p), rel=1e-12)
    assert _value("log_loss", profile) == pytest.approx(metrics.log_loss(y, s), rel=1e-12)
    own = np.array([c == "Oslo" for c in rows["city"].to_pylist()])
    part = profile.segments["city=Oslo"]
    assert part.n == own.sum()
    assert performance_metric("accuracy").compute(part.summary) == pytest.approx(
        metrics.accuracy_score(y[own], p[own])
    )
    assert sum(part.n for part in profile.segments.values()) == 2_000


def test_labels_are_joined_by_id_in_any_order() -> None:
    rows = make_rows(500, seed=3)
    order = np.random.default_rng(0).permutation(500)[:300]
    labels = pa.table(
        {
            "prediction_id": pa.chunked_array(
                [rows["id"].take(pa.array(order[:10])), rows["id"].take(pa.array(order[10:]))]
            ),
            "label": rows["late"].take(pa.array(order)),
        }
    )
    foreign = pa.table({"prediction_id": ["nobody"], "label": pa.array([1], pa.int32())})
    joined = _scan([rows], pa.concat_tables([labels, foreign]))
    direct = _scan([rows.take(pa.array(np.sort(order)))], None)
    assert (joined.n, joined.n_labelled) == (500, 300)
    for cell in ("true_positive", "false_positive", "true_negative", "false_negative"):
        assert getattr(joined.summary, cell) == getattr(direct.summary, cell)
    assert joined.label_counts == direct.label_counts


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(0, 300))
def test_any_split_gives_the_same_counts_and_profiles_add(cut: int) -> None:
    rows = make_rows(300, seed=7)
    parts = [rows.slice(0, cut), rows.slice(cut)]
    whole, split = _scan([rows], None), _scan(parts, None)
    added = merge_performance([_scan([part], None) for part in parts], task=TASK)
    for profile in (split, added, added + empty_performance(TASK)):
        assert to_table(profile).equals(to_table(whole))
        assert profile.summary.true_positive == whole.summary.true_positive
        assert {k: v.n for k, v in profile.segments.items()} == {
            k: v.n for k, v in whole.segments.items()
        }
        assert profile.prediction_counts == whole.prediction_counts


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (pa.array([1, 0, None, 1]), 1),
        (pa.array([1.0, 0.0, None, 1.0]), 1),
        (pa.array(["1", "0", None, "1"]), 1),
        (pa.array(["1.0", "0.0", None, "1.0"]), 1),
        (pa.array([True, False, None, True]), 1),
        (pa.array([1, 0, None, 1]), True),
        (pa.array(["true", "False", None, "True"]), True),
        (pa.array(["bad", "good", None, "bad"]).dictionary_encode(), "bad"),
    ],
)
def test_a_label_means_the_same_in_any_type(labels: pa.Array, positive: int | str | bool) -> None:  # noqa: FBT001 - a label
    task = BinaryClassification(label="y", prediction="p", positive=positive)
    text = isinstance(positive, str)
    rows = pa.record_batch(
        {
            "id": [1, 2, 3, 4],
            "p": ["bad", "bad", "bad", "good"] if text else [1, 1, 1, 0],
        }
    )
    table = pa.table({"prediction_id": ["1", "2", "3", "4"], "label": labels})
    found = scan_performance([rows], labels=table, columns=ROLES, task=task)
    cells = found.summary
    assert (found.n, found.n_labelled) == (4, 3)
    assert (cells.true_positive, cells.false_positive, cells.false_negative) == (1, 1, 1)


def test_several_classes_are_counted_by_truth_and_guess() -> None:
    task = MulticlassClassification(label="y", prediction="p", scores={"a": "sa", "b": "sb"})
    rows = pa.record_batch(
        {
            "id": ["1", "2", "3"],
            "p": ["a", "b", "a"],
            "y": ["a", "a", None],
            "sa": [0.9, 0.2, 0.5],
            "sb": [0.1, 0.8, 0.5],
        }
    )
    found = scan_performance([rows], labels=None, columns=ROLES, task=task)
    assert found.summary.classes == ("a", "b")
    assert found.summary.confusion.tolist() == [[1, 1], [0, 0]]
    assert found.summary.n_scored == 2
    again = from_table(to_table(found))
    assert again.summary.confusion.tolist() == found.summary.confusion.tolist()
    assert again.summary.log_loss_sum == found.summary.log_loss_sum


def test_a_regression_takes_numbers_written_as_text_and_leaves_out_the_rest() -> None:
    task = Regression(label="y", prediction="p")
    rows = pa.record_batch({"id": ["1", "2", "3", "4"], "p": [1.5, 2.0, None, 1.0]})
    table = pa.table({"prediction_id": ["4", "3", "2", "1"], "label": ["oops", "1", "4", "1"]})
    found = scan_performance([rows], labels=table, columns=ROLES, task=task)
    assert (found.n_labelled, found.summary.n_labelled, found.n_without_prediction) == (4, 2, 1)
    assert found.summary.absolute_error_sum == pytest.approx(2.5)
    assert from_table(to_table(found)).summary.absolute_error_sum == pytest.approx(2.5)


@pytest.mark.parametrize("dropped", ["guess", "score", "id", "city"])
def test_a_column_that_is_not_there_stops_nothing(dropped: str) -> None:
    rows = make_rows(50, seed=1)
    labels = pa.table({"prediction_id": rows["id"], "label": rows["late"]})
    found = _scan([rows.drop_columns([dropped])], labels)
    assert found.n == 50
    assert found.n_labelled == (0 if dropped == "id" else 50)
    assert found.n_without_prediction == (50 if dropped == "guess" else 0)
    assert found.summary.n_scored == (50 if dropped == "city" else 0)
    assert found.segments["city=<other>"].n == 50 or dropped != "city"


@pytest.mark.parametrize(
    "labels",
    [
        pa.table({"prediction_id": pa.array([], pa.string()), "label": pa.array([], pa.int8())}),
        pa.table({"prediction_id": pa.nulls(2, pa.string()), "label": [1, 0]}),
        pa.table({"prediction_id": ["p1", "p2"], "label": pa.nulls(2)}),
    ],
)
def test_without_labels_nothing_is_labelled(labels: pa.Table) -> None:
    found = _scan([make_rows(20, seed=1)], labels)
    assert (found.n, found.n_labelled, found.summary.n_labelled) == (20, 0, 0)


def test_a_table_without_labels_is_refused() -> None:
    with pytest.raises(SchemaMismatchError, match="no column 'label'"):
        _scan([], pa.table({"prediction_id": ["a"]}))
