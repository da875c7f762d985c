"""What incidents are derived from: verdicts, and of what was in ERROR whether that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents import Verdict
from dagster_monitoring.stores import Store

START = datetime(2024, 5, 1, tzinfo=UTC)
BRIER, OTHER = ("brier", None, None), ("accuracy", None, "carrier=UA")


def evaluation(number: int, value: float, *, other: bool = False) -> Evaluation:
    """Of a day: an error above 0.8, a warning above 0.5; 0.1 is what chance does."""
    metric, column, segment = OTHER if other else BRIER
    severity = Severity.ERROR if value > 0.8 else Severity.WARN if value > 0.5 else None
    begins = START + timedelta(days=number)
    return Evaluation(
        model="m",
        monitor="performance",
        monitor_kind="performance",
        metric=metric,
        column=column,
        segment=segment,
        baseline_kind="training",
        baseline_version="b-1",
        partition=f"{begins:%Y-%m-%d}",
        window_start=begins,
        window_end=begins + timedelta(days=1),
        value=value,
        lower=None,
        upper=0.8 if value > 0.8 else 0.5,
        status=Status.HEALTHY if severity is None else Status.TRIGGERED,
        severity=severity,
        reason=None,
        n=100,
        n_labelled=100,
        model_version="v1",
        evaluated_at=START + timedelta(days=30),
        run_id=None,
        standard_error=0.1,
    )


def test_what_was_in_error_is_followed_until_it_is_well_for_sure(store: Store):
    values = [0.2, 0.9, 0.6, 0.45, 0.3]
    store.evaluations.record(
        [evaluation(n, value) for n, value in enumerate(values)]
        + [evaluation(n, 0.6, other=True) for n in range(len(values))]
    )
    found = store.verdicts.read("m")
    assert [set(verdict.erred) for verdict in found] == [set(), {BRIER}, set(), set(), set()]
    assert [BRIER in verdict.restless for verdict in found[2:]] == [True, True, False]
    assert not any(OTHER in verdict.restless for verdict in found), "it never was in ERROR"


def test_a_corrected_verdict_is_followed_as_it_is_now(store: Store):
    store.evaluations.record([evaluation(0, 0.9), evaluation(1, 0.6)])
    later = replace(evaluation(1, 0.1), evaluated_at=START + timedelta(days=40))
    store.evaluations.record([later])
    error, after = store.verdicts.read("m")
    assert (set(error.erred), set(after.restless)) == ({BRIER}, set())


def test_it_is_what_the_evaluations_themselves_say(store: Store):
    rows = [evaluation(0, 0.9), evaluation(1, 0.45), evaluation(2, 0.3)]
    store.evaluations.record(rows)
    whole = [Verdict.of([row]) for row in rows]
    found = store.verdicts.read("m")
    assert found == whole
    assert [v.erred for v in found] == [v.erred for v in whole]
    assert [v.restless for v in found[1:]] == [v.restless for v in whole[1:]]
