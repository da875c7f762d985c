from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.profiles import performance
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.performance import PerformanceProfile, scan_performance
from dagster_monitoring.profiles.performance_profile import empty_performance, merge_performance
from dagster_monitoring.profiles.performance_serialization import from_table, to_table
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Ranking,
    Regression,
)
from dagster_monitoring.statistics.performance import performance_metric, performance_metrics
from dagster_monitoring.statistics.undefined import Undefined
from tests.profiles.conftest import COLUMNS, TASK, make_rows

ROLES = Columns(id="id", timestamp="at")


def _scan(rows: list[pa.RecordBatch], labels: pa.Table | None) -> PerformanceProfile:
    return scan_performance(
        rows, labels=labels, columns=COLUMNS, task=TASK, segments={"city": ("Oslo", "Rome")}
    )


def _value(name: str, profile: PerformanceProfile) -> object:
    return performance_metric(name).compute(profile.summary)


def test_metrics_are_those_of_scikit_learn() -> None:
    from sklearn import metrics

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


KINDS = {
    "binary": BinaryClassification(label="y", prediction="p", score="sa"),
    "several": MulticlassClassification(
        label="c", prediction="d", scores={"a": "sa", "b": "sb", "e": "se"}
    ),
    "regression": Regression(label="v", prediction="w"),
    "ranking": Ranking(label="r", prediction="w", group="q", k=3),
}


def _rows_of_every_kind(n: int, seed: int) -> pa.RecordBatch:
    generator = np.random.default_rng(seed)
    scores = generator.dirichlet([1, 1, 1], n)
    names = np.array(["a", "b", "e"])
    value = generator.lognormal(3, 1, n)
    return pa.record_batch(
        {
            "id": np.arange(n),
            "city": np.array(["Oslo", "Rome", "Lima"])[generator.integers(0, 3, n)],
            "sa": scores[:, 0],
            "sb": scores[:, 1],
            "se": scores[:, 2],
            "p": (scores[:, 0] > 0.4).astype(np.int32),
            "y": (generator.random(n) < scores[:, 0]).astype(np.int32),
            "c": names[generator.integers(0, 3, n)],
            "d": names[scores.argmax(axis=1)],
            "v": pa.array(value, mask=generator.random(n) < 0.05),
            "w": value * generator.lognormal(0, 0.2, n),
            "r": generator.choice([0.0, 0.0, 1.0, 2.5, -1.0], n),
            "q": pa.array(generator.integers(0, 40, n), mask=generator.random(n) < 0.05),
        }
    )


def _scan_kind(kind: str, batches: list[pa.RecordBatch]) -> PerformanceProfile:
    return scan_performance(
        batches,
        labels=None,
        columns=ROLES,
        task=KINDS[kind],
        segments={"city": ("Oslo", "Rome")},
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(0, 300), max_size=3), seed=st.integers(0, 9))
def test_any_split_in_any_order_gives_the_same_bytes(kind: str, cuts: list[int], seed: int) -> None:
    rows = _rows_of_every_kind(300, seed=5)
    whole = _scan_kind(kind, [rows])
    generator = np.random.default_rng(seed)
    mixed = rows.take(pa.array(generator.permutation(300)))
    edges = [0, *sorted(cuts), 300]
    parts = [mixed.slice(a, b - a) for a, b in itertools.pairwise(edges)]
    with pytest.MonkeyPatch.context() as patch:
        # So that small batches are not joined before they are counted.
        patch.setattr(performance, "_CELLS", 1)
        patch.setattr(performance, "_FEWEST_ROWS", 1)
        split = _scan_kind(kind, parts)
    assert to_bytes(to_table(split)) == to_bytes(to_table(whole))
    if kind != "ranking":
        added = merge_performance((_scan_kind(kind, [p]) for p in parts), task=KINDS[kind])
        assert to_bytes(to_table(added)) == to_bytes(to_table(whole))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_profile_survives_being_stored(kind: str) -> None:
    found = _scan_kind(kind, [_rows_of_every_kind(300, seed=6)])
    table = to_table(found)
    again = from_table(table)
    assert to_bytes(to_table(again)) == to_bytes(table)
    for metric in performance_metrics().values():
        if KINDS[kind].type in metric.tasks:
            for ask in (metric.compute, metric.standard_error):
                value = ask(found.summary)
                assert isinstance(value, float)
                assert ask(again.summary) == value
                part = "city=Rome"
                assert ask(again.segments[part].summary) == ask(found.segments[part].summary)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_segment_is_as_its_rows_alone(kind: str) -> None:
    rows = _rows_of_every_kind(300, seed=8)
    alone = _scan_kind(kind, [rows.filter(pc.equal(rows["city"], "Oslo"))])
    whole = _scan_kind(kind, [rows])
    for metric in performance_metrics().values():
        if KINDS[kind].type in metric.tasks:
            expected = metric.compute(alone.summary)
            assert metric.compute(whole.segments["city=Oslo"].summary) == expected


def test_a_query_that_lies_in_two_batches_is_one() -> None:
    rows = pa.record_batch(
        {"id": [1, 2, 3], "q": ["7", "7", "7"], "r": [0.0, 0.0, 1.0], "w": [3.0, 2.0, 1.0]}
    )
    task = Ranking(label="r", prediction="w", group="q")
    for batches in ([rows], [rows.slice(0, 2), rows.slice(2)]):
        found = scan_performance(batches, labels=None, columns=ROLES, task=task)
        assert found.summary.n_queries == 1
        assert _value("mrr", found) == pytest.approx(1 / 3)
        assert (found.n, found.n_labelled) == (3, 3)


@pytest.mark.parametrize("dropped", ["q", "w", "r"])
def test_a_ranking_without_a_column_has_no_value_and_stops_nothing(dropped: str) -> None:
    rows = _rows_of_every_kind(50, seed=1).drop_columns([dropped])
    found = _scan_kind("ranking", [rows])
    assert found.n == 50
    assert isinstance(_value("ndcg", found), Undefined)


def test_a_million_distinct_classes_do_not_make_a_table_of_their_square() -> None:
    n = 30_000
    names = [f"c{i}" for i in range(n)]
    rows = pa.record_batch({"id": np.arange(n), "p": names, "y": names})
    task = MulticlassClassification(label="y", prediction="p")
    found = scan_performance([rows], labels=None, columns=ROLES, task=task)
    assert len(found.summary.classes) <= 200
    assert _value("accuracy", found) == 1.0


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
    assert found.summary.total("absolute_error") == pytest.approx(2.5)
    assert from_table(to_table(found)).summary.total("absolute_error") == pytest.approx(2.5)


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
