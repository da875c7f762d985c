"""When a challenger is trained, as a table; each row says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents import Cause, Incident, IncidentStatus, Member
from dagster_monitoring.retraining import RetrainingConfig, decide, training_windows
from dagster_monitoring.schema import Partitions

NOW = datetime(2013, 6, 14, 6, tzinfo=UTC)
DAYS = Partitions(start="2013-04-01")


def verdict(kind: str, *, severity: Severity = Severity.ERROR, no_data: bool = False) -> Evaluation:
    return Evaluation(
        model="flight_delay",
        monitor=kind,
        monitor_kind=kind,
        metric="psi",
        column=None,
        segment=None,
        baseline_kind=None,
        baseline_version=None,
        partition="2013-06-13",
        window_start=NOW - timedelta(days=3),
        window_end=NOW,
        value=None if no_data else 0.3,
        lower=None,
        upper=0.2,
        status=Status.NO_DATA if no_data else Status.TRIGGERED,
        severity=severity,
        reason="nothing came" if no_data else None,
        n=0,
        n_labelled=None,
        model_version=None,
        evaluated_at=NOW,
        run_id=None,
    )


def incident(*worst: Evaluation, severity: Severity = Severity.ERROR) -> Incident:
    return Incident(
        id="inc-1",
        model="flight_delay",
        cause=Cause.MODEL,
        status=IncidentStatus.OPEN,
        severity=severity,
        opened_partition="2013-06-11",
        last_partition="2013-06-13",
        resolved_partition=None,
        members=tuple(
            Member(
                monitor=name,
                kind=next((e.monitor_kind for e in worst if e.monitor == name), "drift"),
                severity=severity,
                first="2013-06-11",
                last="2013-06-13",
            )
            for name in sorted({e.monitor for e in worst})
        ),
        worst=worst,
        historical=False,
        opened_at=NOW,
        updated_at=NOW,
    )


DRIFT = incident(verdict("drift"))
WARNING = incident(verdict("drift", severity=Severity.WARN), severity=Severity.WARN)
ON_WARN = RetrainingConfig(severity=Severity.WARN)
AGAIN = RetrainingConfig(again_after_days=14)
WEEK = timedelta(days=7)

TABLE = [
    # incident, config, time since the last request, its incident, due, what the reason says
    (None, None, None, None, False, "no incident is open"),
    (DRIFT, None, None, None, True, "incident inc-1: ERROR in drift"),
    (incident(verdict("performance")), None, None, None, True, "ERROR in performance"),
    (incident(verdict("data_quality")), None, None, None, False, "not about drift or performance"),
    (incident(verdict("drift", no_data=True)), None, None, None, False, "not about"),
    (replace(DRIFT, status=IncidentStatus.RESOLVED), None, None, None, False, "no incident"),
    (replace(DRIFT, historical=True), None, None, None, False, "days long past"),
    (replace(DRIFT, members=()), None, None, None, False, "not about"),
    (WARNING, None, None, None, False, "is WARN, below ERROR"),
    (WARNING, ON_WARN, None, None, True, "WARN in drift"),
    (DRIFT, None, WEEK - timedelta(seconds=1), "inc-0", False, "cooling down until 2013-06-14"),
    (DRIFT, None, WEEK, "inc-0", True, "ERROR in drift"),
    (DRIFT, None, 4 * WEEK, "inc-1", False, "was retrained for already"),
    (DRIFT, AGAIN, WEEK, "inc-1", False, "is tried again from 2013-06-21"),
    (DRIFT, AGAIN, 2 * WEEK, "inc-1", True, "ERROR in drift"),
    (replace(DRIFT, cause=Cause.DATA), None, None, None, False, "is of data"),
    (replace(DRIFT, cause=Cause.PIPELINE), None, None, None, False, "which no challenger mends"),
    (DRIFT, RetrainingConfig(monitors=("drift",)), None, None, True, "ERROR in drift"),
    (DRIFT, RetrainingConfig(monitors=("own",)), None, None, False, "not about"),
    (DRIFT, RetrainingConfig(for_=3), None, None, True, "ERROR in drift"),
    (DRIFT, RetrainingConfig(for_=4), None, None, False, "lasts 3 slices, and retraining waits"),
    (DRIFT, RetrainingConfig(fresh_within_days=4), None, None, True, "ERROR in drift"),
    (DRIFT, RetrainingConfig(fresh_within_days=3), None, None, False, "learns from 2013-06-10"),
    (DRIFT, RetrainingConfig(budget_per_month=3), None, None, True, "ERROR in drift"),
    (DRIFT, RetrainingConfig(budget_per_month=2), None, None, False, "2 retrainings in 30 days"),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[5])
def test_decision(row):
    about, config, since, last, due, reason = row
    decision = decide(
        about,
        config or RetrainingConfig(),
        now=NOW,
        last_requested_at=NOW - since if since else None,
        last_incident_id=last,
        partitions=DAYS,
        asked_in_a_month=2,
        last_labelled="2013-06-09",
    )
    assert decision.due is due
    assert reason in decision.reason


def test_performance_that_shows_late_counts_beside_the_data_quality_of_today():
    late = replace(verdict("performance"), partition="2013-06-10")
    current = incident(verdict("data_quality"), late)
    decision = decide(
        current,
        RetrainingConfig(),
        now=NOW,
        last_requested_at=None,
        last_incident_id=None,
        partitions=DAYS,
    )
    assert decision.due
    assert decision.reason.endswith("ERROR in performance")


def test_one_drift_that_lasts_sixty_days_is_one_retraining():
    requests: list[datetime] = []
    for day in range(60):
        now = NOW + timedelta(days=day)
        decision = decide(
            DRIFT,
            RetrainingConfig(),
            now=now,
            last_requested_at=requests[-1] if requests else None,
            last_incident_id="inc-1" if requests else None,
            partitions=DAYS,
        )
        requests += [now] if decision.due else []
    assert requests == [NOW]


class TestWindows:
    def test_the_holdout_is_the_end_and_training_comes_before(self):
        config = RetrainingConfig(train_days=30, holdout_days=14)
        windows = training_windows("2013-06-30", partitions=DAYS, config=config)
        assert (windows.holdout[0], windows.holdout[-1]) == ("2013-06-17", "2013-06-30")
        assert (windows.train[0], windows.train[-1]) == ("2013-05-18", "2013-06-16")
        assert (len(windows.train), len(windows.holdout)) == (30, 14)
        assert not set(windows.train) & set(windows.holdout)

    def test_early_in_production_there_is_less_to_train_on(self):
        config = RetrainingConfig(holdout_days=14)
        assert training_windows("2013-04-14", partitions=DAYS, config=config).train == ()
        one = training_windows("2013-04-15", partitions=DAYS, config=config)
        assert one.train == ("2013-04-01",)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("trainer", "my_project.train", "write module:function"),
        ("cooldown_days", -1, "greater than or equal to 0"),
        ("alpha", 0.0, "greater than 0"),
        ("on", ["embedding"], "'drift', 'data_quality' or 'performance'"),
        ("on", [], "at least 1 item"),
        ("holdout_days", 1, "greater than or equal to 2"),
        ("train_day", 3, "Did you mean 'train_days'?"),
    ],
)
def test_a_wrong_declaration_fails_with_what_is_allowed(field, value, said):
    with pytest.raises(ValidationError, match=field) as caught:
        RetrainingConfig.model_validate({field: value})
    assert said in str(caught.value)
