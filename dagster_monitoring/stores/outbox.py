"""The outbox: each announcement of an incident on each channel, until it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import outbox
from dagster_monitoring.stores._text import storable

_FIRST_RETRY_SECONDS = 60
_LONGEST_RETRY_SECONDS = 86_400
# Not the last year there is: a database may give a moment back in a zone that is ahead of UTC.
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """One announcement on one channel.

    Args:
        id: given by the store.
        dedup_key: the same for the same announcement; a second one is not queued.
        payload: the message as JSON text.
        attempts: sends that were begun.
        last_error: what the last failed send said.
        next_attempt_at: not to be sent before.
        sent_at: when the channel took it.
        reference: what the channel calls the message, for those that follow it.
    """

    id: int
    model: str
    incident_id: str
    transition: str
    channel: str
    dedup_key: str
    payload: str
    created_at: datetime
    attempts: int
    last_error: str | None
    next_attempt_at: datetime
    sent_at: datetime | None
    reference: str | None = None

    @property
    def undeliverable(self) -> bool:
        """Whether it was given up, because there is nobody to take it; ``last_error`` says why."""
        return self.sent_at is None and self.next_attempt_at >= _NEVER


_COLUMNS = [outbox.c[name] for name in OutboxEntry.__dataclass_fields__]


class Outbox:
    """Announcements to be sent once each, tried again until the channel takes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enqueue(
        self,
        *,
        model: str,
        incident_id: str,
        transition: str,
        channel: str,
        dedup_key: str,
        payload: str,
        now: datetime,
        not_before: datetime | None = None,
    ) -> bool:
        """Queues an announcement, to be sent at once or not before a moment; was it new?

        Do it in the transaction that saves the incident (``with store.transaction():``), so that
        neither is there without the other.
        """
        with self._database.write() as connection:
            known = sa.select(outbox.c.id).where(outbox.c.dedup_key == dedup_key)
            if connection.execute(known).first() is not None:
                return False
            row = {
                "model": model,
                "incident_id": incident_id,
                "transition": transition,
                "channel": channel,
                "dedup_key": dedup_key,
                "payload": storable(payload),
                "created_at": now,
                "attempts": 0,
                "next_attempt_at": not_before or now,
            }
            connection.execute(sa.insert(outbox), [row])
            return True

    def due(
        self,
        now: datetime,
        *,
        model: str | None = None,
        without: Sequence[str] = (),
        limit: int = 100,
    ) -> list[OutboxEntry]:
        """Announcements not sent yet whose time has come, oldest first; of one model, or all.

        Of one incident a channel gets them in order: one waits until those before it were sent or
        given up. Those of the channels ``without`` are left out. One never tried nor held waits for
        no time, nor one that would have to wait longer than any does: the clock was set back since.
        """
        earlier = outbox.alias("earlier")
        waits = sa.exists().where(
            earlier.c.incident_id == outbox.c.incident_id,
            earlier.c.channel == outbox.c.channel,
            earlier.c.id < outbox.c.id,
            earlier.c.sent_at.is_(None),
            earlier.c.next_attempt_at < _NEVER,
        )
        too_far = now + timedelta(seconds=2 * _LONGEST_RETRY_SECONDS)
        has_come = sa.or_(
            outbox.c.next_attempt_at <= now,
            sa.and_(outbox.c.attempts == 0, outbox.c.next_attempt_at <= outbox.c.created_at),
            # One never tried may wait for the end of a long downtime.
            sa.and_(
                outbox.c.attempts > 0,
                outbox.c.next_attempt_at > too_far,
                outbox.c.next_attempt_at < _NEVER,
            ),
        )
        wanted = [outbox.c.sent_at.is_(None), has_come, ~waits]
        wanted += [outbox.c.model == model] if model is not None else []
        wanted += [outbox.c.channel.not_in(without)] if without else []
        return self._read(wanted, limit=limit)

    def claim(self, entry: OutboxEntry, *, now: datetime, lease_seconds: float = 120) -> bool:
        """Takes an entry for sending; gives whether nobody else took it first.

        If the sender dies, the entry is due again after the lease.
        """
        statement = (
            sa.update(outbox)
            .where(
                outbox.c.id == entry.id,
                outbox.c.sent_at.is_(None),
                outbox.c.attempts == entry.attempts,
            )
            .values(
                attempts=entry.attempts + 1,
                next_attempt_at=now + timedelta(seconds=lease_seconds),
            )
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount == 1

    def thread(self, incident_id: str, channel: str) -> str | None:
        """What a channel called the first message of an incident that it took."""
        query = (
            sa.select(outbox.c.reference)
            .where(
                outbox.c.incident_id == incident_id,
                outbox.c.channel == channel,
                outbox.c.reference.is_not(None),
            )
            .order_by(outbox.c.id)
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def mark_sent(self, entry_id: int, *, now: datetime, reference: str | None = None) -> None:
        """The channel took it.

        Args:
            entry_id: the entry.
            now: the clock.
            reference: what the channel calls the message, where it says.
        """
        statement = sa.update(outbox).where(outbox.c.id == entry_id, outbox.c.sent_at.is_(None))
        with self._database.write() as connection:
            connection.execute(statement.values(sent_at=now, last_error=None, reference=reference))

    def mark_failed(
        self, entry_id: int, error: str, *, now: datetime, retry_after_seconds: float | None = None
    ) -> None:
        """The channel did not take it: it is due again later, at most a day later.

        Args:
            entry_id: the entry.
            error: what to show a person; no secrets.
            now: the clock.
            retry_after_seconds: what the channel asked for; else 1, 2, 4 ... 1,440 minutes.
        """
        with self._database.write() as connection:
            query = sa.select(outbox.c.attempts).where(outbox.c.id == entry_id)
            attempts = max(int(connection.execute(query).scalar() or 0), 1)
            wait = retry_after_seconds
            if wait is None:
                wait = _FIRST_RETRY_SECONDS * 2.0 ** min(attempts - 1, 20)
            wait = min(wait, _LONGEST_RETRY_SECONDS)
            statement = (
                sa.update(outbox)
                .where(outbox.c.id == entry_id, outbox.c.sent_at.is_(None))
                .values(
                    attempts=attempts,
                    last_error=storable(error)[:2000],
                    next_attempt_at=now + timedelta(seconds=wait),
                )
            )
            connection.execute(statement)

    def hold(self, channel: str, *, model: str, until: datetime) -> None:
        """Nothing of a channel is due before a moment: its receiver asked to be left alone."""
        statement = sa.update(outbox).where(
            outbox.c.model == model,
            outbox.c.channel == channel,
            outbox.c.sent_at.is_(None),
            outbox.c.next_attempt_at < until,
        )
        with self._database.write() as connection:
            connection.execute(statement.values(next_attempt_at=until))

    def mark_undeliverable(self, entry_id: int, error: str) -> None:
        """Nobody can take it: it is never due again, and stays among ``failing`` with the error."""
        statement = sa.update(outbox).where(outbox.c.id == entry_id, outbox.c.sent_at.is_(None))
        with self._database.write() as connection:
            connection.execute(
                statement.values(last_error=storable(error)[:2000], next_attempt_at=_NEVER)
            )

    def failing(self, *, limit: int = 100) -> list[OutboxEntry]:
        """Announcements that failed at least once and are still not sent, oldest first.

        Those that were given up are among them (``undeliverable``).
        """
        wanted = [outbox.c.sent_at.is_(None), outbox.c.last_error.is_not(None)]
        return self._read(wanted, limit=limit)

    def knows(self, incident_id: str) -> set[str]:
        """The channels that have an announcement of an incident, sent or on its way."""
        query = sa.select(outbox.c.channel).where(outbox.c.incident_id == incident_id).distinct()
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())

    def of_incident(self, incident_id: str) -> list[OutboxEntry]:
        """All announcements of an incident, oldest first."""
        return self._read([outbox.c.incident_id == incident_id], limit=10_000)

    def _read(self, wanted: Sequence[sa.ColumnElement[bool]], *, limit: int) -> list[OutboxEntry]:
        query = sa.select(*_COLUMNS).where(*wanted).order_by(outbox.c.id).limit(limit)
        with self._database.read() as connection:
            return [OutboxEntry(**row) for row in connection.execute(query).mappings()]
