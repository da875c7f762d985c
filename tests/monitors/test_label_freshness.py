"""Labels are fresh, not due, overdue since a moment, or came late by so many days."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import evaluate
from dagster_monitoring.monitors.label_freshness import LabelFreshnessMonitor
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from tests.monitors.conftest import World

DAY = "2024-05-20"
DUE = "2024-05-23 00:00 UTC"
MINUTE = timedelta(minutes=1)


def judged(world: World, after: timedelta, **fields: object):
    """What is said so long after the slice's end; its labels are due after two days."""
    monitor = LabelFreshnessMonitor(**fields)
    view = world.at(DAY, now=world.partitions.bounds(DAY)[1] + after)
    (found,) = evaluate(monitor, view, [], run_id=None, now=view.now)
    return found


def keeping(world: World, keep: int) -> World:
    """The world in which so many of the day's labels came."""
    gone = world.slices[DAY]["id"].to_pylist()[keep:]
    return replace(world, labels={k: v for k, v in world.labels.items() if k not in {*gone}})


def arriving(world: World, *after: timedelta) -> World:
    """The world in which the day's labels came so long after its end, in turn."""
    ids, end = world.slices[DAY]["id"].to_pylist(), world.partitions.bounds(DAY)[1]
    return replace(world, arrived={i: end + after[n % len(after)] for n, i in enumerate(ids)})


def test_labels_in_time_are_fresh(world):
    found = judged(world, timedelta(days=1, hours=1))
    assert (found.value, found.status, found.reason) == (0.0, Status.HEALTHY, None)
    assert (found.n, found.n_labelled, found.coverage) == (400, 400, 1.0)
    assert found.lower is None
    assert found.upper == 1.0


@pytest.mark.parametrize(
    ("after", "status", "severity", "value"),
    [
        (timedelta(days=2) - MINUTE, Status.NO_DATA, None, None),
        (timedelta(days=2), Status.NO_DATA, None, None),
        (timedelta(days=3), Status.NO_DATA, None, None),
        (timedelta(days=3) + MINUTE, Status.TRIGGERED, Severity.WARN, 1 + 1 / 1440),
        (timedelta(days=5), Status.TRIGGERED, Severity.WARN, 1 + 1 / 1440),
        (timedelta(days=5) + MINUTE, Status.TRIGGERED, Severity.ERROR, 3 + 1 / 1440),
        (timedelta(days=300), Status.TRIGGERED, Severity.ERROR, 3 + 1 / 1440),
    ],
)
def test_missing_labels_are_not_due_then_overdue_by_limits(world, after, status, severity, value):
    found = judged(keeping(world, 40), after)
    assert (found.status, found.severity, found.value) == (status, severity, value)
    overdue = f"overdue since {DUE}: 360 of 400 due predictions (90%) have no label"
    if after < timedelta(days=2):
        assert found.reason == f"No data yet: labels expected by {DUE}; 40 of 400 are here"
    elif value is None:
        assert found.reason == f"No data yet: {overdue}; a limit is at 1 days"
    else:
        assert found.reason.endswith(overdue)


def test_a_verdict_changes_at_the_moments_that_are_told(world):
    monitor, late = LabelFreshnessMonitor(), keeping(world, 40)
    end = world.partitions.bounds(DAY)[1]
    moments = monitor.changes_at(late.at(DAY))
    assert moments == [
        end + timedelta(days=2),
        end + timedelta(days=3) + MINUTE,
        end + timedelta(days=5) + MINUTE,
    ]
    for moment in moments:
        before, after = (judged(late, moment - end + step) for step in (-MINUTE, timedelta(0)))
        assert not before.same_verdict_as(after)
    steps = [end, *moments, end + timedelta(days=99)]
    for first, second in itertools.pairwise(steps):
        early, late_on = judged(late, first - end), judged(late, second - end - MINUTE)
        assert early.same_verdict_as(late_on)
    assert monitor.changes_at(world.at(DAY)) == ()
    assert monitor.changes_at(replace(late, delay=None).at(DAY)) == ()


def test_labels_that_came_late_stay_known_as_late(world):
    late = arriving(world, timedelta(days=3, hours=12))
    found = judged(late, timedelta(days=9))
    # A bin's lower bound: at most 2.2 % of 3.5 days less than the 1.5 days that they were late.
    assert 1.5 - 0.022 * 3.5 <= found.value < 1.5
    assert found.severity is Severity.WARN
    assert found.reason.endswith(f"labels were due by {DUE}, and came late")
    assert judged(arriving(world, timedelta(days=6)), timedelta(days=9)).severity is Severity.ERROR


def test_labels_have_come_when_the_declared_share_has(world):
    mixed = arriving(
        world, timedelta(hours=3), timedelta(hours=3), timedelta(hours=3), timedelta(9)
    )
    assert judged(mixed, timedelta(days=20)).value == 0.0
    assert judged(mixed, timedelta(days=20), minimum_coverage=0.75).value == 0.0
    assert judged(mixed, timedelta(days=20), minimum_coverage=0.76).value > 6
    half = keeping(world, 200)
    assert judged(half, timedelta(days=20)).status is Status.HEALTHY
    assert judged(half, timedelta(days=20), minimum_coverage=0.51).severity is Severity.ERROR


def test_limits_are_declared_in_days(world):
    late, limits = keeping(world, 0), Limits(upper=0.5)
    found = judged(late, timedelta(days=2, hours=13), threshold=AbsoluteThreshold(warn=limits))
    assert (found.severity, found.value) == (Severity.WARN, 0.5 + 1 / 1440)
    learned = judged(late, timedelta(days=9), threshold=LearnedThreshold())
    assert (learned.value, learned.severity) == (None, Severity.WARN)
    assert "look at the ground truth's delivery" in learned.reason


def test_what_can_not_be_told_says_why(world):
    empty = world.having(DAY, world.slices[DAY].slice(0, 0))
    unknown = replace(world, arrived=dict.fromkeys(world.labels, None))
    for given, words, severity in (
        (replace(world, delay=None), "no ground truth is declared", Severity.WARN),
        (empty, "the slice has no rows", Severity.WARN),
        (unknown, "it is not known since when", None),
    ):
        found = judged(given, timedelta(days=9))
        assert (found.status, found.severity) == (Status.NO_DATA, severity)
        assert words in found.reason
