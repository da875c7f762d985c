"""Summaries add: in any grouping and order, to the summary of all rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.statistics.performance import (
    BinarySummary,
    MulticlassSummary,
    ScoreCounts,
    _multiclass,
    _scores,
    multiclass_summary,
    performance_metric,
    ranking_summary,
)
from tests.statistics.labelled_rows import EMPTY, TASKS, drawn_apart, quick, same, summarise, value


@TASKS
@pytest.mark.parametrize("exact_scores", [2**20, 5])
@quick
@given(data=st.data())
def test_parts_add_up_to_the_whole_in_any_grouping(task, exact_scores, data):
    parts = drawn_apart(data, task, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", exact_scores)
        a, b, c = (summarise(task, part) for part in parts)
        rows = [row for part in parts for row in part]
        whole = summarise(task, data.draw(st.permutations(rows)))
        assert same((a + b) + c, whole)
        assert same(a + (b + c), whole)


@TASKS
@quick
@given(data=st.data())
def test_addition_commutes_and_the_empty_summary_changes_nothing(task, data):
    a, b = (summarise(task, part) for part in drawn_apart(data, task, 2))
    assert same(a + b, b + a)
    assert same(a + EMPTY[task], a)
    assert same(EMPTY[task] + a, a)
    assert (a + b).n_labelled == a.n_labelled + b.n_labelled


def test_classes_are_united_when_added():
    one = multiclass_summary(np.array([0]), np.array([1]), classes=["b", "a"])
    other = multiclass_summary(np.array([0]), np.array([0]), classes=["c"])
    total = one + other
    assert total.classes == ("a", "b", "c")
    assert total.confusion.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_scores_of_one_part_survive_a_part_without_scores():
    scored = summarise("multiclass_classification", [(0, 1, (0.5, 0.25, 0.25))])
    bare = multiclass_summary(np.array([0]), np.array([0]), classes=["yew"])
    for total in (scored + bare, bare + scored):
        assert total.n_labelled == 2
        assert total.n_scored == 1
        assert [counts.n for counts in total.per_class] == [1, 1, 1, 0]


def test_a_million_class_names_take_bounded_room_and_add_in_any_order():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_multiclass, "MAX_CLASSES", 20)
        parts = []
        for start in (0, 40, 10):
            names = [f"c{i}" for i in range(start, start + 60)]
            at = np.arange(60)
            parts.append(multiclass_summary(at, np.roll(at, start), classes=names))
        a, b, c = parts
        assert same((a + b) + c, a + (b + c))
        assert same((a + b) + c, c + (a + b))
        total = (a + b) + c
    assert len(total.classes) == 20
    assert "<other>" in total.classes
    assert (total.n_labelled, total.n_correct) == (180, 60)
    assert performance_metric("accuracy").compute(total) == pytest.approx(1 / 3)


def test_summaries_of_no_class_and_of_some_add():
    some = multiclass_summary(np.array([0]), np.array([0]), classes=["b"])
    assert (MulticlassSummary() + some).confusion.tolist() == [[1]]
    assert (some + MulticlassSummary()).per_class == ()


def test_parts_of_several_classes_add_to_their_whole():
    label, guess = np.array([0, 1, 1, 2, 0]), np.array([0, 2, 1, 2, 1])
    score = np.random.default_rng(1).dirichlet([1, 1, 1], 5)

    def rows(at, classes="abc"):
        columns = dict(zip("abc", score[at].T, strict=True))
        return multiclass_summary(label[at], guess[at], classes=list(classes), scores=columns)

    whole, total = rows(slice(5)), rows(slice(2)) + rows(slice(2, 5), "abcd")
    assert total.classes == ("a", "b", "c", "d")
    assert total.confusion[:3, :3].tolist() == whole.confusion.tolist()
    assert (total.n_correct, total.n_scored) == (3, 5)
    assert total.rank_counts.tolist() == whole.rank_counts.tolist()
    for name in (
        "log_loss_sum",
        "log_loss_square_sum",
        "squared_error_sum",
        "squared_error_square_sum",
    ):
        assert float(getattr(total, name)) == float(getattr(whole, name)) > 0
    for one, own in zip(total.per_class, [*whole.per_class, ScoreCounts()], strict=True):
        assert one.scores.tolist() == own.scores.tolist()
        assert one.positives.tolist() == own.positives.tolist()
        assert one.negatives.tolist() == own.negatives.tolist()


def test_parts_of_two_classes_add_to_their_whole():
    rows = [
        BinarySummary(
            n_labelled=10 * i,
            true_negative=i,
            false_positive=2 * i,
            false_negative=3 * i,
            true_positive=4 * i,
            n_scored=5 * i,
        )
        for i in (1, 10, 11)
    ]
    assert counted(rows[0] + rows[1]) == counted(rows[2])


def counted(rows):
    names = [name for name in rows.__dataclass_fields__ if name != "score_counts"]
    return [getattr(rows, name) for name in names]


def test_scores_of_one_part_alone_are_those_of_the_whole():
    columns = {"a": np.array([0.7]), "b": np.array([0.3])}
    scored = multiclass_summary(np.array([0]), np.array([0]), classes=["a", "b"], scores=columns)
    bare = multiclass_summary(np.array([1]), np.array([0]), classes=["a", "b"])
    for total in (scored + bare, bare + scored):
        assert (total.n_labelled, total.n_scored, total.n_correct) == (2, 1, 1)
        assert [counts.scores.tolist() for counts in total.per_class] == [[0.7], [0.3]]
    assert (bare + bare).per_class == ()


def test_queries_without_a_relevant_row_are_counted_when_added():
    one = ranking_summary(np.array([1]), np.array([0.0]), np.array([1.0]), k=1)
    other = ranking_summary(np.array([2, 3]), np.array([0.0, 1.0]), np.array([1.0, 1.0]), k=1)
    total = one + other
    assert (total.n_labelled, total.n_queries, total.n_queries_without) == (3, 1, 2)
    assert value("map", total) == 1.0
