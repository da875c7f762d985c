from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from dagster_monitoring.monitors.learned import AnyThreshold, LearnedThreshold
from dagster_monitoring.monitors.threshold import (
    AbsoluteThreshold,
    Evidence,
    Levels,
    Limits,
    RelativeThreshold,
    Share,
)
from dagster_monitoring.statistics.undefined import Undefined

PAST = (0.11, 0.14, 0.09, 0.12, 0.13, 0.10, 0.12)


def test_absolute_limits_move_outwards_by_the_noise_on_both_sides():
    threshold = AbsoluteThreshold(warn=Limits(lower=1.0, upper=2.0), error=Limits(upper=3.0))
    levels = threshold.levels(Evidence(noise=0.25))
    assert levels == Levels(warn=(0.75, 2.25), error=(None, 3.25))


def test_absolute_limits_stay_where_they_are_declared_when_told_so():
    threshold = AbsoluteThreshold(error=Limits(upper=3.0), widen=False)
    assert threshold.levels(Evidence(noise=0.25)) == Levels(warn=None, error=(None, 3.0))


def test_relative_difference_is_added_to_the_baseline_and_ratio_is_a_share_of_it():
    change = Limits(lower=-0.1, upper=0.2)
    difference = RelativeThreshold(error=change).levels(Evidence(reference=0.5))
    ratio = RelativeThreshold(mode="ratio", error=change).levels(Evidence(reference=0.5))
    negative = RelativeThreshold(mode="ratio", error=change).levels(Evidence(reference=-0.5))
    assert difference == Levels(warn=None, error=(0.4, 0.7))
    assert ratio == Levels(warn=None, error=(0.45, 0.6))
    assert negative == Levels(warn=None, error=(-0.55, -0.4))


@pytest.mark.parametrize("mode", ["difference", "ratio"])
def test_relative_limits_move_outwards_by_the_noise_unless_told_to_stay(mode):
    limits = {"warn": Limits(lower=-0.25), "error": Limits(lower=-0.5, upper=0.5)}
    evidence = Evidence(reference=1.0, noise=0.125)
    moved = RelativeThreshold(mode=mode, **limits).levels(evidence)
    assert moved == Levels(warn=(0.625, None), error=(0.375, 1.625))
    fixed = RelativeThreshold(mode=mode, **limits, widen=False).levels(evidence)
    assert fixed == Levels(warn=(0.75, None), error=(0.5, 1.5))


@pytest.mark.parametrize(
    ("mode", "reference", "reason"),
    [
        ("ratio", 0.0, "the baseline's value is 0"),
        ("ratio", None, "the baseline has no value"),
        ("difference", None, "the baseline has no value"),
    ],
)
def test_a_relative_limit_without_a_usable_baseline_value_is_undefined(mode, reference, reason):
    threshold = RelativeThreshold(mode=mode, error=Limits(upper=0.1))
    found = threshold.levels(Evidence(reference=reference))
    assert isinstance(found, Undefined)
    assert reason in found.reason


def test_a_difference_from_a_baseline_of_0_is_a_limit_like_any_other():
    threshold = RelativeThreshold(error=Limits(upper=0.1))
    assert threshold.levels(Evidence(reference=0.0)) == Levels(warn=None, error=(None, 0.1))


def test_only_a_learned_threshold_looks_back():
    assert AbsoluteThreshold(error=Limits(upper=1.0)).past_slices() == 0
    assert RelativeThreshold(error=Limits(upper=1.0)).past_slices() == 0
    assert LearnedThreshold(slices=21).past_slices() == 21


@pytest.mark.parametrize("tests", [1, 4])
def test_learned_limits_are_student_prediction_limits_shared_among_the_tests(tests):
    threshold = LearnedThreshold(slices=7, minimum_slices=7, warn_alpha=0.05, error_alpha=0.01)
    levels = threshold.levels(Evidence(past=PAST, worse="upper", tests=tests))
    n, mean = len(PAST), sum(PAST) / len(PAST)
    spread = math.sqrt(sum((x - mean) ** 2 for x in PAST) / (n - 1)) * math.sqrt(1 + 1 / n)
    for level, alpha in ((levels.warn, 0.05), (levels.error, 0.01)):
        assert level[0] is None
        assert level[1] == pytest.approx(mean + stats.t.isf(alpha / tests, n - 1) * spread)


