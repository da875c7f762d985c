"""The gate against scipy's t test, and its rates of promotion in simulation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.retraining import GateVerdict, judge

ALPHA = 0.05
REPETITIONS = 2_000
Sizes = Callable[[np.random.Generator], np.ndarray]
EQUAL: Sizes = lambda _: np.full(14, 100)  # noqa: E731
UNEQUAL: Sizes = lambda rng: rng.integers(10, 300, 14)  # noqa: E731
LAST_DAYS_FEW: Sizes = lambda _: np.array([*[100] * 11, 30, 8, 2])  # noqa: E731
FEW_DAYS: Sizes = lambda rng: rng.integers(50, 150, 4)  # noqa: E731


def losses(
    rng: np.random.Generator, sizes: np.ndarray, *, effect: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Losses of two models whose rows share the day's luck; the challenger is better by effect."""
    day = np.repeat(np.arange(len(sizes)), sizes)
    champion = rng.exponential(0.4, len(day))
    luck = rng.normal(0, 0.02, len(sizes))[day]
    better = effect + luck + rng.normal(0, 0.15, len(day)) * (1 + champion)
    return champion, champion - better, np.array([f"day{d:02}" for d in range(len(sizes))])[day]


def share_promoted(sizes: Sizes, *, effect: float, seed: int, improvement: float = 0.0) -> float:
    rng = np.random.default_rng(seed)
    promoted = [
        judge(
            *losses(rng, sizes(rng), effect=effect), alpha=ALPHA, minimum_improvement=improvement
        ).promoted
        for _ in range(REPETITIONS)
    ]
    return float(np.mean(promoted))


@pytest.mark.parametrize("seed", range(20))
def test_on_equal_days_it_is_scipys_t_test_of_the_days(seed):
    rng = np.random.default_rng(seed)
    champion, challenger, day = losses(rng, EQUAL(rng), effect=0.01)
    verdict = judge(champion, challenger, day, alpha=ALPHA)
    means = (champion - challenger).reshape(14, 100).mean(axis=1)
    expected = stats.ttest_1samp(means, 0, alternative="greater")
    assert verdict.promoted == (expected.pvalue < ALPHA)
    assert verdict.improvement == pytest.approx(means.mean(), abs=1e-12)
    low, high = stats.ttest_1samp(means, 0).confidence_interval(1 - 2 * ALPHA)
    assert (verdict.lower, verdict.upper) == pytest.approx((low, high), abs=1e-12)
    assert verdict.champion_loss == pytest.approx(champion.mean())
    assert (verdict.n, verdict.days) == (1400, 14)


@pytest.mark.parametrize("sizes", [EQUAL, UNEQUAL, LAST_DAYS_FEW, FEW_DAYS])
def test_a_challenger_that_is_no_better_is_promoted_no_more_often_than_alpha(sizes):
    limit = stats.binom.ppf(0.999, REPETITIONS, ALPHA) / REPETITIONS
    assert share_promoted(sizes, effect=0.0, seed=1) <= limit


def test_the_margin_holds_its_error_rate_too():
    """The champion's mean loss is 0.4: exactly 5 % better is not more than 5 % better."""
    limit = stats.binom.ppf(0.999, REPETITIONS, ALPHA) / REPETITIONS
    at_the_margin = share_promoted(EQUAL, effect=0.02, improvement=0.05, seed=2)
    assert 0.5 * ALPHA <= at_the_margin <= limit


def test_a_worse_challenger_is_hardly_ever_promoted():
    assert share_promoted(EQUAL, effect=-0.01, seed=3) < 0.005


def test_power_is_that_of_the_t_test():
    """Day means scatter by sqrt(0.02^2 + var(row) / 100), with E[(1 + X)^2] = 1 + 0.8 + 0.32."""
    scatter = np.sqrt(0.02**2 + 0.15**2 * 2.12 / 100)
    noncentrality = 0.015 / (scatter / np.sqrt(14))
    expected = stats.nct.sf(stats.t.ppf(1 - ALPHA, 13), 13, noncentrality)
    assert share_promoted(EQUAL, effect=0.015, seed=4) == pytest.approx(expected, abs=0.03)


class TestRefusals:
    days = np.repeat(["a", "b", "c"], 4)
    even = np.full(12, 0.5)

    def refused(self, verdict: GateVerdict, reason: str) -> None:
        assert not verdict.promoted
        assert reason in verdict.reason

    def test_no_rows(self):
        none = np.array([])
        verdict = judge(none, none, none)
        self.refused(verdict, "no labelled row")
        assert (verdict.improvement, verdict.lower, verdict.n) == (None, None, 0)

    def test_too_few_rows(self):
        self.refused(
            judge(self.even, self.even - 0.1, self.days, minimum_rows=13),
            "12 labelled rows, fewer than the 13 asked for",
        )

    def test_one_day(self):
        one = np.full(12, "a")
        self.refused(judge(self.even, self.even - 0.1, one), "lie on one day")

    def test_two_days_of_which_one_is_almost_empty(self):
        days = np.array(["a"] * 11 + ["b"])
        self.refused(judge(self.even, self.even - 0.1, days), "at least two")

    @pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf])
    def test_a_loss_that_is_not_finite(self, fault):
        broken = self.even.copy()
        broken[3] = fault
        self.refused(judge(self.even, broken, self.days), "the challenger's loss is not finite")
        self.refused(judge(broken, self.even, self.days), "the champion's loss is not finite")

    def test_the_same_model(self):
        self.refused(judge(self.even, self.even, self.days), "not lower than the champion's")

    def test_less_than_the_margin(self):
        verdict = judge(self.even, self.even - 0.01, self.days, minimum_improvement=0.1)
        self.refused(verdict, "lower by 0.01, less than the 0.05 required")
        assert verdict.required == pytest.approx(0.05)

    def test_what_may_be_chance(self):
        better = np.repeat([0.4, 0.1, -0.2], 4)
        self.refused(judge(self.even, self.even - better, self.days), "may be chance")

    def test_arrays_of_other_rows(self):
        with pytest.raises(ValueError, match="of the same rows"):
            judge(self.even, self.even[:-1], self.days)


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(5)
    champion, challenger, day = losses(rng, UNEQUAL(rng), effect=0.01)
    order = rng.permutation(len(day))
    first = judge(champion, challenger, day)
    second = judge(champion[order], challenger[order], day[order])
    assert second.lower == pytest.approx(first.lower, abs=1e-12)
