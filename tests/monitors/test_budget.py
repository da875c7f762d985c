"""The budget of false pages: who has which part of it, and what that does to limits."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring import MonitoredModel
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import AlertPolicy
from dagster_monitoring.monitors import evaluate, past_partitions, with_shares
from dagster_monitoring.monitors.drift import DriftMonitor
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.monitors.threshold import (
    AbsoluteThreshold,
    Evidence,
    Limits,
    RelativeThreshold,
    Seasons,
    Share,
)
from dagster_monitoring.statistics.false_alarms import level_for

PAST = tuple(np.random.default_rng(8).normal(size=28).tolist())
SHARE = Share(pages=1 / 30.4 / 50, in_a_row=1)


@pytest.mark.parametrize(("every", "a_month"), [("day", 30.4375), ("hour", 730.5), ("week", 4.348)])
def test_monitors_that_may_page_share_a_budget_evenly_and_others_have_none(every, a_month):
    monitors = [
        PerformanceMonitor(),
        DriftMonitor(name="calm", severity=Severity.WARN),
        DriftMonitor(name="slow", **{"for": 3}),
    ]
    policy = AlertPolicy(false_pages_per_month=2.0, **{"for": 2})
    first, calm, slow = with_shares(monitors, policy, every=every)
    assert first.share.pages * 2 * a_month == pytest.approx(2.0, rel=1e-3)
    assert (first.share.in_a_row, slow.share.in_a_row) == (2, 3)
    assert slow.share.pages == first.share.pages
    assert calm.share is None


def test_a_monitor_that_pages_alone_has_the_whole_budget():
    policy = AlertPolicy(false_pages_per_month=2.0)
    (alone,) = with_shares([PerformanceMonitor()], policy, every="day")
    assert alone.share.pages * 365.25 / 12 == pytest.approx(2.0)
    (calm,) = with_shares([DriftMonitor(severity=Severity.WARN)], policy, every="day")
    assert calm.share is None


def test_without_a_budget_no_monitor_has_a_share():
    policy = AlertPolicy(false_pages_per_month=None)
    (monitor,) = with_shares([PerformanceMonitor()], policy, every="day")
    assert monitor.share is None
    again = with_shares(with_shares([monitor], AlertPolicy(), every="day"), policy, every="day")
    assert again[0].share is None


def test_a_declared_model_gives_its_monitors_their_shares():
    model = MonitoredModel(
        model="late",
        task={"type": "binary_classification", "label": "late", "prediction": "late_pred"},
        columns={"id": "flight", "timestamp": "at", "numeric": ["temp"]},
        partitions={"start": "2013-04-01"},
        baseline={"type": "parquet", "path": "baseline.parquet"},
        predictions={"type": "parquet", "path": "day={partition}/*.parquet"},
        alert_policy={"false_pages_per_month": 0.5},
    )
    shares = {monitor.name: monitor.share for monitor in model.active_monitors}
    assert shares["drift"] is None
    paging = [share for share in shares.values() if share is not None]
    assert sum(share.pages for share in paging) * 30.4375 == pytest.approx(0.5)


@pytest.mark.parametrize("tests", [1, 12])
@pytest.mark.parametrize("worse", ["upper", "both"])
def test_learned_error_limits_have_the_level_of_the_share(tests, worse):
    evidence = Evidence(past=PAST, worse=worse, tests=tests, share=SHARE)
    levels = LearnedThreshold().levels(evidence)
    level = level_for(SHARE.pages, n=28, tests=tests * (2 if worse == "both" else 1))
    width = stats.t.isf(level, 27) * np.std(PAST, ddof=1) * math.sqrt(1 + 1 / 28)
    assert levels.error[1] == pytest.approx(np.mean(PAST) + width)
    assert (levels.error[0] is None) == (worse == "upper")
    assert levels.warn[1] < levels.error[1]


def test_a_declared_alpha_goes_before_the_budget():
    own = LearnedThreshold(error_alpha=0.001)
    assert own.levels(Evidence(past=PAST, share=SHARE)) == own.levels(Evidence(past=PAST))
    assert LearnedThreshold().levels(Evidence(past=PAST)) == own.levels(Evidence(past=PAST))


def test_a_generous_budget_leaves_warn_the_looser_one():
    generous = Evidence(past=PAST, worse="upper", share=Share(pages=10.0, in_a_row=1))
    levels = LearnedThreshold().levels(generous)
    assert levels.warn[1] < levels.error[1]
    width = stats.t.isf(0.05, 27) * np.std(PAST, ddof=1) * math.sqrt(1 + 1 / 28)
    assert levels.error[1] == pytest.approx(np.mean(PAST) + width)


@pytest.mark.parametrize(
    "threshold",
    [
        AbsoluteThreshold(warn=Limits(upper=0.1), error=Limits(upper=0.25)),
        RelativeThreshold(warn=Limits(upper=0.1), error=Limits(upper=0.25)),
    ],
)
def test_declared_error_limits_move_out_by_what_chance_does_at_the_share(threshold):
    evidence = Evidence(noise=0.02, noise_alpha=0.05, reference=0.0, tests=20, share=SHARE)
    levels = threshold.levels(evidence)
    level = level_for(SHARE.pages, tests=20)
    assert levels.warn[1] == pytest.approx(0.12)
    moved = 0.02 * stats.norm.isf(level) / stats.norm.isf(0.05)
    assert levels.error[1] == pytest.approx(0.25 + moved)
    loose = replace(evidence, share=Share(pages=10.0, in_a_row=1), tests=1)
    assert threshold.levels(loose).error[1] == pytest.approx(0.27)


@pytest.mark.parametrize("in_a_row", [1, 3])
@pytest.mark.parametrize("window", [1, 7])
@pytest.mark.parametrize("sides", [1, 2])
def test_noise_at_the_share_follows_the_window_the_row_and_the_sides(in_a_row, window, sides):
    share = Share(pages=1e-7, in_a_row=in_a_row)
    evidence = Evidence(noise=0.02, reference=1.0, window=window, tests=3, share=share)
    level = level_for(1e-7, window=window, in_a_row=in_a_row, tests=3 * sides)
    moved = 0.02 * stats.norm.isf(level) / stats.norm.isf(0.01)
    limits = Limits(upper=0.5) if sides == 1 else Limits(lower=-0.5, upper=0.5)
    assert AbsoluteThreshold(error=limits).levels(evidence).error[1] == pytest.approx(0.5 + moved)
    assert RelativeThreshold(error=limits).levels(evidence).error[1] == pytest.approx(1.5 + moved)


def test_limits_are_learned_on_the_metrics_scale():
    past = stats.chi2(9).rvs(28, random_state=5).tolist()
    evidence = Evidence(past=past, worse="upper", scale="cube_root", is_distance=True)
    levels = LearnedThreshold(warn_alpha=None, error_alpha=0.001).levels(evidence)
    roots = np.cbrt(past)
    width = stats.t.isf(0.001, 27) * roots.std(ddof=1) * math.sqrt(1 + 1 / 28)
    assert levels.error[1] == pytest.approx((roots.mean() + width) ** 3)


def test_a_distance_is_not_too_far_while_chance_alone_takes_it_there():
    evidence = Evidence(past=(1.0, 1.1) * 14, worse="upper", noise=3.0, past_noise=3.0)
    learned = LearnedThreshold()
    distance = learned.levels(replace(evidence, is_distance=True))
    assert distance.error[1] == pytest.approx(3.0)
    assert learned.levels(evidence).error[1] == pytest.approx(1.05 + 3.0)
    both = learned.levels(replace(evidence, is_distance=True, worse="both"))
    assert both.error == pytest.approx((1.05 - 1.95, 3.0))
    fewer_rows = replace(evidence, is_distance=True, past=(9.0, 9.1) * 14)
    assert learned.levels(replace(fewer_rows, noise=5.0)).error[1] == pytest.approx(9.05 + 2.0)


def test_where_weekends_differ_limits_are_about_the_weekdays_own_mean():
    days = [day % 7 for day in range(28)]
    past = [x / 10 + 5 * (day > 4) for x, day in zip(PAST, days, strict=True)]
    learned = LearnedThreshold(warn_alpha=None, error_alpha=0.001)

    def upper(day):
        seasons = Seasons(length=7, own=day, past=days)
        return learned.levels(Evidence(past=past, worse="upper", seasons=seasons)).error[1]

    groups = {day: [v for v, own in zip(past, days, strict=True) if own == day] for day in (2, 6)}
    pooled = sum(
        np.var([v for v, own in zip(past, days, strict=True) if own == day]) * 4 for day in range(7)
    )
    width = stats.t.isf(0.001, 21) * math.sqrt(pooled / 21) * math.sqrt(1 + 1 / 4)
    for day, own in groups.items():
        assert upper(day) == pytest.approx(np.mean(own) + width)
    assert upper(2) < 2 < upper(6)


def test_a_row_that_makes_a_page_is_held_against_what_was_before_it(world):
    monitor = DriftMonitor(window=1, threshold=LearnedThreshold(slices=4, minimum_slices=3))
    view = world.at("2024-05-20")
    for row, last in ((1, "2024-05-19"), (3, "2024-05-17")):
        keys = past_partitions(monitor.with_share(Share(pages=0.01, in_a_row=row)), view)
        assert keys[-1] == last
        assert len(keys) == 4


def test_marked_partitions_are_passed_over_and_others_taken_for_them(world, monkeypatch):
    monitor = DriftMonitor(window=2, threshold=LearnedThreshold(slices=6, minimum_slices=3))
    view = world.at("2024-05-20")
    assert past_partitions(monitor, view) == ("2024-05-14", "2024-05-16", "2024-05-18")
    marked = frozenset({"2024-05-15"})
    monkeypatch.setattr(type(view), "left_out", property(lambda _: marked))
    assert past_partitions(monitor, view) == ("2024-05-12", "2024-05-14", "2024-05-18")


def test_a_pinned_threshold_keeps_the_limits_of_its_partition(world):
    """And the days before it are judged by their own."""

    def limits(day, threshold):
        monitor = DriftMonitor(window=1, columns=("age",), threshold=threshold)
        view = world.at(day)
        past = [monitor.measure(view.at(key)) for key in past_partitions(monitor, view)]
        (found,) = evaluate(monitor, view, past, run_id=None, now=datetime(2024, 7, 1, tzinfo=UTC))
        return found.upper

    free = LearnedThreshold(slices=8, minimum_slices=4)
    pinned = free.model_copy(update={"pin": "2024-05-15"})
    assert limits("2024-05-22", pinned) == limits("2024-05-15", free)
    assert limits("2024-05-22", free) != limits("2024-05-15", free)
    assert limits("2024-05-12", pinned) == limits("2024-05-12", free)
