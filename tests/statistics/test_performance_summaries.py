"""Sums of labelled rows at their edges: groups, ties, caps, overflow and scores that are none."""

import math

import numpy as np
import pytest

from dagster_monitoring.statistics.performance import (
    OTHER_CLASSES,
    BinaryRows,
    BinarySummary,
    MulticlassRows,
    MulticlassSummary,
    ScoreCounts,
    _multiclass,
    _scores,
    binary_summary,
    multiclass_summary,
    performance_metric,
    ranking_summary,
)
from dagster_monitoring.statistics.performance._groups import Groups
from dagster_monitoring.statistics.undefined import Undefined

GROUPS = np.array([2, 0, 2, 0, 2])


def value(name, rows):
    return performance_metric(name).compute(rows)


def test_groups_keep_the_order_of_their_rows():
    for size in (3, 256, 257):
        groups = Groups(GROUPS, size)
        rows = groups.ordered(np.arange(5))
        assert [rows[own].tolist() for own in groups.parts[:3]] == [[1, 3], [], [0, 2, 4]]
        assert len(groups.parts) == size


def test_a_group_beyond_a_byte_stays_apart():
    groups = Groups(np.array([300, 44, 300, 256, 0]), 301)
    rows = groups.ordered(np.arange(5))
    assert [rows[groups.parts[at]].tolist() for at in (0, 44, 256, 300)] == [[4], [1], [3], [0, 2]]


def test_binary_groups_are_the_summaries_of_their_rows():
    label = np.array([True, True, False, False, True])
    guess = np.array([True, False, True, False, False])
    score = np.array([0.9, np.nan, 0.6, 0.2, 1.0])
    first, none, last = BinaryRows(label, guess, score).by_group(GROUPS, 3)
    assert (first.n_labelled, first.false_negative, first.true_negative) == (2, 1, 1)
    assert (first.n_scored, first.score_counts.scores.tolist()) == (1, [0.2])
    assert (none.n_labelled, none.n_scored, none.score_counts.n) == (0, 0, 0)
    assert (last.true_positive, last.false_positive, last.false_negative) == (1, 1, 1)
    assert (last.true_negative, last.n_scored) == (0, 3)
    assert last.score_counts.scores.tolist() == [0.6, 0.9, 1.0]
    assert last.score_counts.positives.tolist() == [0, 1, 1]
    assert last.score_counts.negatives.tolist() == [1, 0, 0]


def test_several_classes_by_group_are_the_summaries_of_their_rows():
    label, guess = np.array([0, 1, 1, 2, 0]), np.array([0, 2, 1, 2, 1])
    score = {
        "a": np.array([0.5, 0.2, 0.1, np.nan, 0.25]),
        "b": np.array([0.5, 0.2, 0.7, 0.3, 0.5]),
        "c": np.array([0.0, 0.6, 0.2, 0.7, 0.25]),
    }
    first, none, last = MulticlassRows(label, guess, classes=list("abc"), scores=score).by_group(
        GROUPS, 3
    )
    assert first.confusion.tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert (first.n_labelled, first.n_correct, first.n_scored) == (2, 1, 1)
    assert first.rank_counts.tolist() == [0, 1, *[0] * 8]
    assert float(first.log_loss_sum) == pytest.approx(-math.log(0.2))
    assert float(first.squared_error_sum) == pytest.approx(0.04 + 0.64 + 0.36)
    assert (none.n_labelled, none.n_scored, none.per_class) == (0, 0, ())
    assert (last.n_correct, last.n_scored) == (2, 3)
    assert float(last.log_loss_sum) == pytest.approx(-math.log(0.5 * 0.7 * 0.25))
    assert [counts.n for counts in last.per_class] == [3, 3, 3]
    assert last.per_class[0].scores.tolist() == [0.1, 0.25, 0.5]


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
    near, off = 0.5 + 4e-13, 0.5 + 4e-12
    for second, kept in ((near, True), (off, False)):
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


def test_summaries_of_no_class_and_of_some_add():
    some = multiclass_summary(np.array([0]), np.array([0]), classes=["b"])
    assert (MulticlassSummary() + some).confusion.tolist() == [[1]]
    assert (some + MulticlassSummary()).per_class == ()


