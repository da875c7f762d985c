"""Tables by class: whose scores count, ranks, and which classes are kept apart."""

import math

import numpy as np
import pytest

from dagster_monitoring.statistics.performance import (
    OTHER_CLASSES,
    _multiclass,
    binary_summary,
    multiclass_summary,
    two_classes,
)
from tests.statistics.labelled_rows import value


def test_a_row_whose_true_class_has_no_score_is_not_scored():
    rows = multiclass_summary(
        np.array([0, 1]), np.array([0, 0]), classes=["a", "b"], scores={"a": np.array([0.5, 0.5])}
    )
    assert (rows.n_labelled, rows.n_scored) == (2, 1)


def test_two_classes_have_their_table_by_truth_and_guess():
    rows = binary_summary(np.array([True, True, False]), np.array([True, False, True]), None)
    assert two_classes(rows).tolist() == [[0, 1], [1, 1]]


def test_the_table_of_each_class_against_the_rest():
    label, guess = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 1])
    rows = multiclass_summary(label, guess, classes=["a", "b", "c"])
    cells = [
        (own.true_positive, own.false_positive, own.false_negative, own.true_negative)
        for own in map(rows.against_rest, rows.classes)
    ]
    assert cells == [(1, 1, 1, 3), (1, 2, 0, 3), (1, 0, 2, 3)]
    assert {rows.against_rest(name).n_labelled for name in rows.classes} == {6}
    assert rows.against_rest("a").n_scored == 0
    assert rows.against_rest("yew").n_labelled == 0


def test_a_score_called_other_is_not_that_of_a_class_without_one():
    columns = {"a": np.array([0.25]), OTHER_CLASSES: np.array([0.75])}
    rows = multiclass_summary(
        np.array([1]), np.array([0]), classes=["a", "b", "<other>"], scores=columns
    )
    assert (rows.n_labelled, rows.n_scored) == (1, 0)


def test_a_sure_and_right_score_costs_what_the_clip_leaves():
    columns = {"a": np.array([1.0]), "b": np.array([0.0])}
    rows = multiclass_summary(np.array([0]), np.array([0]), classes=["a", "b"], scores=columns)
    assert float(rows.log_loss_sum) == pytest.approx(-math.log1p(-1e-15), rel=1e-2, abs=0)


@pytest.mark.parametrize("score", [(1.0, 0.0), (0.0, 1.0)])
def test_a_sure_score_is_a_score(score):
    columns = {"a": np.array([score[0]]), "b": np.array([score[1]])}
    rows = multiclass_summary(np.array([0]), np.array([0]), classes=["a", "b"], scores=columns)
    assert rows.n_scored == 1
    assert value("log_loss", rows) == pytest.approx(-math.log(max(score[0], 1e-15)), abs=2e-15)
    assert value("brier", rows) == 2 * (1 - score[0])
    two = binary_summary(np.array([True]), np.array([True]), np.array([score[0]]))
    assert two.n_scored == 1


@pytest.mark.parametrize(
    "score", [(0.5, math.nan), (math.nan, 0.5), (1.5, 0.5), (0.5, 1.5), (-0.1, 0.5), (0.0, 0.0)]
)
def test_a_row_with_a_score_that_is_none_is_not_scored(score):
    columns = {"a": np.array([score[0]]), "b": np.array([score[1]])}
    rows = multiclass_summary(np.array([0]), np.array([0]), classes=["a", "b"], scores=columns)
    assert (rows.n_labelled, rows.n_scored) == (1, 0)


def test_scores_are_divided_by_their_sum_for_losses_alone():
    columns = {"a": np.array([0.2]), "b": np.array([0.3])}
    rows = multiclass_summary(np.array([0]), np.array([0]), classes=["a", "b"], scores=columns)
    assert value("log_loss", rows) == pytest.approx(-math.log(0.4))
    assert value("brier", rows) == pytest.approx(0.36 + 0.36)
    assert rows.per_class[0].scores.tolist() == [0.2]


def test_a_sum_that_is_a_rounded_one_is_left_as_it_is():
    for second, kept in ((0.5 + 2.0**-40, True), (0.5 + 2.0**-40 + 2.0**-52, False)):
        columns = {"a": np.array([0.5]), "b": np.array([second])}
        rows = multiclass_summary(np.array([0]), np.array([0]), classes=["a", "b"], scores=columns)
        assert (float(rows.log_loss_sum) == -math.log(0.5)) is kept


def test_the_place_of_the_true_class_counts_ties_from_the_last_name():
    names = list("abcdefghijkl")
    columns = {name: np.full(12, 1 / 12) for name in reversed(names)}
    label = np.arange(12)
    rows = multiclass_summary(label, label, classes=names, scores=columns)
    assert rows.rank_counts.tolist() == [1] * 10
    assert rows.n_scored == 12
    assert value("top_5_accuracy", rows) == 5 / 12


def test_scores_of_some_classes_alone_leave_the_others_without_counts():
    columns = {"a": np.array([0.6, 0.3, 0.5]), "c": np.array([0.4, 0.7, 0.5])}
    rows = multiclass_summary(
        np.array([0, 2, 1]), np.array([0, 0, 0]), classes=["a", "b", "c"], scores=columns
    )
    assert rows.n_scored == 2
    assert [counts.n for counts in rows.per_class] == [2, 0, 2]
    assert rows.rank_counts[0] == 2


def test_as_many_classes_as_are_kept_are_all_kept():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_multiclass, "MAX_CLASSES", 3)
        label = np.arange(3)
        three = multiclass_summary(label, label, classes=["b", "c", "a"])
        assert three.classes == ("a", "b", "c")
        label = np.arange(4)
        score = dict(zip("abcd", np.full((4, 4), 0.25), strict=True))
        four = multiclass_summary(label, np.zeros(4, dtype=int), classes=list("abcd"), scores=score)
        assert len(four.classes) == 3
        assert OTHER_CLASSES in four.classes
        assert (four.n_labelled, four.n_correct, four.n_scored) == (4, 1, 4)
        other = four.classes.index(OTHER_CLASSES)
        assert four.confusion[other].sum() == 2
        assert sorted(counts.n for counts in four.per_class) == [0, 4, 4]


def test_classes_are_kept_by_a_hash_that_no_release_changes():
    """A stored profile names those it kept: the choice has to be that of ``b2sum -l 64``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_multiclass, "MAX_CLASSES", 3)
        kept = _multiclass.kept_classes([f"c{i}" for i in range(20)] + ["\ud800", OTHER_CLASSES])
    assert kept == ("<other>", "c12", "c2")
