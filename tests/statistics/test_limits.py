"""Learned limits against scipy's t distribution, a hand-made table and simulation."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.statistics.limits import prediction_limits
from dagster_monitoring.statistics.undefined import Undefined


@pytest.mark.parametrize("n", [2, 5, 14, 28])
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
def test_both_limits_are_the_t_interval_of_one_more_value(n, alpha):
    past = np.random.default_rng(n).normal(3, 2, n)
    limits = prediction_limits(past.tolist(), alpha=alpha, sides="both")
    scale = past.std(ddof=1) * math.sqrt(1 + 1 / n)
    expected = stats.t.interval(1 - alpha, n - 1, loc=past.mean(), scale=scale)
    assert limits == pytest.approx(expected, rel=1e-9)


def test_one_sided_limits_put_all_of_alpha_on_their_side():
    past = [1.0, 2.0, 4.0, 5.0]
    both = prediction_limits(past, alpha=0.1, sides="both")
    assert prediction_limits(past, alpha=0.05, sides="upper") == (None, pytest.approx(both[1]))
    assert prediction_limits(past, alpha=0.05, sides="lower") == (pytest.approx(both[0]), None)


def test_three_values_by_a_printed_table():
    """t(2, 0.975) is 4.303; mean 2, s = 1, sqrt(4/3) = 1.1547."""
    lower, upper = prediction_limits([1.0, 2.0, 3.0], alpha=0.05, sides="both")
    assert lower == pytest.approx(2 - 4.303 * 1.1547, abs=1e-3)
    assert upper == pytest.approx(2 + 4.303 * 1.1547, abs=1e-3)


@pytest.mark.parametrize("n", [3, 14])
def test_false_alarms_are_as_many_as_asked_for(n):
    generator = np.random.default_rng(8)
    runs, alpha = 3000, 0.05
    outside = 0
    for row in generator.normal(0, 1, (runs, n + 1)):
        lower, upper = prediction_limits(row[:-1], alpha=alpha, sides="both")
        outside += not lower <= row[-1] <= upper
    assert outside / runs == pytest.approx(alpha, abs=4 * math.sqrt(alpha * (1 - alpha) / runs))


def test_more_past_gives_narrower_limits():
    limits = [prediction_limits([0.0, 1.0] * k, alpha=0.01, sides="both") for k in (1, 2, 7, 14)]
    widths = [upper - lower for lower, upper in limits]
    assert all(wide > narrow for wide, narrow in pairwise(widths))


@pytest.mark.parametrize("past", [[], [1.0]])
def test_too_little_past_is_undefined(past):
    limits = prediction_limits(past, alpha=0.01, sides="both")
    assert isinstance(limits, Undefined)
    assert f"there are {len(past)}" in limits.reason


def test_a_probability_too_small_to_be_told_from_0_beside_1_still_gives_limits():
    lower, upper = prediction_limits([1.0, 2.0, 3.0], alpha=1e-18, sides="both")
    assert upper - 2 == 2 - lower == pytest.approx(stats.t.isf(5e-19, 2) * math.sqrt(4 / 3))


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_alpha_out_of_range_is_refused(alpha):
    with pytest.raises(ValueError, match=f"strictly between 0 and 1, not {alpha}"):
        prediction_limits([1.0, 2.0], alpha=alpha, sides="both")


def test_a_past_value_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="finite"):
        prediction_limits([1.0, math.nan], alpha=0.1, sides="both")
