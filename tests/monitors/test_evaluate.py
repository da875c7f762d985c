from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import (
    Measurement,
    default_monitors,
    evaluate,
    excess,
    overall,
    past_partitions,
)
from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
from dagster_monitoring.monitors.evaluate import model_version
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.threshold import (
    AbsoluteThreshold,
    Levels,
    Limits,
)
from dagster_monitoring.schema import Partitions
from tests.monitors.conftest import FIRST_DAY, ROWS, change, rows

DAY = "2024-05-20"
NOW = datetime(2024, 7, 1, tzinfo=UTC)
LIMITS = AbsoluteThreshold(warn=Limits(upper=0.1), error=Limits(lower=-1.0, upper=0.25))


@dataclass(frozen=True)
class Given:
    """A verdict on given measurements, by a real monitor."""

    world: object
    threshold: object = LIMITS
    severity: Severity = Severity.ERROR
    window: int = 1

    def __call__(self, *measured, past=(), day=DAY):
        monitor = DriftMonitor(threshold=self.threshold, severity=self.severity, window=self.window)
        view = self.world.at(day)
        if past:
            # The partitions before those have no value.
            past = [*([[]] * (len(past_partitions(monitor, view)) - len(past))), *past]
        return evaluate(monitor, view, past, run_id="r1", now=NOW, measured=measured)


def of(value, **fields):
    return Measurement(**{"metric": "psi", "column": "age", "value": value, "n": 400, **fields})


@pytest.mark.parametrize(
    ("value", "status", "severity", "limits"),
    [
        (0.1, Status.HEALTHY, None, (None, 0.1)),  # a limit is still allowed
        (0.2, Status.TRIGGERED, Severity.WARN, (None, 0.1)),
        (0.3, Status.TRIGGERED, Severity.ERROR, (-1.0, 0.25)),
        (-2.0, Status.TRIGGERED, Severity.ERROR, (-1.0, 0.25)),
    ],
)
def test_a_value_is_judged_by_the_worst_limit_it_crosses(world, value, status, severity, limits):
    (verdict,) = Given(world)(of(value))
    assert (verdict.status, verdict.severity) == (status, severity)
    assert (verdict.lower, verdict.upper) == limits


def test_severity_is_the_most_a_monitor_says_and_error_limits_are_still_shown(world):
    (verdict,) = Given(world, severity=Severity.WARN)(of(0.3))
    assert (verdict.severity, verdict.upper) == (Severity.WARN, 0.25)


def test_a_missing_value_never_passes_and_says_if_it_was_expected(world):
    late, early = Given(world)(
        of(None, reason="it is gone"), of(None, column="b", reason="not yet", expected=True)
    )
    assert (late.status, late.severity) == (Status.NO_DATA, Severity.WARN)
    assert late.reason == "No data: it is gone"
    assert (early.status, early.severity) == (Status.NO_DATA, None)
    assert early.reason == "No data yet: not yet"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_no_data_and_never_within_limits(world, value):
    (verdict,) = Given(world)(of(value))
    assert (verdict.status, verdict.value) == (Status.NO_DATA, None)
    assert "not a finite number" in verdict.reason


@pytest.mark.parametrize(
    ("value", "given", "kept"),
    [
        (0.05, 0.01, 0.01),
        (0.05, 0.0, 0.0),
        (0.05, None, None),
        (0.05, float("inf"), None),
        (0.05, 1.7e308, None),
        (None, 0.01, None),
        (float("inf"), 0.01, None),
    ],
)
def test_the_sampling_error_stays_with_its_value(world, value, given, kept):
    (verdict,) = Given(world)(of(value, standard_error=given))
    assert verdict.standard_error == kept


def test_nothing_measured_is_no_data_and_not_a_pass(world):
    (verdict,) = Given(world)()
    assert (verdict.status, verdict.severity) == (Status.NO_DATA, Severity.WARN)


def test_an_evaluation_says_what_was_judged_over_which_window_against_what(world):
    (verdict,) = Given(world, window=3)(of(0.05))
    assert (verdict.window_start, verdict.window_end) == (
        datetime(2024, 5, 18, tzinfo=UTC),
        datetime(2024, 5, 21, tzinfo=UTC),
    )
    assert (verdict.baseline_kind, verdict.baseline_version) == ("training", "b-test")
    assert (verdict.monitor, verdict.monitor_kind, verdict.partition) == ("drift", "drift", DAY)
    assert (verdict.evaluated_at, verdict.run_id, verdict.model_version) == (NOW, "r1", "1")
    (first,) = Given(world, window=3)(of(0.05), day="2024-05-01")
    assert first.window_start == datetime(2024, 5, 1, tzinfo=UTC)


