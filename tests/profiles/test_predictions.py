"""Labels, predictions and scores of a batch, as a task reads them and as they are summed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.labels import class_names
from dagster_monitoring.profiles.names import short
from dagster_monitoring.profiles.predictions import (
    Classes,
    Values,
    join_queries,
    joined_columns,
    kept,
    output_columns,
    read_outputs,
    read_queries,
    score_columns,
    summable,
)
from dagster_monitoring.profiles.reading import hash_ids
from dagster_monitoring.schema import (
    BinaryClassification,
    MulticlassClassification,
    Ranking,
    Regression,
)
from dagster_monitoring.statistics.performance import binary_summary, multiclass_summary
from tests.profiles.conftest import plain

BINARY = BinaryClassification(label="y", prediction="p", score="s")
SEVERAL = MulticlassClassification(label="y", prediction="p", scores={"a": "sa", "b": "sb"})
REGRESSION = Regression(label="y", prediction="p")
RANKING = Ranking(label="y", prediction="p", group="q", k=2)


def classes(values) -> Classes:
    return Classes(*class_names(pa.array(values)))


def values(*given: float) -> Values:
    return Values(np.array(given, dtype=np.float64))


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1, 0, 1, 1]),
        pa.array([0, 0]),
        pa.array([7]),
        pa.array([10, 9, 2, 10], pa.int8()),
        pa.array([-1, 1, -10, 0]),
        pa.array([5, 5 + 4_095]),
        pa.array([5, 5 + 4_096]),
        pa.array([0, 2**62]),
        pa.array([-(2**62), 2**62]),
        pa.array([2**63 - 1, 2**63 - 2]),
        pa.array([2**64 - 1, 2**64 - 2], pa.uint64()),
        pa.array([255, 0, 3], pa.uint8()),
        pa.array([1, None, 0]),
        pa.array([], pa.int64()),
        pa.nulls(2, pa.int64()),
        pa.array([2.5, 1.0]),
        pa.array(["b", "a", "b"]),
    ],
)
@pytest.mark.parametrize("task", [BINARY, SEVERAL])
def test_outputs_are_the_classes_that_their_text_is(array, task):
    names, place = class_names(array.cast(pa.string()))
    found = read_outputs(array, task)
    assert found.names == names
    assert found.place.tolist() == place.tolist()
    assert found.place.dtype == np.intp
    assert found.known.tolist() == array.is_valid().to_pylist()


def test_classes_are_counted_by_name_and_those_of_no_row_are_not():
    found = Classes(["a", "b", "c", "d"], np.array([2, -1, 0, 2, -1]))
    assert dict(found.tally().counts) == {"a": 1, "c": 2}
    assert found.tally().total == 3
    # Of long names the first 200 letters and a hash are kept, as in every count of names.
    (name,) = Classes(["x" * 900], np.array([0, 0])).tally().counts
    assert len(name) < 300


@pytest.mark.parametrize("task", [REGRESSION, RANKING])
def test_numbers_are_known_where_they_are_finite_and_have_no_names(task):
    found = read_outputs(pa.array([1.5, None, np.nan, np.inf, -np.inf, 0.0]), task)
    assert found.known.tolist() == [True, False, False, False, False, True]
    assert found.tally().total == 0


def test_labels_and_predictions_of_different_kinds_are_refused():
    usable = np.array([True])
    for truth, guess in ((classes(["a"]), values(1.0)), (values(1.0), classes(["a"]))):
        for task in (BINARY, SEVERAL, REGRESSION):
            with pytest.raises(TypeError, match="labels and predictions"):
                summable(task, truth, guess, {}, usable)
        with pytest.raises(TypeError, match="labels and scores"):
            read_queries(pa.array(["q"]), truth, guess)
    with pytest.raises(TypeError, match="labels and scores"):
        read_queries(pa.array(["q"]), classes(["a"]), classes(["a"]))


USABLE = np.array([True, True, False, True, True])


def test_rows_of_two_classes_are_summed_as_the_declared_class_and_any_other():
    truth = classes(["bad", "good", "bad", "odd", "bad"])
    guess = classes(["good", "bad", "bad", "bad", "bad"])
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    task = BinaryClassification(label="y", prediction="p", positive="bad", score="s")
    for scores, given in (({"bad": score}, score[USABLE]), ({}, None)):
        (found,) = summable(task, truth, guess, scores, USABLE).by_group(np.zeros(4, int), 1)
        expected = binary_summary(
            np.array([True, False, False, True]), np.array([False, True, True, True]), given
        )
        assert plain(found) == plain(expected)
    assert (found.true_positive, found.false_positive, found.false_negative) == (1, 2, 1)


def test_rows_of_several_classes_are_summed_by_name_wherever_a_name_comes_from():
    long = "x" * 900
    truth = classes(["a", long, "a", "c", long])
    guess = classes(["b", long, "a", "a", "c"])
    scores = {name: np.full(5, 0.25) for name in ("a", "b", "only scored", long)}
    scores["a"] = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    (found,) = summable(SEVERAL, truth, guess, scores, USABLE).by_group(np.zeros(4, int), 1)
    names = sorted(["a", "b", "c", "only scored", short(long)])
    expected = multiclass_summary(
        np.array([names.index(name) for name in ("a", short(long), "c", short(long))]),
        np.array([names.index(name) for name in ("b", short(long), "a", "c")]),
        classes=names,
        scores={short(name): own[USABLE] for name, own in scores.items()},
    )
    assert plain(found) == plain(expected)
    assert (found.n_labelled, found.n_correct, found.n_scored) == (4, 1, 3)
    (bare,) = summable(SEVERAL, truth, guess, {}, USABLE).by_group(np.zeros(4, int), 1)
    assert (bare.n_labelled, bare.n_scored) == (4, 0)


def test_rows_of_numbers_are_summed_by_their_errors():
    truth, guess = values(1.0, 2.0, 9.0, 4.0, 5.0), values(1.0, 3.0, 0.0, 2.0, 9.0)
    (found,) = summable(REGRESSION, truth, guess, {}, USABLE).by_group(np.zeros(4, int), 1)
    assert found.n_labelled == 4
    assert (found.total("error"), found.total("absolute_error")) == (3.0, 7.0)


def test_rows_that_are_all_usable_are_not_copied():
    own = np.arange(3)
    assert kept(own, np.array([True] * 3)) is own
    assert kept(own, np.array([True, False, True])).tolist() == [0, 2]


def test_ranked_rows_have_a_query_a_score_and_a_label_of_at_least_0():
    query = pa.array(["a", "a", None, "b", "b", "b", "c"])
    label = values(1.0, np.nan, 1.0, 0.0, -1.0, 2.0, 3.0)
    score = values(0.1, 0.2, 0.3, 0.4, 0.5, np.nan, -0.5)
    found = read_queries(query, label, score)
    assert found.known.tolist() == [True, False, False, True, False, False, True]
    assert found.query.tolist() == hash_ids(pa.array(["a", "b", "c"])).tolist()
    assert found.label.tolist() == [1.0, 0.0, 3.0]
    assert found.score.tolist() == [0.1, 0.4, -0.5]


@pytest.mark.parametrize("query", [None, pa.array([[1], [2]])])
def test_rows_without_a_query_are_not_ranked(query):
    found = read_queries(query, values(1.0, 2.0), values(1.0, 2.0))
    assert found.known.tolist() == [False, False]
    assert (len(found.query), len(found.label), len(found.score)) == (0, 0, 0)


def test_ranked_rows_of_several_batches_are_as_of_one():
    query = pa.array(["a", None, "b", "a"])
    label, score = values(1.0, 1.0, 0.0, 2.0), values(0.5, 0.5, 0.25, 1.0)
    whole = read_queries(query, label, score)
    parts = [
        read_queries(query[own], Values(label.values[own]), Values(score.values[own]))
        for own in (slice(0, 1), slice(1, 2), slice(2, 4))
    ]
    joined = join_queries(iter(parts))
    for name in ("query", "label", "score", "known"):
        assert getattr(joined, name).tolist() == getattr(whole, name).tolist()


def test_each_group_of_ranked_rows_has_its_own_summary():
    query = pa.array(["a", "b", "a", "c"])
    ranked = read_queries(query, values(1.0, 0.0, 0.0, 1.0), values(1.0, 2.0, 3.0, 4.0))
    found = ranked.by_group(np.array([2, 0, 2, 2]), 4, k=2)
    assert [own.n_labelled for own in found] == [1, 0, 3, 0]
    assert [own.n_queries for own in found] == [0, 0, 2, 0]
    assert [own.n_queries_without for own in found] == [1, 0, 0, 0]
    # Query "a" has its relevant row second of two, "c" first of one.
    assert float(found[2].sums["mrr"].total) == pytest.approx(1 / 2 + 1)


def test_columns_that_a_task_reads():
    only = BinaryClassification(label="y", prediction="p", positive="bad", score="s")
    assert score_columns(only) == {"bad": "s"}
    assert score_columns(BinaryClassification(label="y", prediction="p")) == {}
    assert score_columns(SEVERAL) == {"a": "sa", "b": "sb"}
    assert score_columns(REGRESSION) == score_columns(RANKING) == {}
    assert output_columns(SEVERAL) == (("sa", "sb"), ("p",))
    assert output_columns(REGRESSION) == output_columns(RANKING) == (("p",), ())
    assert joined_columns(BINARY) == ("p", "s")
    assert joined_columns(SEVERAL) == ("p", "sa", "sb")
    assert joined_columns(REGRESSION) == ("p",)
    assert joined_columns(RANKING) == ("p", "q")
