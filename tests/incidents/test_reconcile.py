"""What becomes of the incidents that are known, as a table of transitions; each row says why."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import (
    AlertPolicy,
    Cause,
    Incident,
    IncidentStatus,
    Moment,
    Rule,
    Transition,
    due_by_time,
    episodes,
    group,
    reconcile,
)
from tests.incidents.test_episodes import START, day, verdicts

OPENED, ESCALATED, RESOLVED = Transition.OPENED, Transition.ESCALATED, Transition.RESOLVED
REOPENED = Transition.REOPENED
CAUSES = {"quality": Cause.DATA, "labels": Cause.LABELS}
RULE = Rule(severity=Severity.ERROR, partitions=1, keep=2)


def derived(said: dict[str, str], rule: Rule = RULE):
    """The groups of what monitors say by day."""
    found = []
    for monitor, letters in said.items():
        own = verdicts(letters, monitor=monitor)
        found += episodes(own, rule, cause=CAUSES.get(monitor, Cause.MODEL))
    return group(found)


def moment(after_days: float = 10, **options: object) -> Moment:
    policy = AlertPolicy(**options)
    return Moment(now=START + timedelta(days=after_days), latest=day(9), policy=policy)


def told(known: Sequence[Incident], said: dict[str, str], **options: object):
    return reconcile("m", known, derived(said), moment(**options))


def after(*steps: dict[str, str], **options: object) -> list[Incident]:
    """The incidents after the verdicts came in these steps."""
    known: dict[str, Incident] = {}
    for number, said in enumerate(steps):
        when = float(options.get("after_days", 10)) + number / 24
        for change in told(list(known.values()), said, **{**options, "after_days": when}):
            known[change.incident.id] = change.incident
    return list(known.values())


TABLE = [
    # what was said before, what is said now, transitions with causes, reason
    ([], {"drift": "hhh"}, [], "health opens nothing"),
    ([], {"drift": "hE"}, [(OPENED, "model")], "trouble opens"),
    ([], {"drift": "hEhh"}, [(None, "model"), (None, "model")],
     "what began and ended since the last look is kept, and needs nobody"),
    ([], {"drift": "hE", "labels": "hE"}, [(OPENED, "labels"), (OPENED, "model")],
     "two causes, two incidents"),
    ([], {"drift": "hE", "performance": "hE"}, [(OPENED, "model")], "one cause, one incident"),
    ([{"drift": "hE"}], {"drift": "hE"}, [], "the same again is no news"),
    ([{"drift": "hE"}], {"drift": "hEE"}, [(None, "model")], "it lasts: kept, not told again"),
    ([{"drift": "hE"}], {"drift": "hEh"}, [], "half of what ends it"),
    ([{"drift": "hE"}], {"drift": "hEhh"}, [(RESOLVED, "model")], "all of it"),
    ([{"drift": "hE"}], {"drift": "hEE", "performance": "hhE"}, [(ESCALATED, "model")],
     "another kind of monitor joins: it got worse"),
    ([{"drift": "hE"}], {"drift": "hE", "quality": "hE"}, [(OPENED, "data"), (RESOLVED, "model")],
     "the cause shows after its consequence: one goes over into the other"),
    ([{"drift": "hE"}], {"drift": "hh"}, [(RESOLVED, "model")], "late labels took it back"),
    ([{"drift": "hE"}], {}, [(RESOLVED, "model")], "the monitor was taken away"),
    ([{"drift": "hE"}, {"drift": "hEhh"}], {"drift": "hEhh"}, [], "what is over stays over"),
    ([{"drift": "hE"}, {"drift": "hEhh"}], {"drift": "hEhhE"}, [(OPENED, "model")],
     "new trouble is another incident"),
    ([{"drift": "hE"}, {"drift": "hEhh"}], {"drift": "hEhEE"}, [(REOPENED, "model")],
     "the day that had closed it turned out bad, and so did the next: it is the same incident"),
    ([{"drift": "hE"}, {"drift": "hEhh"}], {"drift": "EEhh"}, [], "it began earlier: old news"),
    ([{"drift": "hhhhE"}], {"drift": "EhhhE"}, [(None, "model"), (None, "model")],
     "an earlier trouble comes to light beside one that is open"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "said", "expected"), [pytest.param(*row[:3], id=row[3]) for row in TABLE]
)
def test_transition(before, said, expected):
    found = told(after(*before), said)
    shown = [(change.transition, change.incident.cause.value) for change in found]
    assert sorted(shown, key=str) == sorted(expected, key=str)
    again = reconcile("m", _applied(after(*before), found), derived(said), moment())
    assert again == [], "saying it twice changes nothing"


def _applied(known: Sequence[Incident], changes) -> list[Incident]:
    state = {incident.id: incident for incident in known}
    state.update({change.incident.id: change.incident for change in changes})
    return list(state.values())


def test_in_whichever_steps_the_days_come_the_incidents_are_the_same():
    whole = {"drift": "hEEhhhE", "labels": "hhEhh"}
    ends = [{name: letters[:number] for name, letters in whole.items()} for number in range(1, 8)]

    def shape(incidents: Sequence[Incident]) -> set[tuple[object, ...]]:
        return {
            (i.cause, i.status, i.opened_partition, i.last_partition, i.resolved_partition)
            for i in incidents
        }

    expected = shape(after(whole))
    assert len(expected) == 3
    assert shape(after(*ends)) == expected
    for cut in itertools.combinations(ends[:-1], 2):
        assert shape(after(*cut, whole)) == expected


def test_an_incident_says_who_what_and_when():
    (incident,) = after({"drift": "hEE", "performance": "hhE"})
    assert (incident.model, incident.severity, incident.status) == (
        "m", Severity.ERROR, IncidentStatus.OPEN,
    )  # fmt: skip
    assert (incident.opened_partition, incident.last_partition) == (day(1), day(2))
    assert incident.monitors == ("drift", "performance")
    assert [(m.first, m.last) for m in incident.members] == [(day(1), day(2)), (day(2), day(2))]
    assert incident.opened_at == START + timedelta(days=10)


class TestHistory:
    """What is found long after the fact is kept, and nobody is told."""

    def test_a_backfill_of_the_past_is_historical(self):
        changes = told([], {"drift": "hEhh"}, after_days=30)
        assert [c.transition for c in changes] == [None, None]
        assert all(c.incident.historical for c in changes)
        assert changes[-1].incident.status is IncidentStatus.RESOLVED

    def test_asked_for_it_is_told(self):
        changes = told([], {"drift": "hE"}, after_days=30, max_age_days=None)
        assert [c.transition for c in changes] == [OPENED]

    def test_the_last_day_of_the_age_is_told_and_the_moment_after_is_not(self):
        at = told([], {"drift": "E"}, after_days=15)
        past = told([], {"drift": "E"}, after_days=15.001)
        assert [c.transition for c in (*at, *past)] == [OPENED, None]

    def test_past_trouble_that_goes_on_today_is_told_then(self):
        past = after({"drift": "E"}, after_days=16)
        assert past[0].historical
        (change,) = told(past, {"drift": "E" * 16}, after_days=16)
        assert change.transition is OPENED
        assert not change.incident.historical

    def test_verdicts_on_labels_count_their_age_from_when_labels_are_expected(self):
        own = [replace(v, on_labels=True) for v in verdicts("E", monitor="performance")]
        groups = group(episodes(own, RULE, cause=Cause.MODEL))
        late = replace(moment(40), delay=timedelta(days=30))
        assert reconcile("m", [], groups, late)[0].transition is OPENED
        assert reconcile("m", [], groups, moment(40))[0].transition is None


class TestByHand:
    """A person's word goes before the machine's."""

    def closed(self) -> Incident:
        (incident,) = after({"drift": "hEE"})
        return replace(
            incident,
            status=IncidentStatus.RESOLVED,
            resolved_partition=day(2),
            closed_by_hand=True,
        )

    def test_what_a_person_resolved_stays_so_while_nothing_new_comes(self):
        assert told([self.closed()], {"drift": "hEE"}) == []

    def test_what_comes_after_is_another_incident(self):
        (change,) = told([self.closed()], {"drift": "hEEE"})
        assert change.transition is OPENED
        assert change.incident.id != self.closed().id
        assert change.incident.opened_partition == day(3)

    def test_an_acknowledged_one_lasts_and_closes_by_itself(self):
        (incident,) = after({"drift": "hE"})
        mine = replace(incident, status=IncidentStatus.ACKNOWLEDGED, owner="ada")
        (lasting,) = told([mine], {"drift": "hEE"})
        assert (lasting.transition, lasting.incident.status) == (None, IncidentStatus.ACKNOWLEDGED)
        (over,) = told([mine], {"drift": "hEhh"})
        assert (over.transition, over.incident.owner) == (RESOLVED, "ada")


NOON = datetime(2024, 5, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = AlertPolicy(escalate_after_hours=4, repeat_every_hours=24)
TIME = [
    # changes of the incident, hours since it was opened, what is due, reason
    ({}, 3.9, None, "not yet"),
    ({}, 4, ESCALATED, "nobody acknowledged it"),
    ({"status": IncidentStatus.ACKNOWLEDGED}, 5, None, "somebody did"),
    ({"escalated_at": NOON}, 5, None, "it was escalated"),
    ({"snoozed_until": NOON + 9 * HOUR}, 8, None, "it sleeps"),
    ({"snoozed_until": NOON + 9 * HOUR}, 9, ESCALATED, "it wakes up"),
    ({"status": IncidentStatus.ACKNOWLEDGED}, 24, Transition.REMINDED, "it lasts"),
    ({"status": IncidentStatus.ACKNOWLEDGED, "announced_at": NOON + HOUR}, 24, None,
     "people were told an hour later"),
    ({"severity": Severity.WARN}, 99, None, "a warning can wait"),
    ({"historical": True}, 99, None, "nobody was told of it"),
    ({"status": IncidentStatus.RESOLVED}, 99, None, "it is over"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "hours", "due"), [pytest.param(*row[:3], id=row[3]) for row in TIME]
)
def test_time_passes(changes, hours: float, due):
    (incident,) = after({"drift": "hE"})
    given = replace(incident, **{"opened_at": NOON, "announced_at": NOON, **changes})
    assert due_by_time(given, POLICY, now=NOON + hours * HOUR) is due
    assert due_by_time(given, AlertPolicy(), now=NOON + hours * HOUR) is None, "not by default"
