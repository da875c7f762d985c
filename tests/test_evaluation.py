"""An evaluation cannot say what is not so."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from scipy.stats import norm

from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.evaluation import (
    Evaluation,
    Severity,
    Status,
    excess,
    value_text,
    worst_first,
)

NOW = datetime(2013, 6, 14, tzinfo=UTC)
HEALTHY = Evaluation(
    model="m", monitor="drift", monitor_kind="drift", metric="psi", column="temp", segment=None,
    baseline_kind="training", baseline_version="b-1", partition="2013-06-13",
    window_start=NOW, window_end=NOW, value=0.1, lower=None, upper=0.2, status=Status.HEALTHY,
    severity=None, reason=None, n=10, n_labelled=None, model_version="v1", evaluated_at=NOW,
    run_id=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": float("nan")}, "finite or None"),
        ({"value": float("inf")}, "finite or None"),
        ({"standard_error": float("nan")}, "standard error is at least 0"),
        ({"standard_error": float("inf")}, "its interval finite"),
        ({"standard_error": 1.7e308}, "its interval finite"),
        ({"standard_error": -0.01}, "standard error is at least 0"),
        (
            {"value": None, "standard_error": 0.1, "status": Status.NO_DATA, "reason": "none"},
            "None without a value",
        ),
        ({"value": None}, "healthy evaluation has a value"),
        ({"severity": Severity.WARN}, "no severity"),
        ({"status": Status.TRIGGERED}, "has a severity"),
        ({"status": Status.NO_DATA, "value": None}, "says its reason"),
    ],
)
def test_nothing_undefined_is_healthy(change, words):
    with pytest.raises(MonitoringError, match=words):
        replace(HEALTHY, **change)


def test_run_and_moment_do_not_change_a_verdict():
    later = replace(HEALTHY, evaluated_at=NOW.replace(year=2014), run_id="r2")
    assert HEALTHY.same_verdict_as(later)
    assert not HEALTHY.same_verdict_as(replace(later, value=0.11))
    assert not HEALTHY.same_verdict_as(replace(later, standard_error=0.0))
    assert HEALTHY.key == later.key


def test_the_interval_holds_95_percent_of_a_normal_error_and_is_not_cut_at_0():
    known = replace(HEALTHY, standard_error=0.1)
    assert known.interval == pytest.approx(norm.interval(0.95, loc=0.1, scale=0.1), abs=1e-5)
    assert known.interval is not None
    assert known.interval[0] < 0
    assert replace(HEALTHY, standard_error=0.0).interval == (0.1, 0.1)
    assert HEALTHY.interval is None
    assert HEALTHY.half_width is None


@pytest.mark.parametrize(
    ("value", "standard_error", "shown"),
    [
        (0.13184, 0.006122, "0.1318 ± 0.012"),
        (-0.13184, 0.05, "-0.1318 ± 0.098"),
        (0.0, 0.0, "0 ± 0"),
        (1.23456e-7, 1e-9, "1.235e-07 ± 2e-09"),
        (1_234_567.4, 6_367.0, "1,234,567 ± 12,000"),
        (0.25, None, "0.25"),
    ],
)
def test_a_value_is_shown_with_half_of_its_interval(value, standard_error, shown):
    assert value_text(value, standard_error) == shown


@pytest.mark.parametrize(
    ("value", "lower", "upper", "expected"),
    [
        (0.5, None, 0.25, 1.0),
        (0.6, 0.8, None, 0.25),
        (0.2, 0.1, 0.25, 0.0),
        (0.5, None, 0.0, 500.0),
        (-0.5, 0.0, None, 500.0),
        (-3.0, -2.0, 2.0, 0.5),
        (0.0, None, 0.0, 0.0),
        (0.5, None, None, 0.0),
        (None, None, 0.2, 0.0),
    ],
)
def test_excess_is_counted_in_units_of_the_limit(value, lower, upper, expected):
    status, reason = (Status.NO_DATA, "none") if value is None else (Status.HEALTHY, None)
    found = replace(HEALTHY, value=value, lower=lower, upper=upper, status=status, reason=reason)
    assert excess(found) == pytest.approx(expected)


def test_worst_first_goes_by_severity_then_status_then_distance_to_the_limit():
    red = replace(HEALTHY, status=Status.TRIGGERED, severity=Severity.ERROR)
    amber = replace(red, severity=Severity.WARN)
    none = replace(HEALTHY, value=None, status=Status.NO_DATA, reason="none")
    ranked = (
        replace(red, value=0.5, upper=0.0),  # any at all is far beyond none allowed
        replace(red, value=0.7, lower=0.75, upper=None),
        replace(amber, value=9.0),
        replace(none, severity=Severity.WARN),
        none,
        replace(HEALTHY, value=0.19),
        replace(HEALTHY, value=0.1),
        replace(HEALTHY, value=0.0, upper=0.0),
        replace(HEALTHY, upper=None),
    )
    assert worst_first(ranked[::-1]) == ranked
    assert worst_first([]) == ()
