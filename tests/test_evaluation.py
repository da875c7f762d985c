"""An evaluation cannot say what is not so."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.evaluation import Evaluation, Severity, Status, excess, worst_first

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
    assert HEALTHY.key == later.key


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