def test_learned_limits_have_the_declared_sides_whatever_the_metric_says():
    threshold = LearnedThreshold(slices=7, minimum_slices=7, sides="both", error_alpha=None)
    levels = threshold.levels(Evidence(past=PAST, worse="upper"))
    assert levels.error is None
    assert levels.warn[0] < min(PAST) < max(PAST) < levels.warn[1]
    lower = threshold.model_copy(update={"sides": None}).levels(Evidence(past=PAST, worse="lower"))
    assert lower.warn[0] < min(PAST)
    assert lower.warn[1] is None


def test_too_few_earlier_windows_give_no_limits():
    threshold = LearnedThreshold(slices=28, minimum_slices=14)
    few = threshold.levels(Evidence(past=PAST[:4], window=3))
    assert isinstance(few, Undefined)
    assert "5 earlier windows of 3 slices" in few.reason
    assert "4 have a value" in few.reason
    assert isinstance(threshold.levels(Evidence(past=PAST[:5], window=3)), Levels)
    assert isinstance(threshold.levels(Evidence(past=PAST[:2], window=14)), Undefined)
    assert isinstance(threshold.levels(Evidence(past=PAST[:3], window=14)), Levels)


def test_a_past_without_any_spread_keeps_the_minimum_change():
    threshold = LearnedThreshold(slices=7, minimum_slices=7, minimum_change=0.05)
    levels = threshold.levels(Evidence(past=(0.0,) * 7, worse="upper"))
    assert levels == Levels(warn=(None, 0.05), error=(None, 0.05))


def test_a_past_error_is_not_learned_from_wherever_it_stands_behind_the_first_values():
    threshold = LearnedThreshold(slices=28, minimum_slices=14)
    calm = list(np.random.default_rng(3).normal(size=20))
    expected = threshold.levels(Evidence(past=calm, worse="upper"))
    for place in (14, 17, 20):
        past = [*calm[:place], 50.0, 60.0, *calm[place:]]
        assert threshold.levels(Evidence(past=past, worse="upper")) == expected
    # A value on the good side is no error, so it stays.
    low = threshold.levels(Evidence(past=[*calm, -50.0], worse="upper"))
    assert low.error[1] > expected.error[1]


@pytest.mark.parametrize(("worse", "sign"), [("upper", 1.0), ("lower", -1.0)])
def test_a_past_value_on_the_limit_is_learned_from_and_one_beyond_is_not(worse, sign):
    threshold = LearnedThreshold(minimum_change=0.5)
    calm, end = [0.0] * 14, 0 if worse == "lower" else 1
    on = threshold.levels(Evidence(past=[*calm, sign * 0.5], worse=worse))
    beyond = threshold.levels(Evidence(past=[*calm, sign * 0.5001], worse=worse))
    assert beyond.error[end] == sign * 0.5
    assert sign * on.error[end] > 0.5


def test_a_past_warning_that_is_no_error_is_learned_from():
    threshold = LearnedThreshold(slices=28, minimum_slices=14)
    calm = list(np.random.default_rng(3).normal(size=20))
    first = threshold.levels(Evidence(past=calm, worse="upper"))
    between = (first.warn[1] + first.error[1]) / 2
    then = threshold.levels(Evidence(past=[*calm, between], worse="upper"))
    assert then.error[1] > first.error[1]


def test_without_error_limits_a_past_warning_is_not_learned_from():
    threshold = LearnedThreshold(slices=28, minimum_slices=14, error_alpha=None)
    calm = list(np.random.default_rng(3).normal(size=20))
    expected = threshold.levels(Evidence(past=calm, worse="upper"))
    assert threshold.levels(Evidence(past=[*calm, 50.0], worse="upper")) == expected


@pytest.mark.parametrize("window", [1, 3])
def test_a_lasting_shift_stays_outside_until_too_few_windows_before_it_are_left(window):
    threshold = LearnedThreshold()
    source = np.random.default_rng(5)
    before, after = source.normal(size=40), source.normal(size=60) + 30.0
    have, needed = 28 // window, -(-14 // window)
    outside = []
    for age in range(have + needed):
        past = [*before, *after[:age]][-have:]
        levels = threshold.levels(Evidence(past=past, worse="upper", window=window))
        outside.append(bool(after[age] > levels.error[1]))
    flagged = have - needed + 1
    assert all(outside[:flagged])
    assert not any(outside[flagged + needed :])


