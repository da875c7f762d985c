"""Rows by score: which are counted, ties, and what rounding leaves beyond the cap."""

import math

import numpy as np
import pytest

from dagster_monitoring.statistics.performance import ScoreCounts, _scores, binary_summary
from tests.statistics.labelled_rows import value


def test_a_score_that_is_missing_or_no_probability_is_not_scored():
    label = np.array([True, False, True, False])
    rows = binary_summary(label, label, np.array([0.5, np.nan, 1.5, -0.1]))
    assert (rows.n_labelled, rows.n_scored) == (4, 1)


def test_a_score_of_half_the_width_is_that_number():
    label = np.array([True, False])
    rows = binary_summary(label, label, np.array([0.1, 0.5], dtype=np.float32))
    assert rows.score_counts.scores.tolist() == [float(np.float32(0.1)), 0.5]
    assert rows.score_counts.positives.tolist() == [1, 0]


def test_scores_beyond_the_cap_are_rounded_in_their_order():
    """Rare events and very sure models keep their resolution: near 0 and near 1."""
    generator = np.random.default_rng(2)
    tiny = 10 ** generator.uniform(-8, -1, 400)
    scores = np.concatenate((tiny, 1 - tiny, [0.0, 1.0, 0.5]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", 10)
        counts = _scores.count_scores(np.sort(scores), np.zeros(len(scores), dtype=bool))
    assert not counts.exact
    assert counts.n == len(scores)
    assert len(counts.scores) > 0.97 * len(scores)
    placed = np.repeat(counts.scores, counts.negatives)
    side = np.minimum(np.sort(scores), 1 - np.sort(scores))
    assert (np.abs(placed - np.sort(scores)) <= side * 2.0**-12).all()


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
