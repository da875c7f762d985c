"""What opens, worsens and closes an incident, as a table; each row says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from dagster_monitoring.alerts import AlertPolicy, advance, worst_first
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incident import Incident, IncidentStatus, Transition
from tests.alerts.conftest import NOW, evaluation

OPENED, ESCALATED, RESOLVED = Transition.OPENED, Transition.ESCALATED, Transition.RESOLVED
WARN, ERROR = Severity.WARN, Severity.ERROR
DAY = "2013-06-13"
NEXT = "2013-06-14"


def bad(monitor: str = "performance", **fields: object) -> Evaluation:
    """A monitor in trouble; its kind is its name unless given."""
    return evaluation(monitor, **{"kind": monitor, "severity": ERROR, "partition": DAY, **fields})


def good(monitor: str = "performance", *, partition: str = NEXT) -> Evaluation:
    return evaluation(
        monitor,
        kind=monitor,
        status=Status.HEALTHY,
        severity=None,
        value=0.1,
        partition=partition,
    )


def waiting(*, severity: Severity | None = None) -> Evaluation:
    return evaluation(
        "performance",
        kind="performance",
        status=Status.NO_DATA,
        severity=severity,
        value=None,
        reason="labels expected by 2013-06-17",
        partition=NEXT,
        n_labelled=0,
    )


# One healthy partition closes, so that a table row is two days long.
AT_ONCE = AlertPolicy(resolve_after=1)


def opened(
    *verdicts: Evaluation, policy: AlertPolicy | None = None, now: datetime = NOW
) -> Incident:
    """The incident that these verdicts open."""
    [(transition, incident)] = advance(None, verdicts, now=now, policy=policy or AT_ONCE)
    assert transition is OPENED
    return incident


PERFORMANCE = opened(bad())
PERFORMANCE_WARNS = opened(bad(severity=WARN), policy=AlertPolicy(severity=WARN))
TWO_DAYS = AlertPolicy(resolve_after=2)
WARNS = AlertPolicy(severity=WARN, resolve_after=1)
LATER = NOW + timedelta(days=2)

TABLE = [
    # current, verdicts, policy, transitions, reason
    (None, [], None, [], "no verdict, no news"),
    (None, [good()], None, [], "health opens nothing"),
    (None, [bad()], None, [OPENED], "an error opens"),
    (None, [bad(severity=WARN)], None, [], "by default a warning is recorded, nobody is paged"),
    (None, [bad(severity=WARN)], WARNS, [OPENED], "asked for, a warning opens"),
    (None, [waiting()], WARNS, [], "labels that are not due are no trouble"),
    (None, [waiting(severity=WARN)], WARNS, [OPENED], "overdue labels are trouble"),
    (None, [bad(), bad("drift"), bad("quality")], None, [OPENED], "one cause, one incident"),
    (PERFORMANCE, [bad()], None, [], "the same verdicts again are no news"),
    (PERFORMANCE, [bad(partition=NEXT)], None, [None], "it lasts: saved, not told again"),
    (PERFORMANCE, [bad(partition=NEXT, value=9.0)], None, [None], "a higher value is no news"),
    (PERFORMANCE, [bad("drift", partition=NEXT)], None, [ESCALATED], "another kind of monitor"),
    (
        PERFORMANCE,
        [bad("performance_by_carrier", kind="performance", partition=NEXT), good()],
        None,
        [None],
        "another monitor of the same kind joins without noise",
    ),
    (PERFORMANCE_WARNS, [bad(partition=NEXT)], WARNS, [ESCALATED], "severity rose"),
    (PERFORMANCE, [bad(partition=NEXT, severity=WARN)], WARNS, [None], "severity fell: it lasts"),
    (PERFORMANCE, [bad(partition=NEXT, severity=WARN)], None, [], "still warns: not healthy"),
    (PERFORMANCE, [good()], None, [RESOLVED], "all clear"),
    (PERFORMANCE, [good(partition=DAY)], None, [RESOLVED], "the bad day itself was corrected"),
    (PERFORMANCE, [good(partition="2013-06-12")], None, [], "an earlier day closes nothing"),
    (PERFORMANCE, [waiting()], None, [], "labels to come: unknown is not healthy"),
    (PERFORMANCE, [waiting(severity=WARN)], None, [], "overdue labels are not healthy"),
    (PERFORMANCE, [good("drift")], None, [], "what took part is not judged yet"),
    (PERFORMANCE, [good(), bad("drift", severity=WARN, partition=NEXT)], None, [RESOLVED],
     "a warning that never took part keeps nothing open"),
    (PERFORMANCE, [good(), bad(severity=WARN, column="wind_speed", partition=NEXT)], None, [],
     "one of its columns is healthy, another still warns"),
    (PERFORMANCE, [good(), waiting()], None, [RESOLVED],
     "a segment without rows does not keep the whole open"),
    (PERFORMANCE, [good()], TWO_DAYS, [], "one healthy day of two"),
    (PERFORMANCE, [good(partition="2013-06-15")], TWO_DAYS, [RESOLVED], "two days after the last"),
    (PERFORMANCE, [bad(partition="2013-05-01")], None, [], "a backfill does not touch live work"),
    (PERFORMANCE, [bad(partition="2013-06-10")], None, [None], "late labels: it began earlier"),
    (replace(PERFORMANCE, status=IncidentStatus.RESOLVED), [bad(partition=NEXT)], None, [OPENED],
     "what is resolved stays so; trouble opens another"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("current", "verdicts", "policy", "transitions"),
    [pytest.param(*row[:4], id=row[4]) for row in TABLE],
)
def test_transition(current, verdicts, policy, transitions):
    for order in list(permutations(verdicts))[:6]:
        found = advance(current, order, now=LATER, policy=policy or AT_ONCE)
        assert [transition for transition, _ in found] == transitions


def test_an_opened_incident_says_who_what_and_when():
    verdicts = [bad(), bad("drift", severity=WARN), good("quality", partition=DAY)]
    incident = opened(*verdicts)
    assert (incident.model, incident.severity, incident.status) == (
        "flight_delay", ERROR, IncidentStatus.OPEN,
    )  # fmt: skip
    assert (incident.opened_partition, incident.last_partition) == (DAY, DAY)
    assert incident.monitors == ("performance",), "only what is bad enough takes part"
    assert [e.monitor for e in incident.worst] == ["performance", "drift"], "warnings are context"
    assert (incident.opened_at, incident.historical) == (NOW, False)


def test_a_lasting_incident_moves_on_with_the_partitions():
    verdicts = [bad(partition=NEXT, value=0.9)]
    [(_, incident)] = advance(PERFORMANCE, verdicts, now=LATER, policy=AT_ONCE)
    assert (incident.opened_partition, incident.last_partition) == (DAY, NEXT)
    assert incident.worst == tuple(verdicts)
    assert (incident.opened_at, incident.updated_at) == (NOW, LATER)
    assert incident.id == PERFORMANCE.id


def test_an_earlier_partition_moves_the_beginning_and_leaves_the_worst():
    late = [bad(partition="2013-06-10", value=0.7)]
    [(_, incident)] = advance(PERFORMANCE, late, now=LATER, policy=AT_ONCE)
    assert (incident.opened_partition, incident.last_partition) == ("2013-06-10", DAY)
    assert incident.worst == PERFORMANCE.worst


def rows_of(incident: Incident) -> list[tuple[str, str]]:
    return [(e.monitor, e.partition) for e in incident.worst]


class TestWorst:
    """Each member shows its own newest trouble, whatever came of the others since."""

    def test_late_trouble_is_not_hidden_by_anothers_of_today(self):
        quality = opened(bad("data_quality", partition=NEXT))
        [(_, both)] = advance(quality, [bad()], now=LATER, policy=AT_ONCE)
        assert both.last_partition == NEXT
        assert set(rows_of(both)) == {("data_quality", NEXT), ("performance", DAY)}

    def test_trouble_of_today_does_not_hide_an_earlier_members(self):
        news = [
            good(),
            bad("data_quality", partition=NEXT),
            bad("drift", severity=WARN, partition=NEXT),
        ]
        [(_, both)] = advance(PERFORMANCE, news, now=LATER, policy=AT_ONCE)
        assert set(rows_of(both)[:2]) == {("data_quality", NEXT), ("performance", DAY)}
        assert rows_of(both)[2:] == [("drift", NEXT)], "warnings of the newest day are context"
        third = [
            bad("data_quality", partition="2013-06-15"),
            bad(severity=WARN, partition="2013-06-15"),
        ]
        [(_, later)] = advance(both, third, now=LATER, policy=AT_ONCE)
        assert set(rows_of(later)) == {("data_quality", "2013-06-15"), ("performance", DAY)}

    def test_what_was_corrected_is_not_kept(self):
        both = opened(bad(), bad("data_quality"))
        corrected = [good(partition=DAY), bad("data_quality")]
        [(_, incident)] = advance(both, corrected, now=LATER, policy=AT_ONCE)
        assert rows_of(incident) == [("data_quality", DAY)]

    def test_a_wide_monitor_leaves_room_for_every_member(self):
        wide = [bad("drift", column=f"c{i}", partition=NEXT) for i in range(30)]
        [(_, incident)] = advance(PERFORMANCE_WARNS, wide, now=LATER, policy=WARNS)
        assert len(incident.worst) == 20
        assert rows_of(incident)[:2] == [("drift", NEXT), ("performance", DAY)]


def test_a_resolved_incident_keeps_what_it_was():
    [(_, incident)] = advance(PERFORMANCE, [good()], now=LATER, policy=AT_ONCE)
    assert incident.status is IncidentStatus.RESOLVED
    assert (incident.last_partition, incident.resolved_partition) == (DAY, NEXT)
    assert incident.worst == PERFORMANCE.worst


def test_escalation_happens_once_for_a_kind_even_after_it_was_quiet():
    [(_, both)] = advance(PERFORMANCE, [bad("drift", partition=NEXT)], now=LATER, policy=AT_ONCE)
    third_day = [
        bad(partition="2013-06-15"),
        bad("drift_of_scores", kind="drift", partition="2013-06-15"),
        good("drift", partition="2013-06-15"),
    ]
    [(transition, incident)] = advance(both, third_day, now=LATER, policy=AT_ONCE)
    assert transition is None
    assert incident.monitors == ("drift", "drift_of_scores", "performance")


class TestAge:
    """Backfilled days open no page today."""

    def test_an_old_partition_is_recorded_as_historical(self):
        late = NOW + timedelta(days=30)
        [(transition, incident)] = advance(None, [bad()], now=late, policy=AT_ONCE)
        assert (transition, incident.historical) == (OPENED, True)

    def test_the_limit_itself_is_still_told(self):
        end = bad().window_end
        policy = AlertPolicy(max_age_days=14, resolve_after=1)
        [(_, at)] = advance(None, [bad()], now=end + timedelta(days=14), policy=policy)
        [(_, past)] = advance(None, [bad()], now=end + timedelta(days=14, seconds=1), policy=policy)
        assert (at.historical, past.historical) == (False, True)

    def test_without_a_limit_everything_is_told(self):
        policy = AlertPolicy(max_age_days=None, resolve_after=1)
        [(_, incident)] = advance(None, [bad()], now=NOW + timedelta(days=900), policy=policy)
        assert not incident.historical

    def test_labels_that_are_expected_late_do_not_make_a_verdict_old(self):
        late = NOW + timedelta(days=35)
        verdict = bad(n_labelled=900)
        [(_, told)] = advance(None, [verdict], now=late, policy=AT_ONCE, expected_delay_days=30)
        [(_, old)] = advance(None, [bad("drift")], now=late, policy=AT_ONCE, expected_delay_days=30)
        assert (told.historical, old.historical) == (False, True)

    def test_trouble_that_reaches_today_is_announced_for_the_first_time(self):
        late = NOW + timedelta(days=30)
        [(_, old)] = advance(None, [bad()], now=late, policy=AT_ONCE)
        [(transition, incident)] = advance(
            old, [bad(partition="2013-07-10")], now=late, policy=AT_ONCE
        )
        assert (transition, incident.historical, incident.id) == (OPENED, False, old.id)

    def test_a_historical_incident_stays_so_when_resolved(self):
        late = NOW + timedelta(days=30)
        [(_, old)] = advance(None, [bad()], now=late, policy=AT_ONCE)
        [(transition, incident)] = advance(old, [good()], now=late, policy=AT_ONCE)
        assert (transition, incident.historical) == (RESOLVED, True)


def test_a_monitor_that_was_taken_away_keeps_nothing_open():
    verdicts = [good("quality")]
    assert not advance(PERFORMANCE, verdicts, now=LATER, policy=AT_ONCE)
    assert not advance(
        PERFORMANCE, verdicts, now=LATER, policy=AT_ONCE, declared=["performance", "quality"]
    )
    [(transition, _)] = advance(
        PERFORMANCE, verdicts, now=LATER, policy=AT_ONCE, declared=["quality"]
    )
    assert transition is RESOLVED


def test_judging_again_is_the_same_incident_and_a_relapse_is_another():
    assert opened(bad()).id == opened(bad(), now=LATER).id
    relapse = bad(evaluated_at=NOW + timedelta(days=1))
    assert opened(relapse).id != PERFORMANCE.id


def test_worst_first_lets_no_monitor_hide_another():
    wide = [evaluation("drift", column=f"c{i}", value=1.0 + i, severity=WARN) for i in range(30)]
    other = evaluation("quality", metric="missing_share", value=0.21, severity=WARN)
    error = evaluation("performance", value=0.5, lower=0.6, upper=None)
    ranked = worst_first([*wide, other, error])
    assert ranked[0] is error
    assert {ranked[1].monitor, ranked[2].monitor} == {"drift", "quality"}
    assert ranked[1].column == "c29", "farthest beyond its limit first"
    assert len(ranked) == 32
    assert len(opened(*wide, error).worst) == 20, "an incident is bounded"


def test_verdicts_of_two_partitions_are_refused():
    with pytest.raises(ValueError, match="one model and partition"):
        advance(None, [bad(), bad(partition=NEXT)], now=NOW, policy=AT_ONCE)


def test_another_models_incident_is_refused():
    with pytest.raises(ValueError, match="is of flight_delay, the verdicts of other"):
        advance(PERFORMANCE, [bad(model="other")], now=NOW, policy=AT_ONCE)
