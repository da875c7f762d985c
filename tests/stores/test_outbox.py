from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.stores import Store

NOW = datetime(2024, 5, 2, 6, tzinfo=UTC)


def enqueue(
    store: Store,
    key: str = "k",
    *,
    model: str = "m",
    now: datetime = NOW,
    incident: str = "i-1",
    channel: str = "slack",
) -> bool:
    return store.outbox.enqueue(
        model=model,
        incident_id=incident,
        transition="OPENED",
        channel=channel,
        dedup_key=key,
        payload='{"title": "a\\nb"}',
        now=now,
    )


def test_an_announcement_is_queued_once(store: Store):
    assert enqueue(store)
    assert not enqueue(store)
    (entry,) = store.outbox.due(NOW)
    assert (entry.payload, entry.attempts, entry.sent_at) == ('{"title": "a\\nb"}', 0, None)
    assert store.outbox.due(NOW - timedelta(days=1)) == [entry], "the clock was set back"
    assert store.outbox.due(NOW, model="other") == []
    assert len(store.outbox.due(NOW, model="m")) == 1


def test_what_was_sent_is_never_due_again(store: Store):
    enqueue(store)
    (entry,) = store.outbox.due(NOW)
    assert store.outbox.claim(entry, now=NOW)
    store.outbox.mark_sent(entry.id, now=NOW)
    assert store.outbox.due(NOW + timedelta(days=9)) == []
    assert not enqueue(store)
    assert [e.sent_at for e in store.outbox.of_incident("i-1")] == [NOW]
    store.outbox.mark_failed(entry.id, "late news", now=NOW)
    assert store.outbox.failing() == []


def test_only_one_sender_gets_an_entry_until_its_lease_ends(store: Store):
    enqueue(store)
    (entry,) = store.outbox.due(NOW)
    assert store.outbox.claim(entry, now=NOW, lease_seconds=60)
    assert not store.outbox.claim(entry, now=NOW)
    assert store.outbox.due(NOW + timedelta(seconds=59)) == []
    (again,) = store.outbox.due(NOW + timedelta(seconds=60))
    assert again.attempts == 1
    assert store.outbox.claim(again, now=NOW + timedelta(seconds=60))


def test_failures_wait_longer_each_time_at_most_a_day_and_show(store: Store):
    enqueue(store)
    now, waits = NOW, []
    for _ in range(13):
        (entry,) = store.outbox.due(now)
        assert store.outbox.claim(entry, now=now)
        store.outbox.mark_failed(entry.id, "channel_not_found", now=now)
        (failing,) = store.outbox.failing()
        waits.append((failing.next_attempt_at - now).total_seconds())
        now = failing.next_attempt_at
    assert waits == [60 * 2**n for n in range(11)] + [86_400, 86_400]
    assert failing.last_error == "channel_not_found"
    assert failing.attempts == 13


def test_a_channel_may_say_how_long_to_wait(store: Store):
    enqueue(store)
    (entry,) = store.outbox.due(NOW)
    store.outbox.claim(entry, now=NOW)
    store.outbox.mark_failed(entry.id, "slow down", now=NOW, retry_after_seconds=7)
    assert store.outbox.due(NOW + timedelta(seconds=6)) == []
    assert len(store.outbox.due(NOW + timedelta(seconds=7))) == 1


def test_an_announcement_goes_with_the_transaction_it_was_queued_in(store: Store):
    with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 - its end is what fails
        enqueue(store)
        raise RuntimeError
    assert store.outbox.due(NOW) == []


def test_due_gives_the_oldest_first(store: Store):
    for number in range(3):
        enqueue(store, f"k{number}", incident=f"i-{number}")
    assert [e.dedup_key for e in store.outbox.due(NOW, limit=2)] == ["k0", "k1"]


