from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from dagster_monitoring.errors import CorruptDataError, DataError, SchemaMismatchError
from dagster_monitoring.sources import (
    AnyGroundTruth,
    GroundTruth,
    ParquetGroundTruth,
    SqlGroundTruth,
)

DAY = datetime(2024, 5, 1, tzinfo=UTC)
UTC = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("prediction_id", pa.string()),
        ("label", pa.int32()),
        ("event_time", UTC),
        ("available_at", UTC),
        ("revision", pa.int64()),
    ]
)


def labels(**columns: object) -> pa.Table:
    given = {
        "id": ["a", "b"],
        "late": pa.array([1, 0], pa.int32()),
        "event_time": pa.array([DAY, DAY], UTC),
        "available_at": pa.array([DAY + timedelta(days=1), DAY + timedelta(days=2)], UTC),
        "revision": pa.array([1, 2], pa.int32()),
    }
    return pa.table({k: v for k, v in {**given, **columns}.items() if v is not None})


def read_all(feed: GroundTruth) -> pa.Table:
    return pa.concat_tables(
        [t for d in feed.deliveries() for t in feed.read(d, id="id", label="late")]
    )


def test_labels_come_under_the_ledgers_names_and_types(tmp_path: Path):
    pq.write_table(labels(other=["x", "y"]), tmp_path / "a.parquet")
    found = read_all(ParquetGroundTruth(path=f"{tmp_path}/*.parquet"))
    assert found.schema == SCHEMA
    assert found.to_pylist()[1] == {
        "prediction_id": "b",
        "label": 0,
        "event_time": DAY,
        "available_at": DAY + timedelta(days=2),
        "revision": 2,
    }


def test_columns_may_be_called_otherwise(tmp_path: Path):
    table = labels().rename_columns(["key", "late", "happened", "came", "version"])
    pq.write_table(table, tmp_path / "a.parquet")
    feed = ParquetGroundTruth(
        path=f"{tmp_path}/a.parquet",
        id="key",
        event_time="happened",
        available_at="came",
        revision="version",
    )
    assert read_all(feed)["revision"].to_pylist() == [1, 2]


def test_without_revision_and_arrival_a_file_counts_from_when_it_was_written(tmp_path: Path):
    file = tmp_path / "a.parquet"
    pq.write_table(labels(revision=None, available_at=None, event_time=None), file)
    written = DAY + timedelta(days=5)
    os.utime(file, (written.timestamp(), written.timestamp()))
    found = read_all(ParquetGroundTruth(path=str(file)))
    assert found["revision"].to_pylist() == [1, 1]
    assert found["available_at"].to_pylist() == [written, written]
    assert found["event_time"].to_pylist() == [None, None]
    assert found.schema == SCHEMA


@pytest.mark.parametrize(
    ("name", "fields"),
    [("late", {}), ("id", {}), ("revision", {"revision": "revision"})],
)
def test_a_missing_column_names_file_and_column(tmp_path: Path, name: str, fields: dict[str, str]):
    """The optional ones only when the declaration itself names them."""
    pq.write_table(labels(**{name: None}), tmp_path / "a.parquet")
    feed = ParquetGroundTruth(path=f"{tmp_path}/a.parquet", **fields)
    with pytest.raises(SchemaMismatchError, match=rf"a\.parquet has no column '{name}'"):
        read_all(feed)


@pytest.mark.parametrize(
    ("column", "values"),
    [("available_at", ["soon", "later"]), ("revision", ["x", "y"]), ("id", [[1], [2]])],
)
def test_a_column_of_a_wrong_type_names_file_and_column(
    tmp_path: Path, column: str, values: list[object]
):
    pq.write_table(labels(**{column: values}), tmp_path / "a.parquet")
    with pytest.raises(SchemaMismatchError, match=rf"a\.parquet, column '{column}'"):
        read_all(ParquetGroundTruth(path=f"{tmp_path}/a.parquet"))