@pytest.mark.parametrize("window", [1, 3])
def test_quiet_noise_leaves_learned_limits_as_seldom_as_declared(window):
    """The default alphas: leaving out errors makes the limits hardly narrower."""
    source = np.random.default_rng(11)
    trials, warned, failed = 5000, 0, 0
    for _ in range(trials):
        *past, value = source.normal(size=28 // window + 1).tolist()
        levels = LearnedThreshold().levels(Evidence(past=past, worse="upper", window=window))
        warned += value > levels.warn[1]
        failed += value > levels.error[1]
    for count, alpha in ((warned, 0.01), (failed, 0.001)):
        assert stats.binomtest(count, trials, alpha, alternative="greater").pvalue > 0.01


def test_limits_of_a_past_without_any_spread_leave_room_for_sampling_noise():
    """Noise of 1 in 100 is moved to the limit's own level, by normal quantiles."""
    threshold = LearnedThreshold(slices=7, minimum_slices=7, minimum_change=0.01)
    levels = threshold.levels(Evidence(past=(0.0,) * 7, noise=0.03, worse="both"))
    warn, error = (
        0.03 * stats.norm.isf(alpha / 2) / stats.norm.isf(0.01) for alpha in (0.01, 0.001)
    )
    assert levels.warn == pytest.approx((-warn, warn))
    assert levels.error == pytest.approx((-error, error))


def test_noise_never_draws_nearer_for_a_looser_level_than_its_own():
    threshold = LearnedThreshold(slices=7, minimum_slices=7, warn_alpha=0.05, error_alpha=0.001)
    levels = threshold.levels(Evidence(past=(0.0,) * 7, noise=0.03, worse="upper"))
    assert levels.warn == pytest.approx((None, 0.03))
    moved = 0.03 * stats.norm.isf(0.001) / stats.norm.isf(0.01)
    assert levels.error == pytest.approx((None, moved))


def test_a_declared_warn_alpha_may_be_the_stricter_one():
    both = LearnedThreshold(slices=7, minimum_slices=7, warn_alpha=0.001, error_alpha=0.01)
    swapped = LearnedThreshold(slices=7, minimum_slices=7, warn_alpha=0.01, error_alpha=0.001)
    evidence = Evidence(past=PAST, worse="upper")
    assert both.levels(evidence).warn == swapped.levels(evidence).error


def test_limits_that_warn_alone_move_out_too():
    for threshold in (AbsoluteThreshold, RelativeThreshold):
        levels = threshold(warn=Limits(upper=1.0)).levels(Evidence(noise=0.25, reference=0.0))
        assert levels == Levels(warn=(None, 1.25), error=None)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"type": "absolute"}, "give warn, error, or both"),
        ({"type": "relative"}, "give warn, error, or both"),
        ({"type": "absolute", "warn": {}}, "give lower, upper, or both"),
        ({"type": "absolute", "warn": {"lower": 2, "upper": 1}}, "lower (2.0) is above upper"),
        ({"type": "absolute", "warn": {"upper": float("nan")}}, "finite"),
        ({"type": "learned", "slices": 5}, "minimum_slices (7) is above slices (5)"),
        ({"type": "learned", "warn_alpha": None, "error_alpha": None}, "warn_alpha, error_alpha"),
        ({"type": "leaned"}, "expected tags"),
    ],
)
def test_a_threshold_that_says_nothing_or_contradicts_itself_is_refused(declared, message):
    with pytest.raises(ValidationError) as error:
        TypeAdapter(AnyThreshold).validate_python(declared)
    assert message in str(error.value)


def test_a_swing_moves_the_limit_that_pages_and_not_the_warning():
    """By hand: 1.645 standard errors of 0.01, and of a swing of 0.04, put together."""
    limits = AbsoluteThreshold(warn=Limits(upper=0.01), error=Limits(upper=0.02))
    level = stats.norm.isf(0.05)
    still = Evidence(noise=level * 0.01, noise_alpha=0.05)
    moving = replace(still, swing=0.04)
    assert limits.levels(moving).warn == limits.levels(still).warn
    assert limits.levels(still).error[1] == pytest.approx(0.02 + level * 0.01)
    assert limits.levels(moving).error[1] == pytest.approx(0.02 + level * math.hypot(0.01, 0.04))
    share = Share(pages=1e-3, in_a_row=1)
    rarer, plain = (limits.levels(replace(e, share=share)).error[1] for e in (moving, still))
    assert (rarer - 0.02) / (plain - 0.02) == pytest.approx(math.hypot(0.01, 0.04) / 0.01)
    assert rarer > limits.levels(moving).error[1]
