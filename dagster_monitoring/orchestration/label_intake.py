"""Labels taken in as they arrive: each delivery once, bounded, the damaged ones set aside."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from dagster_monitoring.errors import CorruptDataError, DataError, SchemaMismatchError
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.sources import Delivery, cursor_behind, show_path
from dagster_monitoring.stores import Appended, DeliveryState

# A delivery of more rows is taken in as several transactions, so that no other writer waits long.
ROWS_AT_ONCE = 250_000
# How often everything that is there is looked at, not only what is new by its time.
LOOK_AT_ALL = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """When one reading of the feed ends; what is left comes with the next one.

    Args:
        deliveries: at most so many are taken in.
        seconds: none is begun, and a large one is not gone on with, after so long.
    """

    deliveries: int
    seconds: float


def _on_a_line(text: str) -> str:
    """A file's name may hold a line's end, or what a terminal that shows the log obeys."""
    return "".join(c if c.isprintable() else " " for c in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What one reading of the feed brought.

    ``faults`` has one line for each delivery that is damaged; it is set aside until it changes,
    and the others go on. ``retried`` has one for each that the storage did not give; it is read
    again the next time. ``notes`` are of deliveries that were taken in, and look wrong. ``more``
    says that the bound was reached before the end.
    """

    deliveries: int
    new: int
    redelivered: int
    corrections: int
    unknown: int
    faults: tuple[str, ...]
    retried: tuple[str, ...]
    notes: tuple[str, ...]
    more: bool

    def report(self, log: logging.Logger) -> None:
        """Says what a person should look at."""
        for fault in self.faults:
            log.error(f"left aside until it changes: {_on_a_line(fault)}")
        for fault in self.retried:
            log.error(f"tried again next time: {_on_a_line(fault)}")
        for note in self.notes:
            log.warning(_on_a_line(note))
        if self.more:
            log.info("more labels wait; they are taken in next time")


def take_in_labels(backend: Backend, *, now: datetime, bound: Bound | None = None) -> TakenIn:
    """Reads the deliveries that were not taken in yet, oldest first; all without a bound.

    A delivery that the storage does not give, unlike a damaged one, stays unseen. Taking the same
    delivery in twice changes nothing, so that the sensor and the ``ground_truth`` asset may both
    do it. A bounded reading looks at what is new by its time, and once an hour at everything.
    """
    reading = _Reading(backend=backend, now=now, bound=bound)
    for delivery, known in reading.unseen():
        if reading.is_over():
            reading.more = True
            break
        reading.take(delivery, known)
    return reading.result()