def test_the_model_version_is_the_one_that_scored_most_rows(world):
    with_version = replace(
        world, columns=world.columns.model_copy(update={"model_version": "plan"})
    )
    plans = world.slices[DAY]["plan"].to_pylist()
    assert model_version(with_version.at(DAY)) == max(("free", "paid"), key=plans.count)


@pytest.mark.parametrize(("window", "slices"), [(1, 28), (3, 28), (7, 28)])
def test_learned_limits_look_at_windows_that_overlap_nothing(world, window, slices):
    monitor = DriftMonitor(window=window, threshold=LearnedThreshold(slices=slices))
    view = world.at("2024-06-09")
    days = view.partitions
    keys = past_partitions(monitor, view)
    spans = [set(days.between(days.shift(key, 1 - window), key)) for key in (*keys, view.partition)]
    assert len(keys) == slices // window
    assert sum(map(len, spans)) == len(set().union(*spans)) == window * len(spans)
    assert list(keys) == sorted(keys)


def test_windows_that_began_before_production_are_left_out(world):
    monitor = DriftMonitor(window=3, threshold=LearnedThreshold())
    view = world.at("2024-05-11")
    assert past_partitions(monitor, view) == ("2024-05-05", "2024-05-08")
    assert past_partitions(DriftMonitor(), view) == ()


def test_learned_limits_come_from_the_same_metric_column_and_segment(world):
    past = [[of(0.1 + i / 100), of(9.0, column="income")] for i in range(14)]
    judge = Given(world, threshold=LearnedThreshold(error_alpha=None))
    (verdict,) = judge(of(0.5, worse="upper"), past=past)
    values = [0.1 + i / 100 for i in range(14)]
    sd = stats.tstd(values)
    limit = sum(values) / 14 + stats.t.ppf(0.99, 13) * sd * (1 + 1 / 14) ** 0.5
    assert verdict.upper == pytest.approx(limit)
    assert verdict.severity is Severity.WARN


def test_learned_limits_of_a_young_production_are_expected_to_be_missing(world):
    judge = Given(world, threshold=LearnedThreshold())
    (young,) = judge(of(0.5), past=[[of(0.1)]] * 3, day="2024-05-10")
    (old,) = judge(of(0.5), past=[[of(0.1)]] * 3, day="2024-06-09")
    assert (young.status, young.severity, young.value) == (Status.NO_DATA, None, 0.5)
    assert (old.status, old.severity) == (Status.NO_DATA, Severity.WARN)


def test_a_real_shift_breaks_limits_learned_from_real_days(world, shifted):
    monitor = DriftMonitor(
        window=1,
        columns=("age",),
        metrics=("jensen_shannon",),
        baseline=Rolling(rolling=5),
        threshold=LearnedThreshold(slices=14, minimum_slices=10),
    )
    for seen, expected in ((world, Status.HEALTHY), (shifted, Status.TRIGGERED)):
        view = seen.at(DAY)
        past = [monitor.measure(view.at(key)) for key in past_partitions(monitor, view)]
        (verdict,) = evaluate(monitor, view, past, run_id=None, now=NOW)
        assert verdict.status is expected


def severities_of(world, *, slices: int, shifted_from: int, judged_from: int) -> list:
    """What the default monitor of predictions says day by day, when they shift for good."""
    last = Partitions(start=FIRST_DAY).shift(FIRST_DAY, slices - 1)
    days = Partitions(start=FIRST_DAY).between(FIRST_DAY, last)
    tables = {day: rows(100 + i, day) for i, day in enumerate(days)}
    for day in days[shifted_from:]:
        score = np.random.default_rng(int(day[-2:])).beta(4, 3, ROWS)
        moved = change(tables[day], "score", score)
        tables[day] = change(moved, "predicted", (score > 0.4).astype(np.int64))
    seen = replace(world, slices=tables)
    (monitor,) = [
        m for m in default_monitors(world.task, world.columns) if m.name == "prediction_drift"
    ]
    found = []
    for day in days[judged_from:]:
        view = seen.at(day)
        past = [monitor.measure(view.at(key)) for key in past_partitions(monitor, view)]
        found.append(overall(evaluate(monitor, view, past, run_id=None, now=NOW)).severity)
    return found


def test_predictions_that_shift_for_good_stay_an_error_for_two_weeks(world):
    """The shift's own days are not what later days are held against."""
    found = severities_of(world, slices=44, shifted_from=30, judged_from=28)
    assert found[:2] == [None, None]
    assert set(found[2:]) == {Severity.ERROR}


