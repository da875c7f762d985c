"""Ids of labels in whichever type they are kept, alone or with the prediction's moment."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from dagster_monitoring.arrays import id_text
from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.sources import GroundTruth, ParquetGroundTruth, SqlGroundTruth

UUIDS = [uuid.UUID(int=1), uuid.UUID("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")]
TEXTS = [str(each) for each in UUIDS]
MOMENT = datetime(2024, 5, 1, 12, 30, 0, 123456, tzinfo=UTC)
BYTES = [each.bytes for each in UUIDS]


def keys(feed: GroundTruth) -> list[str]:
    found = [t for d in feed.deliveries() for t in feed.read(d, id="id", label="late")]
    return pa.concat_tables(found)["prediction_id"].to_pylist()


def write(folder: Path, **columns: object) -> None:
    pq.write_table(pa.table({"late": [0, 1], **columns}), folder / "a.parquet")


@pytest.mark.parametrize(
    "ids",
    [
        pa.array(BYTES, pa.uuid()),
        pa.array(BYTES, pa.binary(16)),
        pa.array(TEXTS),
        pa.array(TEXTS, pa.string_view()),
        pa.array(TEXTS).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_a_uuid_is_its_usual_text_however_it_is_kept(ids: pa.Array, tmp_path: Path):
    assert id_text(ids).to_pylist() == TEXTS
    try:
        write(tmp_path, id=ids)
    except pa.ArrowNotImplementedError as error:  # older pyarrow writes no string_view
        pytest.skip(str(error))
    assert keys(ParquetGroundTruth(path=f"{tmp_path}/*.parquet")) == TEXTS


def test_duckdbs_uuids_are_read(tmp_path: Path):
    import duckdb

    path = tmp_path / "labels.parquet"
    query = "SELECT CAST(column0 AS UUID) AS id, 1 AS late FROM (VALUES (?), (?))"
    with duckdb.connect(str(tmp_path / "labels.duckdb")) as connection:
        connection.execute(f"CREATE TABLE labels AS {query}".replace("column0", "col0"), TEXTS)
        connection.execute(f"COPY labels TO '{path}' (FORMAT parquet)")
    assert keys(ParquetGroundTruth(path=str(path))) == TEXTS


def test_whole_numbers_are_one_id_as_integers_and_floats():
    for array in (pa.array([7, 2**53, None]), pa.array([7.0, 2.0**53, None])):
        assert id_text(array).to_pylist() == ["7", "9007199254740992", None]
    assert id_text(pa.array([float("nan"), 1.0])).to_pylist() == [None, "1"]


@pytest.mark.parametrize(
    "ids", [pa.array([0.5]), pa.array([[1]]), pa.array([b"\xff\xfe"])], ids=lambda a: str(a.type)
)
def test_what_can_be_no_id_is_refused_with_its_column(ids: pa.Array, tmp_path: Path):
    pq.write_table(pa.table({"id": ids, "late": [0]}), tmp_path / "a.parquet")
    with pytest.raises(SchemaMismatchError, match=r"column 'id'.*can't be an id"):
        keys(ParquetGroundTruth(path=f"{tmp_path}/*.parquet"))


@pytest.mark.parametrize(
    "moments",
    [
        pa.array([MOMENT, None], pa.timestamp("us", tz="UTC")),
        pa.array([MOMENT, None], pa.timestamp("ns", tz="America/New_York")),
        pa.array([MOMENT.replace(tzinfo=None), None], pa.timestamp("us")),
        pa.array([MOMENT.astimezone(timezone(timedelta(hours=5))).isoformat(), None]),
    ],
    ids=lambda array: str(array.type),
)
def test_a_moment_is_part_of_the_key_whatever_its_zone(moments: pa.Array, tmp_path: Path):
    write(tmp_path, id=["a", "b"], scored_at=moments)
    feed = ParquetGroundTruth(path=f"{tmp_path}/*.parquet", join="id_and_time", time="scored_at")
    micros = round(MOMENT.timestamp() * 1_000_000)
    assert keys(feed) == [f"a@{micros}", None]


def test_a_table_is_joined_by_id_and_time_too(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/l.db"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text("CREATE TABLE l (id TEXT, late INTEGER, at TEXT, available_at TEXT)")
        )
        connection.execute(
            sa.text("INSERT INTO l VALUES ('a', 1, '2024-05-01T00:00:01Z', '2024-05-02T00:00:00Z')")
        )
    engine.dispose()
    feed = SqlGroundTruth(url=url, table="l", join="id_and_time", time="at")
    assert keys(feed) == [f"a@{round(datetime(2024, 5, 1, 0, 0, 1, tzinfo=UTC).timestamp())}000000"]


def test_a_missing_moment_column_is_named(tmp_path: Path):
    write(tmp_path, id=["a", "b"])
    feed = ParquetGroundTruth(path=f"{tmp_path}/*.parquet", join="id_and_time", time="scored")
    with pytest.raises(SchemaMismatchError, match=r"no column 'scored' \(field time"):
        keys(feed)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"join": "id_and_time"}, "field time goes with join: id_and_time.*Name the column"),
        ({"join": "entity"}, "field entity goes with join: entity.*Name the column"),
        ({"entity": "order"}, "field entity goes with join: entity.*Leave it out"),
        ({"join": "entity", "entity": "o", "time": "t"}, "field time.*Leave it out"),
        ({"feed": "Not a name"}, "feed"),
    ],
)
def test_a_join_without_its_column_is_refused(fields: dict[str, str], said: str):
    with pytest.raises(ValidationError, match=said):
        ParquetGroundTruth.model_validate({"type": "parquet", "path": "x", **fields})
