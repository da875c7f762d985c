"""An evaluation cannot say what is not so."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.evaluation import Evaluation, Severity, Status

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