class _Reading:
    """One reading of the feed, as far as it got."""

    def __init__(self, *, backend: Backend, now: datetime, bound: Bound | None) -> None:
        self.more = False
        self._backend = backend
        self._now = now
        self._bound = bound
        self._clock: Callable[[], float] = time.monotonic
        self._began = self._clock()
        self._done = 0
        self._taken: list[Appended] = []
        self._faults: list[str] = []
        self._retried: list[str] = []
        self._notes: list[str] = []

    @property
    def _name(self) -> str:
        return self._backend.model.model

    @property
    def _ledger(self) -> str:
        """Models that share a feed take each delivery in once."""
        return self._backend.model.label_ledger

    def unseen(self) -> list[tuple[Delivery, DeliveryState | None]]:
        """Deliveries that are new or changed, each with how far it was taken in."""
        feed, after = self._backend.ground_truth, self._after()
        found = feed.deliveries(after=after)
        if after is None and not feed.reads_on:
            # All that is there was looked at: a damaged one that was removed is no trouble now.
            self._backend.store.deliveries.forget_set_aside(self._ledger, {d.uri for d in found})
        known = self._backend.store.deliveries.known(self._ledger, [d.uri for d in found])
        unseen = []
        for delivery in found:
            state = known.get(delivery.uri)
            same = state is not None and state.fingerprint == delivery.fingerprint
            if not (same and state is not None and state.finished):
                unseen.append((delivery, state if same else None))
        return unseen

    def is_over(self) -> bool:
        """Whether the bound is reached."""
        if self._bound is None:
            return False
        # One is taken in however long the look at the feed took, or none ever would be.
        return self._done >= self._bound.deliveries or (self._done > 0 and self._is_late())

    def take(self, delivery: Delivery, known: DeliveryState | None) -> None:
        """Takes a delivery in, or says what is wrong with it."""
        self._done += 1
        state = known or DeliveryState(uri=delivery.uri, fingerprint=delivery.fingerprint)
        try:
            state = self._append(delivery, state)
        except (CorruptDataError, SchemaMismatchError) as error:
            fault = f"{self._name}: {error}"
            self._faults.append(fault)
            state = replace(state, finished=True, fault=str(error))
            self._backend.store.deliveries.note(self._ledger, state, now=self._now)
        except DataError as error:
            self._retried.append(f"{self._name}: {error}")
            return
        if not state.finished:
            self.more = True
        elif state.fault is not None and self._backend.ground_truth.reads_on:
            # What is behind a table's damaged row is read once the row was repaired.
            return
        elif not self._retried:
            # What the storage did not give has to be found again by its time.
            self._backend.store.cursors.set(self._cursor, delivery.cursor)

    def result(self) -> TakenIn:
        """What it came to."""
        return TakenIn(
            deliveries=self._done,
            new=sum(part.new for part in self._taken),
            redelivered=sum(part.redelivered for part in self._taken),
            corrections=sum(part.corrections for part in self._taken),
            unknown=self._backend.store.labels.unknown(self._name),
            faults=tuple(self._faults),
            retried=tuple(self._retried),
            notes=tuple(self._notes),
            more=self.more,
        )

    def _append(self, delivery: Delivery, state: DeliveryState) -> DeliveryState:
        """Takes in as much of a delivery as the bound allows; gives how far that is."""
        model, store = self._backend.model, self._backend.store
        tables = self._backend.ground_truth.read(
            delivery, id=model.label_id, label=model.task.label
        )
        taken: list[Appended] = []
        # Read before the transaction begins: a slow storage keeps no other writer waiting.
        for part, is_last in _in_parts(_from_row(tables, state.rows)):
            with store.transaction():
                taken += [store.labels.append(model.model, t, delivery.uri) for t in part]
                state = replace(self._reached(part, state), finished=is_last)
                if is_last and delivery.begun is not None:
                    state = replace(state, fingerprint=delivery.begun)
                store.deliveries.note(self._ledger, state, now=self._now)
            if self._is_late():
                break
        self._taken += taken
        self._notes += _remarks(self._backend, delivery, taken)
        return state

    def _reached(self, part: Sequence[pa.Table], state: DeliveryState) -> DeliveryState:
        """How far a delivery is taken in with a part."""
        cursor = cursor_behind(part[-1]) if part else None
        if cursor is None:
            return replace(state, rows=state.rows + sum(table.num_rows for table in part))
        # Its rows can't be counted off: by the next time there are others before them.
        self._backend.store.cursors.set(self._cursor, cursor)
        return state

    def _is_late(self) -> bool:
        return self._bound is not None and self._clock() - self._began >= self._bound.seconds

    @property
    def _cursor(self) -> str:
        return f"{self._ledger}/labels-arrived"

    def _after(self) -> str | None:
        """The cursor to read on from; ``None`` to look at everything."""
        cursors = self._backend.store.cursors
        looked = cursors.get(f"{self._ledger}/labels-looked-at-all")
        # Also when it is yet to come: the clock was set back, and the times of files with it.
        is_time = looked is None or abs(self._now - datetime.fromisoformat(looked)) >= LOOK_AT_ALL
        if self._bound is not None and not is_time:
            return cursors.get(self._cursor)
        cursors.set(f"{self._ledger}/labels-looked-at-all", self._now.astimezone(UTC).isoformat())
        feed = self._backend.ground_truth
        return cursors.get(self._cursor) if feed.reads_on else None


def _from_row(tables: Iterator[pa.Table], first: int) -> Iterator[pa.Table]:
    """The tables without their first rows."""
    for table in tables:
        if first >= table.num_rows:
            first -= table.num_rows
            continue
        yield table.slice(first)
        first = 0


def _in_parts(tables: Iterator[pa.Table]) -> Iterator[tuple[list[pa.Table], bool]]:
    """Tables put together until they have enough rows for a transaction; whether it is the last.

    There is always a last part, if of no rows: a bounded reading knows that it came to the end.
    """
    part: list[pa.Table] = []
    while True:
        is_full = sum(t.num_rows for t in part) >= ROWS_AT_ONCE
        try:
            table = next(tables, None)
        except DataError:
            if is_full:
                yield part, False
            raise
        if table is None:
            break
        if is_full:
            yield part, False
            part = []
        part.append(table)
    yield part, True


def _remarks(backend: Backend, delivery: Delivery, parts: Sequence[Appended]) -> list[str]:
    """What was taken in from a delivery although it looks wrong."""
    model, notes = backend.model, []
    where = f"{model.model}: {show_path(delivery.uri)}, column {model.task.label!r}"
    changed = next((part for part in parts if part.type_changed), None)
    if changed is not None:
        notes.append(
            f"{where} holds {' and '.join(changed.kinds)}, where labels were "
            f"{' and '.join(changed.kinds_before)} so far. Labels are compared by what they say "
            "(1 is '1'); if they now say something else, send corrections with a higher revision"
        )
    unusable = sum(part.unusable for part in parts)
    if unusable:
        notes.append(
            f"{where}: {unusable} rows have no id, or no moment they became available, and were "
            "left out. Complete the file; it is read again when it changes"
        )
    return notes