@pytest.mark.parametrize("ids", [pa.array([1, 2]), pa.array([1.0, 2.0])])
def test_whole_number_ids_become_text(tmp_path: Path, ids: pa.Array):
    pq.write_table(labels(id=ids), tmp_path / "a.parquet")
    found = read_all(ParquetGroundTruth(path=f"{tmp_path}/a.parquet"))
    assert found["prediction_id"].to_pylist() == ["1", "2"]


def test_each_file_is_a_delivery_and_a_changed_one_has_another_fingerprint(tmp_path: Path):
    for number, name in enumerate(("b", "a")):
        pq.write_table(labels(), tmp_path / f"{name}.parquet")
        os.utime(tmp_path / f"{name}.parquet", (number, number))
    feed = ParquetGroundTruth(path=f"{tmp_path}/*.parquet")
    first = feed.deliveries()
    assert [d.uri.rsplit("/", 1)[1] for d in first] == ["b.parquet", "a.parquet"]
    assert feed.deliveries(after=first[-1].cursor) == first
    pq.write_table(pa.concat_tables([labels(), labels()]), tmp_path / "b.parquet")
    changed = {d.uri: d.fingerprint for d in feed.deliveries()}
    assert changed[first[0].uri] != first[0].fingerprint
    assert changed[first[1].uri] == first[1].fingerprint


def test_no_files_yet_are_no_deliveries(tmp_path: Path):
    assert ParquetGroundTruth(path=f"{tmp_path}/nothing/*.parquet").deliveries() == []


