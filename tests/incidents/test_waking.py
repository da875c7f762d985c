"""What is told when a sleep is over, as a table; each row says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Incident, IncidentStatus, Transition, is_awake, woken
from tests.incidents.test_reconcile import after

NOON = datetime(2024, 5, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNTIL = NOON + 4 * HOUR
REMINDED, ESCALATED, REOPENED = Transition.REMINDED, Transition.ESCALATED, Transition.REOPENED
ERROR, WARN = Severity.ERROR, Severity.WARN
RESOLVED = IncidentStatus.RESOLVED
ASLEEP = {"snoozed_until": UNTIL}

TABLE = [
    # states one after the other, hours after noon, told, reason
    ([{}], 5, None, "it never slept"),
    ([ASLEEP], 3.9, None, "it sleeps"),
    ([ASLEEP], 4, REMINDED, "it is as it was"),
    ([{}, ASLEEP, {**ASLEEP, "last_partition": "2024-05-09"}], 4, REMINDED, "it lasts"),
    ([{"severity": WARN, **ASLEEP}, {"severity": ERROR, **ASLEEP}], 4, ESCALATED, "it got worse"),
    ([{"severity": WARN}, {"severity": ERROR, **ASLEEP}], 4, REMINDED, "worse before it slept"),
    ([ASLEEP, {**ASLEEP, "more": True}], 4, ESCALATED, "another kind of monitor"),
    ([ASLEEP, {**ASLEEP, "status": RESOLVED}, ASLEEP], 4, REOPENED, "it seemed over meanwhile"),
    ([{"status": RESOLVED}, {}, ASLEEP], 4, REMINDED, "it seemed over before it slept"),
    ([ASLEEP, {**ASLEEP, "status": RESOLVED}], 4, None, "its end was told"),
    ([{"severity": WARN, **ASLEEP}, {"severity": ERROR, **ASLEEP, "snoozed_until": UNTIL + HOUR}],
     5, ESCALATED, "worse while it slept, and then slept longer"),
    ([{**ASLEEP, "historical": True}], 4, None, "nobody was told of it"),
    ([{**ASLEEP, "status": IncidentStatus.ACKNOWLEDGED}], 4, REMINDED, "whoever took it too"),
]  # fmt: skip


def state(**changes: object) -> Incident:
    two = changes.pop("more", False)
    said = {"drift": "hE", **({"performance": "hE"} if two else {})}
    (found,) = after(said)
    return replace(found, **changes)


@pytest.mark.parametrize(
    ("states", "hours", "told"), [pytest.param(*row[:3], id=row[3]) for row in TABLE]
)
def test_a_sleep_is_over(states, hours: float, told):
    found = [state(**changes) for changes in states]
    now = NOON + hours * HOUR
    assert woken(found[-1], found, now=now) is told
    assert is_awake(found[-1], now=now) is (told is not None)
