"""Rows put together by group give the summary of each group alone."""

import math

import numpy as np
import pytest

from dagster_monitoring.statistics.performance import BinaryRows, MulticlassRows
from dagster_monitoring.statistics.performance._groups import Groups

GROUPS = np.array([2, 0, 2, 0, 2])


def test_groups_keep_the_order_of_their_rows():
    for size in (3, 256, 257):
        groups = Groups(GROUPS, size)
        rows = groups.ordered(np.arange(5))
        assert [rows[own].tolist() for own in groups.parts[:3]] == [[1, 3], [], [0, 2, 4]]
        assert len(groups.parts) == size


def test_many_rows_keep_their_order_too():
    group = np.random.default_rng(31).integers(0, 3, 3000)
    groups = Groups(group, 3)
    rows = groups.ordered(np.arange(3000))
    for at, own in enumerate(groups.parts):
        assert rows[own].tolist() == np.flatnonzero(group == at).tolist()


def test_a_group_beyond_a_byte_stays_apart():
    groups = Groups(np.array([300, 44, 300, 256, 0]), 301)
    rows = groups.ordered(np.arange(5))
    assert [rows[groups.parts[at]].tolist() for at in (0, 44, 256, 300)] == [[4], [1], [3], [0, 2]]


def test_rows_of_two_groups_are_parted():
    label, guess = np.array([True, False, True, True]), np.array([True, True, False, True])
    first, second = BinaryRows(label, guess, np.array([0.1, 0.2, 0.3, 0.4])).by_group(
        np.array([1, 0, 1, 0]), 2
    )
    assert (first.true_positive, first.false_positive, first.false_negative) == (1, 1, 0)
    assert (second.true_positive, second.false_positive, second.false_negative) == (1, 0, 1)
    assert first.score_counts.scores.tolist() == [0.2, 0.4]
    assert second.score_counts.scores.tolist() == [0.1, 0.3]


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
