from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from dagster_monitoring.errors import (
    DataError,
    DeclarationError,
    SchemaMismatchError,
    SliceNotFoundError,
)
from dagster_monitoring.sources import Request, SqlSource

START = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def fill(write_rows):
    """One row an hour from 1 May on, in a table with an awkward column name."""

    def write(url: str, *, zoned: bool = True, hours: int = 72) -> None:
        table = sa.Table(
            "scores",
            sa.MetaData(),
            sa.Column("id", sa.Text),
            sa.Column("at", sa.DateTime(timezone=zoned)),
            sa.Column("x", sa.Double),
            sa.Column("price", sa.Numeric(10, 2)),
            sa.Column("late", sa.Boolean),
            sa.Column('odd "name"; --', sa.Integer),
        )
        moments = [START + timedelta(hours=h) for h in range(hours)]
        naive = not zoned or url.startswith("sqlite")
        rows = [
            {
                "id": str(h),
                "at": at.replace(tzinfo=None) if naive else at,
                "x": None if h == 0 else h / 4,
                "price": Decimal("1.25"),
                "late": h % 2 == 0,
                'odd "name"; --': h,
            }
            for h, at in enumerate(moments)
        ]
        write_rows(url, table, rows)

    return write


def day(number: int, *columns: str) -> Request:
    return Request(
        columns=columns or None,
        partition=f"2024-05-{number + 1:02}",
        bounds=(START + timedelta(days=number), START + timedelta(days=number + 1)),
        timestamp="at",
    )


def rows_of(source: SqlSource, request: Request) -> list[dict[str, object]]:
    return [row for batch in source.batches(request) for row in batch.to_pylist()]


@pytest.mark.parametrize("zoned", [True, False])
def test_a_day_is_cut_out_of_the_table_whatever_its_times_are(fill, database: str, zoned: bool):  # noqa: FBT001 - a case
    fill(database, zoned=zoned)
    source = SqlSource(url=database, table="scores")
    assert [row["id"] for row in rows_of(source, day(1))] == [str(h) for h in range(24, 48)]
    assert len(rows_of(source, Request())) == 72


def test_a_query_is_cut_in_the_same_way(fill, database: str):
    fill(database)
    source = SqlSource(url=database, query='SELECT id, "at", x * 2 AS y FROM scores WHERE late')
    found = rows_of(source, day(1))
    assert [row["id"] for row in found] == [str(h) for h in range(24, 48, 2)]
    assert found[0]["y"] == 12.0
    assert source.fields() == ("id", "at", "y")


def test_columns_have_the_types_that_profiles_know(fill, database: str):
    fill(database, hours=2)
    (batch,) = SqlSource(url=database, table="scores").batches(Request())
    types = dict(zip(batch.schema.names, batch.schema.types, strict=True))
    assert types["id"] == pa.string()
    assert pa.types.is_timestamp(types["at"])
    assert (types["x"], types["price"], types["late"]) == (pa.float64(), pa.float64(), pa.bool_())
    assert batch.to_pydict()["price"] == [1.25, 1.25]
    assert batch.to_pydict()["x"] == [None, 0.25]


def test_only_the_columns_asked_for_come_and_missing_ones_stop_nothing(fill, database: str):
    fill(database)
    source = SqlSource(url=database, table="scores")
    (batch,) = source.batches(day(0, 'odd "name"; --', "nosuch"))
    assert batch.schema.names == ['odd "name"; --']
    assert batch.num_rows == 24


def test_a_day_without_rows_is_not_found(fill, database: str):
    fill(database)
    with pytest.raises(SliceNotFoundError, match=r"partition 2024-05-10: table scores has no row"):
        rows_of(SqlSource(url=database, table="scores"), day(9))


def test_a_table_without_rows_still_names_its_columns(fill, database: str):
    fill(database, hours=0)
    (batch,) = SqlSource(url=database, table="scores").batches(Request())
    assert batch.num_rows == 0
    assert batch.schema.names[:2] == ["id", "at"]


