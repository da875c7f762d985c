"""What an estimate of impact is put together from: by hand, by other ways, by SciPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from dagster_monitoring.statistics.impact import (
    MOST_COLUMNS,
    _augmented,
    _distance,
    _drawn,
    _exact,
    _most_moved,
    column_shares,
)
from dagster_monitoring.statistics.multivariate import SampledRows


def test_the_estimate_and_its_error_by_hand():
    losses, weights = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 2.0, 4.0])
    expected = np.array([1.5, 1.5, 3.0, 3.5, 2.0, 4.0])
    # Weighted, what is left over has the mean (-0.25 + 0.25 + 0 + 1) / 4.
    value, error = _augmented(losses, expected, weights)
    assert value == pytest.approx(3.0 + 0.25 - 2.5)
    moved = np.array([-0.375, 0.125, -0.25, 0.5]) - np.array([-1.5, -0.5, 0.5, 1.5])
    assert error == pytest.approx(math.sqrt((moved**2).sum() / 16 + 1.0 / 2))


def test_shares_of_four_are_the_mean_over_all_orders():
    source = np.random.default_rng(1)
    players = [3, 5, 6, 9]
    worths = {
        frozenset(own): source.normal() if own else 0.0
        for size in range(5)
        for own in itertools.combinations(players, size)
    }
    gains = {player: [] for player in players}
    for order in itertools.permutations(players):
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            gains[player].append(worths[before | {player}] - worths[before])
    expected = {player: np.mean(own) for player, own in gains.items()}
    assert _exact(players, worths.__getitem__) == pytest.approx(expected)


def test_an_order_and_its_reverse_share_out_what_pairs_do():
    """A pair's worth falls to the later of the two: to either, in one of both orders."""
    source = np.random.default_rng(2)
    players = [0, 2, 3, 4, 7, 8, 9]
    alone = {player: source.normal() for player in players}
    pairs = {pair: source.normal() for pair in itertools.combinations(players, 2)}

    def worth(own):
        together = sum(gain for pair, gain in pairs.items() if own.issuperset(pair))
        return sum(alone[player] for player in own) + together

    expected = {
        player: alone[player] + sum(gain for pair, gain in pairs.items() if player in pair) / 2
        for player in players
    }
    assert _drawn(players, worth) == pytest.approx(expected)


def test_distances_are_scipys_and_missing_values_lie_beyond_all_others():
    source = np.random.default_rng(3)
    before, now = source.normal(size=70), source.normal(0.4, 1, 50)
    before[:9], now[:14] = np.nan, np.nan
    last = [np.where(np.isnan(own), 1e9, own) for own in (before, now)]
    expected = scipy.stats.ks_2samp(*last).statistic
    assert _distance(before, now, is_code=False) == pytest.approx(expected)


def test_a_distance_of_codes_is_half_of_what_the_shares_differ():
    before, now = np.array([0.0, 0.0, 1.0, np.nan]), np.array([0.0, 1.0, 1.0, 2.0, 2.0])
    # 2/4 and 1/5, 1/4 and 2/5, 0 and 2/5, 1/4 and 0.
    expected = (0.3 + 0.15 + 0.4 + 0.25) / 2
    assert _distance(before, now, is_code=True) == pytest.approx(expected)


def test_those_that_moved_the_most_are_kept_in_their_order():
    source = np.random.default_rng(4)
    before = source.normal(size=(500, 12))
    moves = np.array([0, 9, 8, 0, 7, 6, 5, 0, 4, 3, 2, 0]) / 4
    found = _most_moved(before, before + moves, (False,) * 12)
    assert found == [1, 2, 4, 5, 6, 8, 9, 10]
    assert len(found) == MOST_COLUMNS
    # As codes, values that are all different are all new: the first of them are kept.
    assert _most_moved(before, before + 10.0, (True,) * 12) == [*range(MOST_COLUMNS)]


def rows(values, kinds=(False, False)) -> SampledRows:
    return SampledRows(columns=("a", "b"), categorical=kinds, values=values)


def test_the_first_2000_rows_are_asked():
    source = np.random.default_rng(5)
    before, now = source.normal(size=(2000, 2)), source.normal(0.5, 1, size=(2000, 2))
    expected = column_shares(rows(before), before[:, 0], rows(now))
    far = np.full((50, 2), 1e6)
    more = column_shares(
        rows(np.concatenate([before, far])),
        np.append(before[:, 0], far[:, 0]),
        rows(np.concatenate([now, far])),
    )
    assert more == expected
    assert column_shares(rows(before), before[:, 0], rows(now[:0])) == {}
    assert column_shares(rows(before[:0]), before[:0, 0], rows(now)) == {}


def test_codes_are_categories_to_each_column_of_a_set():
    """The loss is high of every other code: no order of codes tells, each code alone does."""
    source = np.random.default_rng(6)
    codes = source.integers(0, 40, size=3000).astype(float)
    now = source.choice(np.arange(0.0, 40.0, 2), size=1000)
    numbers = source.normal(size=(2, 3000))
    for kinds, at in (((True, False), 0), ((False, True), 1)):
        before, then = np.empty((3000, 2)), np.empty((1000, 2))
        before[:, at], then[:, at] = codes, now
        before[:, 1 - at], then[:, 1 - at] = numbers[0], numbers[1][:1000]
        shares = column_shares(rows(before, kinds), (codes % 2 == 0) * 1.0, rows(then, kinds))
        assert [*shares.values()][at] == pytest.approx(0.5, abs=0.05)
        assert [*shares.values()][1 - at] == pytest.approx(0.0, abs=0.05)
