"""A table of labels that is read in parts while others write to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from dagster_monitoring.sources import SqlGroundTruth, cursor_behind

DAY = datetime(2024, 5, 1, tzinfo=UTC)
Write = Callable[[str, sa.Table, list[dict[str, object]]], None]

# The type of the moments, one of them as the column keeps it, and the type of the ids.
KINDS: dict[str, tuple[sa.types.TypeEngine[object], Callable[[datetime], object], object]] = {
    "with a zone": (sa.DateTime(timezone=True), lambda moment: moment, sa.Text()),
    "without a zone": (sa.DateTime(), lambda moment: moment.replace(tzinfo=None), sa.Integer()),
    "days": (sa.Date(), lambda moment: moment.date(), sa.Uuid()),
    "text": (sa.Text(), lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}", sa.Text()),
}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch):
    """SQLAlchemy's first batch is of 128 rows as it is."""
    monkeypatch.setattr("dagster_monitoring.sources.sql_readers._arrow.BATCH_ROWS", 100)


def id_of(number: int, kind: object) -> object:
    if isinstance(kind, sa.Uuid):
        return uuid.UUID(int=number)
    return number if isinstance(kind, sa.Integer) else f"id {number}"


def first_batch(feed: SqlGroundTruth, after: str | None) -> tuple[set[str], str]:
    """Ids of the first batch behind a cursor, and the cursor behind that."""
    (delivery,) = feed.deliveries(after=after)
    batch = next(iter(feed.read(delivery, id="id", label="late")))
    cursor = cursor_behind(batch)
    assert cursor is not None
    return set(batch["prediction_id"].to_pylist()), cursor


def the_rest(feed: SqlGroundTruth, after: str) -> tuple[set[str], str]:
    """Ids of everything behind a cursor, and the cursor when it was all taken in."""
    (delivery,) = feed.deliveries(after=after)
    tables = feed.read(delivery, id="id", label="late")
    return {i for table in tables for i in table["prediction_id"].to_pylist()}, delivery.cursor


@pytest.mark.parametrize(
    ("kind", "spread"),
    [*((kind, timedelta(hours=1)) for kind in KINDS), ("with a zone", timedelta(0))],
    ids=[*KINDS, "at one moment"],
)
def test_a_reading_goes_on_behind_its_last_row_however_the_table_grew(
    write_rows: Write, database: str, kind: str, spread: timedelta
):
    moments, kept, ids = KINDS[kind]
    if database.startswith("sqlite") and kind == "with a zone":
        kept = KINDS["without a zone"][1]
    columns = [("id", ids), ("late", sa.Integer()), ("available_at", moments)]
    table = sa.Table("labels", sa.MetaData(), *(sa.Column(name, t) for name, t in columns))

    def add(numbers: range) -> None:
        given = [(id_of(n, ids), kept(DAY + n * spread)) for n in numbers]
        rows = [{"id": i, "late": 1, "available_at": moment} for i, moment in given]
        write_rows(database, table, rows)

    feed = SqlGroundTruth(url=database, table="labels", overlap_hours=1_000)
    add(range(0, 400, 2))
    first, cursor = first_batch(feed, None)
    add(range(1, 400, 2))
    second, cursor = first_batch(feed, cursor)
    rest, done = the_rest(feed, cursor)
    # Each goes on from the last row, which it reads again.
    assert [len(first & second), len(second & rest)] == [1, 1]
    assert first | second | rest < the_rest(feed, done)[0]
    assert len(the_rest(feed, done)[0]) == 400


def test_a_moment_in_any_form_of_text_is_gone_on_from(tmp_path: Path):
    """SQLite keeps what it was given: 'T' or a blank, a fraction or none, under a type of time."""
    url = f"sqlite:///{tmp_path}/labels.db"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE labels (id TEXT, late INTEGER, available_at TIMESTAMP)"
        )
        forms = ["2024-05-01 00:00:00", "2024-05-01 00:00:00.5", "2024-05-02T00:00:00"]
        rows = [(f"{n:03}", 1, forms[n // 100]) for n in range(300)]
        connection.exec_driver_sql("INSERT INTO labels VALUES (?, ?, ?)", rows)
    engine.dispose()
    feed, cursor, seen = SqlGroundTruth(url=url, table="labels"), None, []
    for _ in range(3):
        ids, cursor = first_batch(feed, cursor)
        seen.append(len(ids))
    assert seen == [128, 128, 46]


def test_rows_without_id_or_moment_come_last_and_are_not_gone_on_from(
    tmp_path: Path, write_rows: Write
):
    url = f"sqlite:///{tmp_path}/labels.db"
    columns = [("id", sa.Text()), ("late", sa.Integer()), ("available_at", sa.DateTime())]
    table = sa.Table("labels", sa.MetaData(), *(sa.Column(name, t) for name, t in columns))
    noon = datetime(2024, 5, 1, 12)  # noqa: DTZ001 - as the column keeps it
    whole = [{"id": f"{n:03}", "late": 1, "available_at": noon} for n in range(130)]
    broken = [{**whole[0], "id": None}] * 200 + [{**whole[0], "available_at": None}] * 200
    write_rows(url, table, broken + whole)
    feed = SqlGroundTruth(url=url, table="labels")
    first, cursor = first_batch(feed, None)
    assert len(first) == 128
    rest, _ = the_rest(feed, cursor)
    assert rest == {"127", "128", "129"}


def test_a_reading_begins_anew_when_the_row_it_stopped_at_was_the_last_and_is_gone(
    tmp_path: Path, write_rows: Write
):
    url = f"sqlite:///{tmp_path}/labels.db"
    columns = [("id", sa.Text()), ("late", sa.Integer()), ("available_at", sa.DateTime())]
    table = sa.Table("labels", sa.MetaData(), *(sa.Column(name, t) for name, t in columns))
    noon = datetime(2024, 5, 1, 12)  # noqa: DTZ001 - as the column keeps it
    moments = [noon + timedelta(minutes=n) for n in range(128)]
    write_rows(url, table, [{"id": f"{m}", "late": 1, "available_at": m} for m in moments])
    feed = SqlGroundTruth(url=url, table="labels")
    _, cursor = first_batch(feed, None)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.available_at == moments[-1]))
    engine.dispose()
    write_rows(url, table, [{"id": "late", "late": 1, "available_at": noon}])
    assert "late" in the_rest(feed, cursor)[0]
