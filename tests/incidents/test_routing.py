"""Whom a message is for and when it may go out, as tables; each row says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import (
    Cause,
    Digest,
    Hours,
    Incident,
    Transition,
    When,
    held_until,
    is_quiet,
    is_told,
)
from tests.incidents.test_reconcile import after

OPENED, ESCALATED, REOPENED = Transition.OPENED, Transition.ESCALATED, Transition.REOPENED
REMINDED, RESOLVED = Transition.REMINDED, Transition.RESOLVED
ACKNOWLEDGED = Transition.ACKNOWLEDGED
# A Wednesday.
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OFFICE = {"days": ["monday", "tuesday", "wednesday"], "hours": "08:00-18:00"}


def incident(**changes: object) -> Incident:
    (found,) = after({"drift": "hE"})
    return replace(found, **changes)


ROUTES = [
    # when, what differs about the incident, transition, knows, told, reason
    ({}, {}, OPENED, False, True, "nothing is asked: all comes"),
    ({"severities": ["ERROR"]}, {}, OPENED, False, True, "an error"),
    ({"severities": ["ERROR"]}, {"severity": Severity.WARN}, OPENED, False, False, "a warning"),
    ({"causes": ["data", "pipeline"]}, {}, OPENED, False, False, "a model's fault, not the data's"),
    ({"causes": ["data", "pipeline"]}, {"cause": Cause.PIPELINE}, OPENED, False, True,
     "data engineers hear of pipelines"),
    ({"causes": ["data"]}, {}, RESOLVED, False, False, "the end of what it never heard of"),
    ({"causes": ["data"]}, {}, RESOLVED, True, True, "what it heard of it hears to the end"),
    ({"causes": ["data"]}, {}, ACKNOWLEDGED, True, True, "so that not two work on it"),
    ({}, {}, RESOLVED, False, False, "a channel that is new needs no end"),
    ({"monitors": ["drift"]}, {}, OPENED, False, True, "by name or type"),
    ({"monitors": ["performance"]}, {}, OPENED, False, False, "another monitor"),
    ({"owners": ["ada"]}, {"owner": "ada"}, REMINDED, True, True, "hers"),
    ({"owners": ["ada"]}, {"owner": "eve"}, REMINDED, True, False, "another's"),
    ({"owners": ["team:risk"]}, {}, OPENED, False, True, "nobody's: the model's owners'"),
    ({"owners": ["team:risk"]}, {"owner": "eve"}, OPENED, False, False, "somebody took it"),
    ({"hours": OFFICE}, {}, OPENED, False, True, "at noon on a Wednesday"),
    ({"hours": {"hours": "18:00-08:00"}}, {}, OPENED, False, False, "for the night"),
    ({"hours": {"hours": "18:00-08:00"}}, {}, RESOLVED, True, True, "the end, whatever the hour"),
    ({"severities": ["ERROR"], "causes": ["data"]}, {}, OPENED, False, False, "all must fit"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("when", "changes", "transition", "knows", "told"),
    [pytest.param(*row[:5], id=row[5]) for row in ROUTES],
)
def test_route(when, changes, transition, knows, told):
    found = is_told(
        When(**when),
        incident(**changes),
        transition,
        escalations_only=False,
        knows=knows,
        owners=["team:risk"],
        now=NOON,
    )
    assert found is told


@pytest.mark.parametrize(
    ("transition", "knows", "told"),
    [
        pytest.param(OPENED, False, False, id="not what opens"),
        pytest.param(REMINDED, True, False, id="nor reminders"),
        pytest.param(ESCALATED, False, True, id="what nobody answered"),
        pytest.param(RESOLVED, True, True, id="the end of what was escalated"),
        pytest.param(RESOLVED, False, False, id="no end of what never was"),
    ],
)
def test_a_channel_for_escalations(transition, knows, told):
    found = is_told(
        When(), incident(), transition, escalations_only=True, knows=knows, owners=[], now=NOON
    )
    assert found is told


SLEEP = [
    # transition, hours until it wakes up, quiet, reason
    (ESCALATED, 1, True, "it got worse in its sleep"),
    (REOPENED, 1, True, "it came back in its sleep"),
    (REMINDED, 1, True, "no reminder"),
    (RESOLVED, 1, False, "its end is told"),
    (ACKNOWLEDGED, 1, False, "what people do is told"),
    (ESCALATED, 0, False, "it has woken up"),
    (ESCALATED, -1, False, "long ago"),
]


@pytest.mark.parametrize(
    ("transition", "hours", "quiet"), [pytest.param(*row[:3], id=row[3]) for row in SLEEP]
)
def test_sleep(transition, hours, quiet):
    asleep = incident(snoozed_until=NOON + hours * HOUR)
    assert is_quiet(asleep, transition, now=NOON) is quiet
    assert not is_quiet(incident(), transition, now=NOON)


NEW_YORK = {"hours": "02:00-06:00", "timezone": "America/New_York"}
DOWNTIME = [
    # windows, transition, moment, held until, reason
    ([], OPENED, "2024-05-01T12:00Z", None, "no downtime"),
    ([{"hours": "11:00-13:00"}], OPENED, "2024-05-01T12:00Z", "2024-05-01T13:00Z", "until its end"),
    ([{"hours": "11:00-12:00"}], OPENED, "2024-05-01T12:00Z", None, "its end is not in it"),
    ([{"hours": "12:00-13:00"}], OPENED, "2024-05-01T12:00Z", "2024-05-01T13:00Z", "its begin is"),
    ([{"hours": "11:00-13:00"}], ESCALATED, "2024-05-01T12:00Z", None, "escalations wait for none"),
    ([{"hours": "11:00-13:00"}], RESOLVED, "2024-05-01T12:00Z", "2024-05-01T13:00Z",
     "the end of an incident waits too"),
    ([{"days": ["sunday"]}], OPENED, "2024-05-01T12:00Z", None, "another day"),
    ([{"days": ["wednesday"]}], OPENED, "2024-05-01T12:00Z", "2024-05-02T00:00Z", "a whole day"),
    ([{"hours": "22:00-04:00", "days": ["tuesday"]}], OPENED, "2024-05-01T03:59Z",
     "2024-05-01T04:00Z", "Tuesday's night goes on until Wednesday morning"),
    ([{"hours": "22:00-04:00", "days": ["wednesday"]}], OPENED, "2024-05-01T03:59Z", None,
     "Wednesday's night begins on Wednesday"),
    ([{"hours": "11:00-13:00"}, {"hours": "12:30-15:00"}], OPENED, "2024-05-01T12:00Z",
     "2024-05-01T15:00Z", "windows that overlap are one"),
    ([{"hours": "11:00-13:00"}, {"hours": "13:00-14:00"}], OPENED, "2024-05-01T12:00Z",
     "2024-05-01T14:00Z", "windows that follow on each other too"),
    ([NEW_YORK], OPENED, "2024-05-01T09:59Z", "2024-05-01T10:00Z", "by the clocks of New York"),
    ([NEW_YORK], OPENED, "2024-01-10T10:30Z", "2024-01-10T11:00Z", "which change in winter"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("windows", "transition", "moment", "until"), [pytest.param(*r[:4], id=r[4]) for r in DOWNTIME]
)
def test_downtime(windows, transition, moment: str, until: str | None):
    found = held_until(
        [Hours(**one) for one in windows], transition, now=datetime.fromisoformat(moment)
    )
    assert found == (None if until is None else datetime.fromisoformat(until))


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"hours": "8-18"}, "write 08:00-18:00"),
        ({"hours": "25:00-26:00"}, "write 08:00-18:00"),
        ({"hours": "08:00-08:00"}, "no time at all"),
        ({"timezone": "Europe/Pari"}, "Did you mean 'Europe/Paris'"),
    ],
)
def test_hours_that_are_none_are_refused(fields: dict[str, str], word: str):
    with pytest.raises(ValidationError, match=word):
        Hours(**fields)


@pytest.mark.parametrize(
    ("at", "zone", "now", "due"),
    [
        ("08:00", "UTC", "2024-05-01T08:00Z", "2024-05-01T08:00Z"),
        ("08:00", "UTC", "2024-05-01T07:59Z", "2024-04-30T08:00Z"),
        ("08:00", "America/New_York", "2024-05-01T12:00Z", "2024-05-01T12:00Z"),
        # Clocks went forward in the night.
        ("08:00", "Europe/Paris", "2024-03-31T06:30Z", "2024-03-31T06:00Z"),
    ],
)
def test_a_digest_is_due_once_a_day_by_the_clocks_of_its_zone(at, zone, now, due):
    found = Digest(at=at, timezone=zone).last_due(datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(due)