def test_losses_beyond_the_cap_are_of_the_scores_as_they_were():
    score = np.array([0.1, 0.2, 0.3, 0.123456789])
    label = np.array([True, False, True, True])
    loss = -math.log(0.1) - math.log(0.8) - math.log(0.3) - math.log(0.123456789)
    square = 0.81 + 0.04 + 0.49 + (1 - 0.123456789) ** 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", 3)
        whole = binary_summary(label, label, score)
        parts = [binary_summary(label[at], label[at], score[at]) for at in (slice(3), slice(3, 4))]
        assert parts[0].losses is None
        added = parts[0] + parts[1]
        again = added + parts[1]
    for rows in (whole, added):
        assert not rows.score_counts.exact
        assert value("log_loss", rows) == pytest.approx(loss / 4, rel=1e-13)
        assert value("brier", rows) == pytest.approx(square / 4, rel=1e-13)
    assert value("brier", again) == pytest.approx((square + (1 - 0.123456789) ** 2) / 5, rel=1e-13)


def test_scores_are_rounded_to_thirteen_bits_of_their_distance_to_the_nearer_end():
    low, tiny = 0.25 + 2.0**-13, 2.0**-40
    score = np.array([0.0, tiny, low, low + 2.0**-16, 0.5, 1 - low, 1 - 2.0**-13, 1.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", 7)
        counts = _scores.count_scores(score, score > 0.4)
    assert counts.scores.tolist() == [0.0, low, 0.5, 1 - low, 1 - 2.0**-13, 1.0]
    assert counts.negatives.tolist() == [2, 2, 0, 0, 0, 0]
    assert counts.positives.tolist() == [0, 0, 1, 1, 1, 1]
    assert counts.exact is False


def test_as_many_scores_as_are_kept_are_exact():
    score = np.array([0.1, 0.2, 0.1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", 2)
        assert _scores.count_scores(score, score > 0.1).exact
        assert not (
            _scores.count_scores(score, score > 0.1)
            + _scores.count_scores(np.array([0.3]), np.array([True]))
        ).exact


def test_rounded_counts_of_no_rows_stay_rounded():
    rounded = ScoreCounts(exact=False)
    one = _scores.count_scores(np.array([1 / 3]), np.array([True]))
    for total in (rounded + one, one + rounded):
        assert total.exact is False
        assert total.n == 1
        assert total.scores[0] != 1 / 3
    assert (ScoreCounts() + rounded).exact is False
    assert (rounded + ScoreCounts()).exact is False


def test_a_minus_zero_is_the_score_zero():
    rows = binary_summary(np.array([True, False]), np.array([True, True]), np.array([-0.0, 0.0]))
    assert rows.score_counts.scores.tolist() == [0.0]
    assert math.copysign(1, rows.score_counts.scores[0]) == 1.0


def test_edges_of_equal_width_belong_to_the_bin_above():
    """Scores less labels: 0.1 of the first, 0.9 - 1 of the next four, 1.9 - 1 of the last two."""
    score = np.array([0.1, 0.2, 0.2, 0.25, 0.25, 0.9, 1.0])
    label = np.array([False, True, False, False, False, True, False])
    rows = binary_summary(label, label, score)
    assert value("ece", rows) == pytest.approx((0.1 + 0.1 + 0.9) / 7)


def test_bins_of_equal_mass_hold_a_tenth_each():
    score = np.arange(20) / 20
    label = np.tile([True, False], 10)
    rows = binary_summary(label, label, score)
    expected = np.abs((score - label).reshape(10, 2).sum(axis=1)).sum() / 20
    assert value("ece_equal_mass", rows) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("label", "score"), [(math.nan, 1.0), (math.inf, 1.0), (-1.0, 1.0), (1.0, math.nan)]
)
def test_a_row_that_cannot_be_ranked_is_left_out(label, score):
    query = np.array([1, 1, 2])
    rows = ranking_summary(query, np.array([2.0, 0.0, label]), np.array([1.0, 2.0, score]), k=3)
    assert (rows.n_labelled, rows.n_queries, rows.n_queries_without) == (2, 1, 0)
    assert value("mrr", rows) == 0.5


def test_a_ranking_by_hand():
    """Two queries: the second place of three is relevant, and a tie at the top of two."""
    query, label = np.array([7, 7, 7, 3, 3]), np.array([0.0, 2.0, 1.0, 0.0, 1.0])
    rows = ranking_summary(query, label, np.array([3.0, 2.0, 1.0, 5.0, 5.0]), k=2)
    assert (rows.n_labelled, rows.n_queries) == (5, 2)
    second = 1 / math.log2(3)
    gain = 2 * second / (2 + second)
    assert value("ndcg", rows) == pytest.approx((gain + (0.5 + 0.5 * second)) / 2)
    assert value("mrr", rows) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert value("precision_at_k", rows) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert value("map", rows) == pytest.approx(((1 / 2 + 2 / 3) / 2 + 1 / 2) / 2)


def test_queries_without_a_relevant_row_are_counted_when_added():
    one = ranking_summary(np.array([1]), np.array([0.0]), np.array([1.0]), k=1)
    other = ranking_summary(np.array([2, 3]), np.array([0.0, 1.0]), np.array([1.0, 1.0]), k=1)
    total = one + other
    assert (total.n_labelled, total.n_queries, total.n_queries_without) == (3, 1, 2)
    assert value("map", total) == 1.0


def test_scores_of_classes_that_are_not_kept_have_no_curve():
    rows = MulticlassSummary(
        classes=("a",), confusion=np.array([[3]]), n_scored=3, per_class=(ScoreCounts(),)
    )
    found = value("roc_auc", rows)
    assert isinstance(found, Undefined)
    assert "kept apart" in found.reason


def test_no_scores_of_two_classes_are_said_as_such():
    rows = BinarySummary(n_labelled=1, true_positive=1)
    for name in ("ece", "brier_skill", "roc_auc"):
        for ask in (performance_metric(name).compute, performance_metric(name).standard_error):
            assert "score within 0..1" in ask(rows).reason


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
    for one, same in zip(total.per_class, [*whole.per_class, ScoreCounts()], strict=True):
        assert one.scores.tolist() == same.scores.tolist()
        assert one.positives.tolist() == same.positives.tolist()
        assert one.negatives.tolist() == same.negatives.tolist()


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
    assert plain(rows[0] + rows[1]) == plain(rows[2])


def plain(rows):
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


def test_the_first_two_bins_are_two():
    label = np.array([False, True])
    rows = binary_summary(label, label, np.array([0.05, 0.15]))
    assert value("ece", rows) == pytest.approx((0.05 + 0.85) / 2)
    twenty = binary_summary(np.arange(20) >= 18, np.arange(20) >= 18, np.arange(20) / 100)
    assert value("ece_equal_mass", twenty) == pytest.approx((sum(range(18)) + 163) / 2000)


def test_scores_that_are_almost_equal_are_no_tie():
    query, label = np.array([1, 1]), np.array([0.0, 1.0])
    rows = ranking_summary(query, label, np.array([1e-20, 2e-20]), k=1)
    assert value("mrr", rows) == 1.0


def test_exact_scores_stay_as_they_are_when_added():
    one = _scores.count_scores(np.array([1 / 3]), np.array([True]))
    other = _scores.count_scores(np.array([1 / 7]), np.array([False]))
    assert (one + other).scores.tolist() == [1 / 7, 1 / 3]
    assert (one + other).exact is True
    assert (ScoreCounts(exact=False) + ScoreCounts(exact=False)).exact is False


def test_the_smallest_rounded_score_is_kept():
    score = np.array([2.0**-39 - 2.0**-60, 2.0**-39, 0.5])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", 2)
        counts = _scores.count_scores(score, np.ones(3, dtype=bool))
    assert counts.scores.tolist() == [0.0, 2.0**-39, 0.5]


def test_a_class_that_is_predicted_alone_has_no_recall():
    rows = multiclass_summary(np.array([0, 0, 1]), np.array([0, 2, 1]), classes=["a", "b", "c"])
    assert value("balanced_accuracy", rows) == 0.75


def test_one_positive_of_three_is_enough_for_a_skill():
    label = np.array([True, False, False])
    rows = binary_summary(label, label, np.array([0.5, 0.5, 0.0]))
    assert value("brier_skill", rows) == pytest.approx(1 - (0.5 / 3) / (2 / 9))


def test_one_row_that_is_wrong_agrees_by_nothing():
    rows = binary_summary(np.array([True]), np.array([False]), None)
    assert value("cohen_kappa", rows) == 0.0
    assert isinstance(value("mcc", rows), Undefined)
    two = binary_summary(np.array([True, False]), np.array([False, True]), None)
    assert (value("mcc", two), value("cohen_kappa", two)) == (-1.0, -1.0)


@pytest.mark.parametrize(
    ("label", "guess"),
    [([0, 0, 0], [0, 1, 1]), ([0, 1, 1], [0, 0, 0]), ([1, 1, 1], [1, 1, 1])],
)
def test_no_correlation_with_what_is_all_of_one_class(label, guess):
    rows = binary_summary(np.array(label) == 1, np.array(guess) == 1, None)
    for ask in (performance_metric("mcc").compute, performance_metric("mcc").standard_error):
        found = ask(rows)
        assert isinstance(found, Undefined)
        assert "one class" in found.reason


def test_rounding_lifts_no_ranking_above_1():
    """The mean of three times 0.1 is more than 0.1."""
    rows = ranking_summary(np.zeros(3, int), np.full(3, 0.1), np.zeros(3), k=1)
    assert float(rows.sums["ndcg"].total) > 1
    assert value("ndcg", rows) == 1.0
