"""Labels of a table that grows all the time, taken in part by part."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.label_intake import Bound, TakenIn, take_in_labels
from tests.orchestration.world import fields_of

NOW = datetime(2024, 5, 13, 7, tzinfo=UTC)
PART = 128
"""Labels of one bounded reading here: the first batch of a database that SQLAlchemy reads."""


class Feed:
    """A table of labels, one a minute, and the model that they are of."""

    def __init__(self, root: Path) -> None:
        url = f"sqlite:///{root}/labels.db"
        self.engine = sa.create_engine(url)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TABLE labels (id TEXT, late, available_at DATETIME, revision INTEGER)"
            )
        fields = {"type": "sql", "url": url, "table": "labels", "overlap_hours": 1}
        self.model = MonitoredModel.read(fields_of("late", ground_truth=fields)).rooted(root)
        self.size = 0
        self.minute = 0

    def add(self, count: int, *, minutes_late: int = 0, label: object = 1) -> None:
        """More rows of later minutes, or of minutes that a writer held back."""
        first = datetime(2024, 5, 1) - timedelta(minutes=minutes_late)  # noqa: DTZ001 - as SQLite keeps it
        minutes = range(self.minute, self.minute + count)
        given = [first + timedelta(minutes=m) for m in minutes]
        rows = [(f"{self.size + n:05}", label, f"{at}") for n, at in enumerate(given)]
        with self.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO labels VALUES (?, ?, ?, 1)", rows)
        self.size += count
        self.minute += 0 if minutes_late else count

    def tick(self) -> TakenIn:
        """One bounded reading, of as little as one can be; each in a new process's state."""
        with open_backend(self.model) as backend:
            return take_in_labels(backend, now=NOW, bound=Bound(deliveries=9, seconds=0.0))

    @property
    def taken(self) -> int:
        """Ids in the ledger: no prediction is registered, so all are unknown."""
        with open_backend(self.model) as backend:
            return backend.store.labels.unknown("late")


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    monkeypatch.setattr("dagster_monitoring.orchestration.label_intake.ROWS_AT_ONCE", PART)
    found = Feed(tmp_path)
    yield found
    found.engine.dispose()


def test_a_first_load_that_grows_between_all_ticks_comes_to_its_end(feed: Feed):
    feed.add(2_000)
    ticks = [feed.tick()]
    while ticks[-1].more:
        feed.add(30)
        ticks.append(feed.tick())
        assert len(ticks) < 40
    # A row is read again in each tick, and the last hour in the first tick of a reading.
    assert len(ticks) <= feed.size // (PART - 1) + 2
    assert feed.taken == feed.size
    assert sum(tick.new for tick in ticks) == feed.size
    assert sum(tick.corrections for tick in ticks) == 0
    rest = settled(feed)
    assert [tick.new for tick in rest] == [0] * len(rest)


def test_what_commits_late_behind_a_reading_comes_with_the_next(feed: Feed):
    feed.add(1_000)
    for _ in range(4):
        assert feed.tick().more
        # Its moment is long passed by the reading, and within the hour before the newest.
        feed.minute -= 1
        feed.add(1, minutes_late=50)
        feed.minute += 1
    settled(feed)
    assert feed.taken == feed.size == 1_004


def test_labels_that_come_during_a_long_reading_are_looked_for_from_its_beginning_on(feed: Feed):
    """The hour of overlap counts from the newest label when the reading began."""
    feed.add(400)
    assert feed.tick().more
    behind = feed.minute
    feed.add(600)
    feed.tick()
    now, feed.minute = feed.minute, behind
    feed.add(1, minutes_late=10)
    feed.minute = now
    settled(feed)
    assert feed.taken == feed.size == 1_001


def test_a_table_that_was_taken_in_is_not_read_again_until_it_changes(feed: Feed):
    feed.add(300)
    settled(feed)
    assert feed.tick().deliveries == 0
    feed.add(1, minutes_late=30)
    (tick, *rest) = settled(feed)
    assert (tick.deliveries, tick.new) == (1, 1)
    assert sum(each.new for each in rest) == 0


def test_an_overlap_of_more_rows_than_a_tick_takes_comes_to_rest(feed: Feed):
    # All within the hour that is read again.
    for minute in range(10):
        feed.minute = minute
        feed.add(50)
    settled(feed)
    assert (feed.tick().deliveries, feed.taken) == (0, 500)
    feed.minute = 59
    feed.add(1)
    assert sum(tick.new for tick in settled(feed)) == 1


def test_what_is_behind_a_damaged_row_waits_until_it_was_repaired(feed: Feed):
    feed.add(300)
    with feed.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE labels SET revision = 'second' WHERE id = '00200'")
    ticks = settled(feed)
    (fault,) = [fault for tick in ticks for fault in tick.faults]
    assert "'revision'" in fault
    assert feed.taken == PART
    with feed.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE labels SET revision = 2 WHERE id = '00200'")
    feed.add(1)
    settled(feed)
    assert feed.taken == feed.size == 301


def settled(feed: Feed) -> list[TakenIn]:
    """Ticks until there is nothing more to take in."""
    ticks = [feed.tick()]
    while ticks[-1].deliveries:
        ticks.append(feed.tick())
        assert len(ticks) < 60
    return ticks