def test_a_corrupt_file_is_named_and_the_others_are_read(tmp_path: Path):
    pq.write_table(labels(), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no more")
    feed = ParquetGroundTruth(path=f"{tmp_path}/*.parquet")
    outcomes = []
    for delivery in sorted(feed.deliveries(), key=lambda d: d.uri):
        try:
            outcomes.append(sum(t.num_rows for t in feed.read(delivery, id="id", label="late")))
        except CorruptDataError as error:
            outcomes.append("b.parquet" in str(error))
    assert outcomes == [2, True]


def test_a_memory_url_is_read_like_a_local_path():
    filesystem = fsspec.filesystem("memory")
    with filesystem.open("/feed/a.parquet", "wb") as file:
        pq.write_table(labels(available_at=None), file)
    try:
        found = read_all(ParquetGroundTruth(path="memory://feed/*.parquet"))
        assert found["prediction_id"].to_pylist() == ["a", "b"]
        assert found["available_at"].null_count == 0
    finally:
        filesystem.rm("/feed", recursive=True)


class LabelTable:
    """A database table of labels that grows."""

    def __init__(self, write_rows, url: str) -> None:
        self.sqlite, self.url, self.write_rows = url.startswith("sqlite"), url, write_rows
        self.table = sa.Table(
            "labels",
            sa.MetaData(),
            sa.Column("id", sa.Text),
            sa.Column("late", sa.Integer),
            sa.Column("available_at", sa.DateTime(timezone=not self.sqlite)),
        )
        self.add()

    def add(self, *rows: tuple[str, int, float]) -> None:
        values = []
        for name, label, days in rows:
            moment = DAY + timedelta(days=days)
            at = moment.replace(tzinfo=None) if self.sqlite else moment
            values.append({"id": name, "late": label, "available_at": at})
        self.write_rows(self.url, self.table, values)


def test_a_table_gives_its_newer_rows_and_those_that_committed_late(write_rows, database: str):
    table = LabelTable(write_rows, database)
    feed = SqlGroundTruth(url=database, table="labels", overlap_hours=24)
    assert feed.deliveries() == []
    table.add(("a", 1, 1), ("b", 0, 5))
    (first,) = feed.deliveries()
    (rows,) = feed.read(first, id="id", label="late")
    assert rows["prediction_id"].to_pylist() == ["a", "b"]
    assert rows["available_at"].to_pylist() == [DAY + timedelta(days=1), DAY + timedelta(days=5)]
    assert rows["revision"].to_pylist() == [1, 1]
    assert datetime.fromisoformat(first.cursor) == DAY + timedelta(days=5)
    (quiet,) = feed.deliveries(after=first.cursor)
    assert [quiet] == feed.deliveries(after=first.cursor)
    table.add(("late", 1, 4.5), ("too late", 1, 3.9), ("new", 0, 6))
    (second,) = feed.deliveries(after=first.cursor)
    assert second.fingerprint != quiet.fingerprint
    (rows,) = feed.read(second, id="id", label="late")
    assert sorted(rows["prediction_id"].to_pylist()) == ["b", "late", "new"]


def test_a_late_commit_alone_is_a_new_delivery(write_rows, database: str):
    table = LabelTable(write_rows, database)
    table.add(("a", 1, 5))
    feed = SqlGroundTruth(url=database, table="labels")
    cursor = feed.deliveries()[0].cursor
    (before,) = feed.deliveries(after=cursor)
    table.add(("late", 1, 4.5))
    (after,) = feed.deliveries(after=cursor)
    assert after.uri == before.uri
    assert after.fingerprint != before.fingerprint


def test_a_label_dated_in_the_future_does_not_hide_the_next_ones(write_rows, database: str):
    table = LabelTable(write_rows, database)
    table.add(("slip", 1, 365 * 75))
    feed = SqlGroundTruth(url=database, table="labels")
    (alone,) = feed.deliveries()
    (rows,) = feed.read(alone, id="id", label="late")
    assert rows["prediction_id"].to_pylist() == ["slip"]
    table.add(("a", 1, 5))
    (first,) = feed.deliveries(after=alone.cursor)
    assert datetime.fromisoformat(first.cursor) == DAY + timedelta(days=5)
    (quiet,) = feed.deliveries(after=first.cursor)
    assert (quiet.cursor, [quiet]) == (first.cursor, feed.deliveries(after=first.cursor))
    table.add(("b", 0, 6))
    # Also after a mark that an earlier version left in the future.
    for mark in (first.cursor, (DAY + timedelta(days=365 * 75)).isoformat()):
        (second,) = feed.deliveries(after=mark)
        (rows,) = feed.read(second, id="id", label="late")
        assert {"a", "b", "slip"} == set(rows["prediction_id"].to_pylist())
        assert datetime.fromisoformat(second.cursor) == DAY + timedelta(days=6)


def test_a_table_must_say_when_labels_came(write_rows, database: str):
    LabelTable(write_rows, database)
    feed = SqlGroundTruth(url=database, table="labels", available_at="came")
    with pytest.raises(SchemaMismatchError, match="table labels has no column 'came'"):
        feed.deliveries()


def test_a_missing_label_column_is_named(write_rows, database: str):
    LabelTable(write_rows, database).add(("a", 1, 1))
    feed = SqlGroundTruth(url=database, table="labels")
    with pytest.raises(SchemaMismatchError, match=r"no column 'lte'.*Did you mean 'late'"):
        list(feed.read(feed.deliveries()[0], id="id", label="lte"))


def test_an_unreachable_database_is_a_data_error(tmp_path: Path):
    (tmp_path / "x.db").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match="not a database"):
        SqlGroundTruth(url=f"sqlite:///{tmp_path / 'x.db'}", table="labels").deliveries()


def test_a_declaration_is_told_by_its_type():
    adapter = TypeAdapter(AnyGroundTruth)
    declared = adapter.validate_python({"type": "parquet", "path": "x", "expected_delay_days": 3})
    assert declared == ParquetGroundTruth(path="x", expected_delay_days=3)
    with pytest.raises(ValueError, match="either table or query"):
        adapter.validate_python({"type": "sql", "url": "sqlite:///x"})


def test_relative_paths_are_taken_from_the_root(tmp_path: Path):
    moved = ParquetGroundTruth(path="l/*.parquet").relative_to(tmp_path)
    assert moved.path == f"{tmp_path}/l/*.parquet"
    sql = SqlGroundTruth(url="sqlite:///x.db", table="t").relative_to(tmp_path)
    assert sql.url == f"sqlite:///{tmp_path}/x.db"