def test_what_nobody_can_take_is_never_due_and_stays_to_be_seen(store: Store):
    enqueue(store)
    (entry,) = store.outbox.due(NOW)
    assert not entry.undeliverable
    store.outbox.mark_undeliverable(entry.id, "no such channel")
    assert store.outbox.due(NOW + timedelta(days=36_500)) == []
    (kept,) = store.outbox.failing()
    assert (kept.undeliverable, kept.last_error, kept.sent_at) == (True, "no such channel", None)
    assert not enqueue(store)


def test_what_was_sent_is_not_given_up(store: Store):
    enqueue(store)
    (entry,) = store.outbox.due(NOW)
    store.outbox.mark_sent(entry.id, now=NOW)
    store.outbox.mark_undeliverable(entry.id, "no such channel")
    assert [e.last_error for e in store.outbox.of_incident("i-1")] == [None]


def test_no_channel_is_waited_for_longer_than_a_day(store: Store):
    enqueue(store)
    (entry,) = store.outbox.due(NOW)
    store.outbox.claim(entry, now=NOW)
    store.outbox.mark_failed(entry.id, "next year", now=NOW, retry_after_seconds=1e9)
    assert len(store.outbox.due(NOW + timedelta(days=1))) == 1


def test_a_channel_gets_what_happened_to_an_incident_in_order(store: Store):
    for key in ("opened", "resolved"):
        enqueue(store, key)
    enqueue(store, "opened by mail", channel="email")
    enqueue(store, "another", incident="i-2")
    (first, mail, other) = store.outbox.due(NOW)
    assert [e.dedup_key for e in (first, mail, other)] == ["opened", "opened by mail", "another"]
    assert store.outbox.claim(first, now=NOW)
    store.outbox.mark_failed(first.id, "down", now=NOW)
    later = NOW + timedelta(seconds=60)
    assert "resolved" not in {e.dedup_key for e in store.outbox.due(later)}
    store.outbox.mark_sent(first.id, now=later)
    assert "resolved" in {e.dedup_key for e in store.outbox.due(later)}


def test_one_that_was_given_up_holds_nothing_back(store: Store):
    for key in ("opened", "resolved"):
        enqueue(store, key)
    (first,) = store.outbox.due(NOW)
    store.outbox.mark_undeliverable(first.id, "no such channel")
    assert [e.dedup_key for e in store.outbox.due(NOW)] == ["resolved"]


def test_the_first_messages_name_is_the_thread_of_those_that_follow(store: Store):
    for key in ("opened", "resolved"):
        enqueue(store, key)
    assert store.outbox.thread("i-1", "slack") is None
    for reference in ("1.1", "2.2"):
        (entry,) = store.outbox.due(NOW)
        store.outbox.mark_sent(entry.id, now=NOW, reference=reference)
    assert store.outbox.thread("i-1", "slack") == "1.1"
    assert store.outbox.thread("i-1", "email") is None


def test_a_channel_that_is_held_gets_nothing_and_others_do(store: Store):
    enqueue(store, "a", incident="i-1")
    enqueue(store, "b", incident="i-2")
    enqueue(store, "c", channel="mail")
    enqueue(store, "d", model="other", incident="i-3")
    until = NOW + timedelta(minutes=30)
    store.outbox.hold("slack", model="m", until=until)
    assert [e.dedup_key for e in store.outbox.due(NOW)] == ["c", "d"]
    assert [e.dedup_key for e in store.outbox.due(until)] == ["a", "b", "c", "d"]
    store.outbox.hold("slack", model="m", until=NOW)
    assert [e.dedup_key for e in store.outbox.due(NOW)] == ["c", "d"], "held is held"


def test_what_was_given_up_is_not_made_due_by_a_hold(store: Store):
    enqueue(store)
    (entry,) = store.outbox.due(NOW)
    store.outbox.mark_undeliverable(entry.id, "gone")
    store.outbox.hold("slack", model="m", until=NOW)
    assert store.outbox.due(NOW + timedelta(days=999)) == []


def test_channels_may_be_left_out(store: Store):
    enqueue(store, "a")
    enqueue(store, "b", channel="mail")
    assert [e.channel for e in store.outbox.due(NOW, without=("slack",))] == ["mail"]