def test_many_rows_come_in_batches(fill, database: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dagster_monitoring.sources.sql_readers.sqlalchemy.FETCH_ROWS", 10)
    monkeypatch.setattr("dagster_monitoring.sources.sql_readers._arrow.BATCH_ROWS", 10)
    fill(database)
    sizes = [b.num_rows for b in SqlSource(url=database, table="scores").batches(day(1))]
    assert sum(sizes) == 24
    assert max(sizes) <= 10


def test_a_missing_timestamp_says_the_nearest_name(fill, database: str):
    fill(database, hours=1)
    wrong = Request(bounds=(START, START + timedelta(days=1)), timestamp="att")
    with pytest.raises(SchemaMismatchError, match=r"table scores has no column 'att'.*'at'"):
        rows_of(SqlSource(url=database, table="scores"), wrong)


def test_a_missing_table_is_named(fill, database: str):
    fill(database, hours=1)
    with pytest.raises(DataError, match="nosuch"):
        rows_of(SqlSource(url=database, table="nosuch"), Request())


def test_a_query_that_is_wrong_is_a_data_error(fill, database: str):
    fill(database, hours=1)
    with pytest.raises(DataError, match="nosuch"):
        rows_of(SqlSource(url=database, query="SELECT nosuch FROM scores"), Request())


def test_sqlite_times_as_iso_text_are_cut_exactly(tmp_path: Path):
    """SQLite has no time type: another writer's text has a T, a Z or an offset in it."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    texts = ["2024-05-01T23:59:59Z", "2024-05-02T00:00:00Z", "2024-05-02T23:30:00-01:00"]
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("CREATE TABLE scores (id TEXT, at TEXT)"))
        for number, text in enumerate(texts):
            connection.execute(
                sa.text("INSERT INTO scores VALUES (:id, :at)"), {"id": str(number), "at": text}
            )
    found = rows_of(SqlSource(url=url, table="scores"), day(1))
    assert [row["id"] for row in found] == ["1"]


def test_a_value_of_another_type_is_passed_on_for_the_profile_to_count(tmp_path: Path):
    """SQLite keeps text in a number's column without a word."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("CREATE TABLE scores (x REAL)"))
        connection.execute(sa.text("INSERT INTO scores VALUES (1.5), ('broken')"))
    found = rows_of(SqlSource(url=url, query="SELECT x FROM scores"), Request())
    assert [row["x"] for row in found] == ["1.5", "broken"]


def test_an_unreachable_database_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    secret = f"postgresql://me:hunter2hunter2@127.0.0.1:{port}/scores"
    monkeypatch.setenv("SCORES_URL", secret)
    source = SqlSource(url={"env": "SCORES_URL"}, table="scores")
    for act in (lambda: rows_of(source, Request()), lambda: source.describe(Request())):
        with pytest.raises(DataError) as caught:
            act()
        assert f"127.0.0.1:{port}/scores" in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert "hunter2" not in repr(source)


def test_either_a_table_or_a_query_is_declared():
    for given in ({}, {"table": "a", "query": "SELECT 1"}):
        with pytest.raises(ValidationError, match="either table or query"):
            SqlSource(url="sqlite:///x.db", **given)


def test_a_relative_sqlite_file_is_taken_from_the_root(tmp_path: Path):
    moved = SqlSource(url="sqlite:///data/x.db", table="t").relative_to(tmp_path)
    assert moved.url == f"sqlite:///{tmp_path}/data/x.db"
    remote = SqlSource(url="postgresql://me@h/x", table="t")
    assert remote.relative_to(tmp_path) == remote


@pytest.mark.parametrize("given", ["no url", "postgresql://me:hunter2@host:port/x"])
def test_an_address_that_can_not_be_read_is_not_repeated(given: str, monkeypatch):
    monkeypatch.setenv("SCORES_URL", given)
    with pytest.raises(DeclarationError) as caught:
        SqlSource(url={"env": "SCORES_URL"}, table="t").address()
    assert "hunter2" not in str(caught.value)


def test_a_password_in_the_declaration_is_refused_and_not_repeated():
    with pytest.raises(ValidationError, match="environment variable") as caught:
        SqlSource(url="postgresql://me:hunter2@h/x", table="t")
    assert "hunter2" not in str(caught.value)
