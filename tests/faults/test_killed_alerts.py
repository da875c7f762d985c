"""Alerts over crashes: each is sent, and one that was sent twice says so by its key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults import acts
from tests.faults.conftest import Copy
from tests.faults.stopping import Point, killed, stopped

# A message that a dead sender had taken is due again after its lease of five minutes.
LATER = timedelta(minutes=6)
UNSENT = {
    "before the incident is kept": Point(
        at="dagster_monitoring.stores.incidents:IncidentStore.save", when="before"
    ),
    "before its message is queued": Point(
        at="dagster_monitoring.stores.outbox:Outbox.enqueue", when="before"
    ),
    "before all is committed": Point(
        at="dagster_monitoring.orchestration.incidents:_remind", when="after"
    ),
    "once it is queued": Point(at="dagster_monitoring.stores.outbox:Outbox.due", when="before"),
    "once it is taken": Point(at="dagster_monitoring.stores.outbox:Outbox.claim", when="after"),
}


@pytest.mark.parametrize("point", UNSENT.values(), ids=UNSENT)
def test_a_sender_killed_before_it_sent_loses_nothing(
    stages: dict[str, Path], copy: Copy, point: Point
):
    folder = copy("judged")
    killed(acts.alert, folder, at=point)
    assert acts.messages(folder) == []
    acts.alert(folder, LATER)
    acts.alert(folder, 2 * LATER)
    told = [(m["transition"], m["partition"]) for m in acts.messages(folder)]
    assert told == [(m["transition"], m["partition"]) for m in acts.messages(stages["told"])]


def test_a_sender_killed_between_sending_and_noting_it_sends_again_under_the_same_key(
    stages: dict[str, Path], copy: Copy
):
    """No sender can do both at once; a receiver that looks at the key takes the message once."""
    folder = copy("judged")
    sent = Point(at="dagster_monitoring.stores.outbox:Outbox.mark_sent", when="before")
    killed(acts.alert, folder, at=sent)
    acts.alert(folder, timedelta(minutes=1))
    assert len(_keys(folder)) == 1, "the dead sender's lease lasts"
    acts.alert(folder, LATER)
    acts.alert(folder, 2 * LATER)
    first, second = acts.messages(folder)
    assert first == second
    assert set(_keys(folder)) == set(_keys(stages["told"]))


def test_two_senders_at_once_send_each_message_once(stages: dict[str, Path], copy: Copy):
    folder = copy("judged")
    sending = Point(at="dagster_monitoring.alerts.file:FileChannel.send", when="before")
    with stopped(acts.alert, folder, at=sending) as other:
        acts.alert(folder)
        assert acts.messages(folder) == [], "the other one has it"
        other.go_on()
    acts.alert(folder, LATER)
    assert _keys(folder) == _keys(stages["told"])


def test_two_senders_that_found_the_same_message_send_it_once(stages: dict[str, Path], copy: Copy):
    folder = copy("judged")
    found = Point(at="dagster_monitoring.stores.outbox:Outbox.claim", when="before")
    with stopped(acts.alert, folder, at=found) as other:
        acts.alert(folder)
        other.go_on()
    assert _keys(folder) == _keys(stages["told"])


def _keys(folder: Path) -> list[object]:
    return [message["dedup_key"] for message in acts.messages(folder)]
