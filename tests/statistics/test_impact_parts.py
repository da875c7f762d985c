"""What an estimate of impact is put together from: by hand, by other ways, by SciPy."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
import scipy.stats

from dagster_monitoring.statistics.impact import (
    MOST_COLUMNS,
    ErrorChange,
    _augmented,
    _distance,
    _drawn,
    _exact,
    _most_moved,
    _Worth,
    column_shares,
    error_change,
)
from dagster_monitoring.statistics.multivariate import SampledRows
from dagster_monitoring.statistics.undefined import Undefined


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


def test_codes_that_are_all_new_moved_however_near_they_are_in_number():
    source = np.random.default_rng(7)
    before = source.normal(size=(200, MOST_COLUMNS + 1))
    now = before + 0.8
    before[:, 0], now[:, 0] = np.arange(200) * 2 % 100, np.arange(200) * 2 % 100 + 1
    as_codes = (True, *[False] * MOST_COLUMNS)
    assert 0 in _most_moved(before, now, as_codes)
    assert 0 not in _most_moved(before, now, (False,) * (MOST_COLUMNS + 1))


def test_orders_are_the_same_each_time():
    def worth(own):
        return float(len(own) ** 3 + sum(own) ** 2 * len(own))

    players = [*range(8)]
    assert _drawn(players, worth) == _drawn(players, worth)
    assert _drawn(players, worth) != pytest.approx(_exact(players, worth))


@pytest.mark.parametrize(("columns", "share_out"), [(5, _exact), (6, _drawn)])
def test_all_sets_are_asked_of_five_columns_and_orders_of_six(columns, share_out):
    source = np.random.default_rng(8)
    before, now = source.normal(size=(80, columns)), source.normal(0.7, 1, size=(80, columns))
    expected = before.prod(axis=1)
    names, kinds = tuple("abcdef"[:columns]), (False,) * columns
    sides = (SampledRows(columns=names, categorical=kinds, values=own) for own in (before, now))
    reference, current = sides
    found = column_shares(reference, expected, current)
    by_place = share_out([*range(columns)], _Worth(before, expected, now, kinds))
    assert [*found.values()] == pytest.approx([*by_place.values()])
    other = (_drawn if share_out is _exact else _exact)(
        [*range(columns)], _Worth(before, expected, now, kinds)
    )
    assert [*found.values()] != pytest.approx([*other.values()])


def test_what_cannot_be_told_names_the_side_and_its_rows():
    source = np.random.default_rng(9)
    few, enough = (rows(source.normal(size=(n, 2))) for n in (99, 100))
    for reference, current, words in (
        (few, enough, "the baseline has 99 rows, and 100 are needed"),
        (enough, few, "the window has 99 rows, and 100 are needed"),
    ):
        found = error_change(reference, np.zeros(reference.n), current)
        assert isinstance(found, Undefined)
        assert found.reason == words
    worth = error_change(enough, np.zeros(100), enough)
    assert not isinstance(worth, Undefined) or "are worth" in worth.reason
    nothing = SampledRows(columns=(), categorical=(), values=np.zeros((100, 0)))
    found = error_change(nothing, np.zeros(100), nothing)
    assert isinstance(found, Undefined)
    assert "no column" in found.reason
    with pytest.raises(ValueError, match="other columns"):
        error_change(enough, np.zeros(100), nothing)


def test_codes_are_categories_to_what_weighs_rows():
    """The window holds a random half of the codes: those weigh 2 each, the others nothing."""
    source = np.random.default_rng(11)
    codes = np.repeat(np.arange(80.0), 20)
    here = source.permutation(80)[:40]
    before, now = (codes, codes[np.isin(codes, here)])
    sides = [
        SampledRows(columns=("c",), categorical=(True,), values=source.permutation(own)[:, None])
        for own in (before, now)
    ]
    found = error_change(sides[0], np.zeros(1600), sides[1])
    assert isinstance(found, ErrorChange)
    assert found.effective_n == pytest.approx(800, rel=0.1)


def test_rows_that_would_weigh_more_than_fifty_are_told():
    """One row in 200 is like most of the window: its weight is about 160 before it is cut."""
    source = np.random.default_rng(10)
    before, now = source.normal(size=(8000, 1)), source.normal(size=(2000, 1))
    before[::200], now[:1600] = 9.0, 9.0
    one = SampledRows(columns=("a",), categorical=(False,), values=before)
    found = error_change(one, np.zeros(8000), dataclasses.replace(one, values=now))
    assert isinstance(found, ErrorChange)
    assert 1 / 400 < found.clipped < 1 / 100


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
