"""Weekdays that differ, against SciPy's analysis of variance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from dagster_monitoring.statistics.seasons import in_season

WEEKDAYS = [day % 7 for day in range(28)]


def weeks(weekend: float, seed: int = 3) -> list[float]:
    noise = np.random.default_rng(seed).normal(size=28)
    return [float(x + weekend * (day > 4)) for x, day in zip(noise, WEEKDAYS, strict=True)]


@pytest.mark.parametrize("weekend", [1.0, 2.0, 3.0, 6.0])
def test_weekdays_count_where_scipys_f_test_says_so_beyond_doubt(weekend):
    for seed in range(20):
        values = np.array(weeks(weekend, seed))
        groups = [values[np.array(WEEKDAYS) == day] for day in range(7)]
        expected = stats.f_oneway(*groups).pvalue < 0.001
        assert (in_season(values.tolist(), WEEKDAYS, 0, length=7) is not None) == expected


def test_what_is_normal_is_the_weekdays_mean_and_the_spread_about_all_their_means():
    values = np.array(weeks(9.0))
    groups = [values[np.array(WEEKDAYS) == day] for day in range(7)]
    found = in_season(values.tolist(), WEEKDAYS, 6, length=7)
    assert found.mean == pytest.approx(groups[6].mean())
    pooled = np.mean([group.var(ddof=1) for group in groups])
    assert found.spread == pytest.approx(pooled**0.5)
    assert (found.freedom, found.n) == (21, 4)


@pytest.mark.parametrize(
    "kept", [range(21), [d for d in range(28) if d % 7 != 2 or d < 14]], ids=["3 weeks", "2 days"]
)
def test_fewer_than_four_weeks_or_three_of_a_weekday_say_nothing(kept):
    values = weeks(50.0)
    found = in_season([values[d] for d in kept], [WEEKDAYS[d] for d in kept], 0, length=7)
    assert found is None


def test_values_that_are_all_the_same_have_no_season_and_exact_seasons_no_spread():
    assert in_season([1.0] * 28, WEEKDAYS, 0, length=7) is None
    found = in_season([float(day) for day in WEEKDAYS], WEEKDAYS, 3, length=7)
    assert (found.mean, found.spread) == (3.0, 0.0)


def test_each_value_has_a_season():
    with pytest.raises(ValueError, match="28 values and 27 seasons"):
        in_season(weeks(0.0), WEEKDAYS[:-1], 0, length=7)


def test_24_values_with_three_of_each_weekday_are_enough():
    """One weekday of four is missing, another one each week."""
    kept = [day for day in range(28) if day not in {0, 8, 16, 24}]
    values = np.array(weeks(50.0))[kept]
    days = np.array(WEEKDAYS)[kept]
    assert (len(kept), np.bincount(days).min()) == (24, 3)
    found = in_season(values.tolist(), days.tolist(), 6, length=7)
    assert found.mean == pytest.approx(values[days == 6].mean())
    assert found.freedom == 24 - 7


def test_a_weekday_that_never_came_and_no_values_say_nothing():
    six = [day % 6 for day in range(28)]
    values = [50.0 * day for day in six]
    assert in_season(values, six, 0, length=6) is not None
    assert in_season(values, six, 0, length=7) is None
    assert in_season([], [], 0, length=7) is None


def test_a_unit_makes_no_difference():
    values = np.array(weeks(9.0))
    expected = in_season(values.tolist(), WEEKDAYS, 6, length=7)
    for unit in (1e-6, 1e6):
        found = in_season((values * unit).tolist(), WEEKDAYS, 6, length=7)
        assert found.mean == pytest.approx(expected.mean * unit)
        assert found.spread == pytest.approx(expected.spread * unit)
        quiet = np.array(weeks(0.0)) * unit
        assert in_season(quiet.tolist(), WEEKDAYS, 6, length=7) is None


@pytest.mark.parametrize(("share", "shows"), [(1 - 1e-6, True), (1 + 1e-6, False)])
def test_seasons_show_from_a_p_value_of_1_in_1000_on(share, shows):
    def p_value(weekend):
        values = np.array(weeks(weekend))
        return stats.f_oneway(*(values[np.array(WEEKDAYS) == day] for day in range(7))).pvalue

    weekend = optimize.brentq(lambda w: p_value(w) / (0.001 * share) - 1, 1, 6, xtol=1e-13)
    assert p_value(weekend) == pytest.approx(0.001 * share, rel=1e-8)
    assert (in_season(weeks(weekend), WEEKDAYS, 0, length=7) is not None) == shows