def test_a_shift_two_weeks_after_the_first_slice_is_found_already(world):
    """Limits of three windows are wide, and hold it against what was before it."""
    found = severities_of(world, slices=17, shifted_from=14, judged_from=12)
    assert found[:2] == [None, None]
    assert Severity.ERROR in found[2:]


def test_the_first_positive_after_none_is_within_what_chance_does(world):
    def never(table):
        return change(table, "predicted", np.zeros(table.num_rows, dtype=np.int64))

    days = world.days[:30]
    slices = {day: never(world.slices[day]) for day in days}
    one = np.zeros(ROWS, dtype=np.int64)
    one[0] = 1
    slices[days[-1]] = change(slices[days[-1]], "predicted", one)
    seen = replace(world, training=never(world.training), slices=slices)
    monitor = DriftMonitor(
        columns=("predicted",), metrics=("jensen_shannon",), threshold=LearnedThreshold()
    )
    view = seen.at(days[-1])
    past = [monitor.measure(view.at(key)) for key in past_partitions(monitor, view)]
    assert {m.value for measured in past for m in measured} == {0.0}
    (verdict,) = evaluate(monitor, view, past, run_id=None, now=NOW)
    assert verdict.value > 0.0
    assert verdict.status is Status.HEALTHY


def test_a_verdict_does_not_change_when_later_days_come(world, shifted):
    """Point in time: the day after the shift plays no part in the day before it."""
    monitor = DriftMonitor(
        columns=("age",), threshold=LearnedThreshold(slices=12, minimum_slices=9)
    )
    verdicts = []
    for seen in (world, shifted):
        view = seen.at("2024-05-19")
        past = [monitor.measure(view.at(key)) for key in past_partitions(monitor, view)]
        verdicts.append(evaluate(monitor, view, past, run_id=None, now=NOW))
    assert verdicts[0] == verdicts[1]


def test_measurements_own_limits_stand_before_the_monitors(world):
    (verdict,) = Given(world)(of(0.5, levels=Levels(warn=None, error=(None, 0.6))))
    assert (verdict.status, verdict.upper) == (Status.HEALTHY, 0.6)


HEALTHY, WARN, ERROR = 0.0, 0.2, 0.3
LATE, EARLY = "late", "early"


@pytest.mark.parametrize(
    ("given", "status", "severity", "begins"),
    [
        ([HEALTHY, HEALTHY], Status.HEALTHY, None, "Healthy: 2 values within limits."),
        ([HEALTHY], Status.HEALTHY, None, "Healthy: 1 value within limits."),
        ([HEALTHY, EARLY], Status.HEALTHY, None, "Healthy: 1 value within limits. No data yet: "),
        ([HEALTHY, LATE], Status.NO_DATA, Severity.WARN, "No data: gone (1 of 2 values)"),
        ([EARLY, LATE], Status.NO_DATA, Severity.WARN, "No data: gone (1 of 2 values)"),
        ([EARLY, EARLY], Status.NO_DATA, None, "No data yet: soon"),
        ([LATE, WARN], Status.TRIGGERED, Severity.WARN, "WARN: 1 of 2 values outside limits: c1"),
        ([WARN, ERROR, LATE], Status.TRIGGERED, Severity.ERROR, "ERROR: 1 of 3 values outside"),
        ([ERROR, HEALTHY], Status.TRIGGERED, Severity.ERROR, "ERROR: 1 of 2 values outside"),
        ([], Status.NO_DATA, Severity.WARN, "No data: nothing was evaluated"),
    ],
)
def test_overall_is_the_worst_and_missing_data_never_looks_healthy(
    world, given, status, severity, begins
):
    words = {LATE: of(None, reason="gone"), EARLY: of(None, reason="soon", expected=True)}
    measured = [
        (words[g] if isinstance(g, str) else of(g))._replace(column=f"c{i}")
        for i, g in enumerate(given)
    ]
    verdict = overall(Given(world)(*measured) if measured else [])
    assert (verdict.status, verdict.severity) == (status, severity)
    assert verdict.passed == (severity is None)
    assert verdict.description.startswith(begins)


def test_the_furthest_beyond_its_limit_is_named_first_and_the_rest_counted(world):
    verdicts = Given(world)(*(of(0.3 + i, column=f"c{i}") for i in range(5)))
    text = overall(verdicts).description
    assert text.startswith("ERROR: 5 of 5 values outside limits: c4 psi 4.3 is above 0.25; c3 psi")
    assert text.endswith("and 2 more.")
    assert excess(verdicts[0]) == pytest.approx(0.05 / 0.25)
    assert excess(Given(world)(of(0.05))[0]) == 0.0
