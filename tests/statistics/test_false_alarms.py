"""Rates of false alarms, against other implementations and draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from dagster_monitoring.statistics.false_alarms import (
    MOST_ALPHA,
    _limits,
    alarm_rate,
    level_for,
    upper_normal,
)
from dagster_monitoring.statistics.limits import prediction_factor

SAMPLES = st.none() | st.integers(4, 60)


@pytest.mark.parametrize(
    ("n", "of_95", "of_99"), [(5, 3.04, 5.04), (10, 2.37, 3.41), (20, 2.14, 2.93), (30, 2.08, 2.80)]
)
def test_prediction_factors_are_those_of_the_published_table(n, of_95, of_99):
    """Hahn, Meeker (1991), table A.13: one further value, two-sided."""
    assert round(prediction_factor(n - 1, n, 0.025), 2) == of_95
    assert round(prediction_factor(n - 1, n, 0.005), 2) == of_99


@pytest.mark.parametrize("alpha", [0.02, 1e-4])
@pytest.mark.parametrize("window", [2, 3, 7])
def test_a_known_limit_is_crossed_by_windows_that_overlap_as_two_normal_values_cross_it(
    alpha, window
):
    both = stats.multivariate_normal(cov=[[1, 1 - 1 / window], [1 - 1 / window, 1]])
    limit = stats.norm.isf(alpha)
    expected = alpha - both.cdf([-limit, -limit])
    found = alarm_rate(alpha, n=None, window=window, in_a_row=1, tests=1)
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("n", [5, 14, 28])
def test_a_limit_from_few_values_is_crossed_twice_as_often_as_its_own_errors_say(n):
    """The chance of two in a row, over all means and spreads, by another quadrature."""
    alpha, freedom = 0.01, n - 1
    width = stats.t.isf(alpha, freedom) * math.sqrt(1 + 1 / n)

    spread, mean = np.linspace(1e-6, 4, 2000), np.linspace(-3, 3, 401)[:, None]
    beyond = stats.norm.sf(mean + width * spread)
    density = stats.chi.pdf(spread * math.sqrt(freedom), freedom) * math.sqrt(freedom)
    own = stats.norm.pdf(mean, scale=1 / math.sqrt(n)) * density
    over_means = integrate.simpson(own * beyond**2 * (1 - beyond), x=mean[:, 0], axis=0)
    expected = integrate.simpson(over_means, x=spread)
    found = alarm_rate(alpha, n=n, window=1, in_a_row=2, tests=1)
    assert found == pytest.approx(expected, rel=1e-3)
    assert found > 1.2 * alpha**2


def test_several_tests_alarm_as_often_as_draws_of_them_do():
    rng = np.random.default_rng(4)
    alpha, tests, days = 0.01, 5, 400_000
    trouble = (rng.random((days, tests)) < alpha).any(axis=1)
    begins = trouble[1:-1] & trouble[2:] & ~trouble[:-2]
    found = alarm_rate(alpha, n=None, window=1, in_a_row=2, tests=tests)
    assert found == pytest.approx(begins.mean(), abs=4 * math.sqrt(found / days))


@settings(deadline=None, max_examples=40)
@given(
    rate=st.floats(1e-7, 0.01),
    n=SAMPLES,
    window=st.integers(1, 10),
    in_a_row=st.integers(1, 4),
    tests=st.integers(1, 300),
)
def test_the_level_for_a_rate_spends_it_unless_it_would_be_an_error_too_often(
    rate, n, window, in_a_row, tests
):
    level = level_for(rate, n=n, window=window, in_a_row=in_a_row, tests=tests)
    spent = alarm_rate(level, n=n, window=window, in_a_row=in_a_row, tests=tests)
    any_test = 1 - (1 - level) ** tests
    assert spent <= rate * (1 + 1e-9)
    assert any_test <= MOST_ALPHA * (1 + 1e-9)
    assert spent >= rate * (1 - 1e-3) or any_test >= MOST_ALPHA * (1 - 1e-3)


@settings(deadline=None, max_examples=40)
@given(rate=st.floats(1e-6, 0.003), n=SAMPLES, tests=st.integers(1, 100))
def test_a_level_grows_with_the_budget_the_row_and_shrinks_with_the_tests(rate, n, tests):
    level = level_for(rate, n=n, tests=tests)
    assert level_for(rate * 2, n=n, tests=tests) > level
    assert level_for(rate, n=n, tests=tests, in_a_row=2) > level
    assert level_for(rate, n=n, tests=tests * 2) < level


@pytest.mark.parametrize("rate", [1e-6, 1e-3, 0.02])
def test_one_known_limit_of_days_alarms_where_a_day_beyond_follows_one_that_is_not(rate):
    level = (1 - math.sqrt(1 - 4 * rate)) / 2
    assert level_for(rate) == pytest.approx(level, rel=2e-6)


def test_what_can_not_be_a_rate_or_a_level_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        level_for(0.0)
    with pytest.raises(ValueError, match="strictly between"):
        alarm_rate(1.0, n=None, window=1, in_a_row=1, tests=1)


def test_the_upper_normal_quantile_is_scipys():
    assert upper_normal(1e-4) == pytest.approx(stats.norm.isf(1e-4))


@pytest.mark.parametrize("window", [1, 2, 3, 7])
def test_spreads_of_neighbours_go_together_as_in_draws(window):
    """With the square of the correlation that the squares of neighbours have."""
    rng, n = np.random.default_rng(7), 40
    daily = rng.normal(size=(20_000, window * n + 1))
    means = np.lib.stride_tricks.sliding_window_view(daily, window, axis=1).mean(axis=2)
    now, then = means[:, 1::window].var(axis=1), means[:, :-1:window].var(axis=1)
    correlation = np.corrcoef(now, then)[0, 1] if window > 1 else 1.0
    limits = _limits(n, window)
    mean = limits.weight @ limits.spread
    ahead = limits.next_spread @ limits.next_weight - mean
    variance = limits.weight @ (limits.spread - mean) ** 2
    slope = limits.weight @ ((limits.spread - mean) * ahead) / variance
    assert slope == pytest.approx(correlation**2, abs=0.03)
    # And the neighbours' own spreads vary as much.
    apart = (limits.next_spread - mean) ** 2 @ limits.next_weight
    assert limits.weight @ apart == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize(("window", "n", "alpha"), [(2, 14, 0.01), (3, 9, 0.01), (3, 28, 0.005)])
def test_limits_that_move_along_with_wide_windows_are_left_as_often_as_in_draws(window, n, alpha):
    """The chance that an alarm begins, where the past of each partition is its own."""
    rng = np.random.default_rng(6)
    factor = stats.t.isf(alpha, n - 1) * math.sqrt(1 + 1 / n)
    begun, draws = 0, 60_000
    for _ in range(3):
        daily = rng.normal(size=(draws, window * (n + 1) + 1))
        means = np.lib.stride_tricks.sliding_window_view(daily, window, axis=1).mean(axis=2)
        last = means.shape[1] - 1
        beyond = []
        for day in (last - 1, last):
            past = means[:, [day - window * step for step in range(1, n + 1)]]
            beyond.append(means[:, day] > past.mean(axis=1) + factor * past.std(axis=1, ddof=1))
        begun += int((beyond[1] & ~beyond[0]).sum())
    found = begun / (3 * draws)
    expected = alarm_rate(alpha, n=n, window=window, in_a_row=1, tests=1)
    assert found == pytest.approx(expected, rel=0.1)
