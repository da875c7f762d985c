"""The same rows of three days in Parquet files and in databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from dagster_monitoring.sources.database import with_driver

START = datetime(2024, 5, 1, tzinfo=UTC)


def rows_of(day: int, count: int = 10) -> pa.Table:
    """``count`` rows evenly spread over a day; row 0 is at midnight sharp."""
    step = timedelta(days=1) / count
    return pa.table(
        {
            "id": [f"{day}-{i}" for i in range(count)],
            "at": pa.array(
                [START + timedelta(days=day) + i * step for i in range(count)],
                pa.timestamp("us", tz="UTC"),
            ),
            "x": [i / 2 if i else None for i in range(count)],
            "kind": [("a", "b", "it's")[i % 3] for i in range(count)],
        }
    )


@pytest.fixture
def write_days(tmp_path: Path) -> Callable[[int], Path]:
    """Writes days 0.. as ``day=2024-05-0N/part-0.parquet`` and gives the folder."""

    def write(days: int) -> Path:
        for day in range(days):
            folder = tmp_path / "slices" / f"day=2024-05-{day + 1:02}"
            folder.mkdir(parents=True)
            pq.write_table(rows_of(day), folder / "part-0.parquet")
        return tmp_path / "slices"

    return write


@pytest.fixture(scope="session")
def shared_postgres(new_postgres_database: Callable[[], str]) -> str:
    """The URL of one database for all tests here: to make one for each takes seconds."""
    return new_postgres_database()


@pytest.fixture
def empty_postgres(shared_postgres: str) -> Iterator[str]:
    """The URL of a PostgreSQL database without tables."""
    yield shared_postgres
    engine = sa.create_engine(with_driver(sa.make_url(shared_postgres)), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))


@pytest.fixture(params=["sqlite", "psycopg2", "adbc", "duckdb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, one for each way to read one."""
    if request.param in {"sqlite", "duckdb"}:
        return f"{request.param}:///{tmp_path / 'scores.db'}"
    plain = request.getfixturevalue("empty_postgres")
    driver = "postgresql+psycopg2" if request.param == "psycopg2" else "postgresql"
    return sa.make_url(plain).set(drivername=driver).render_as_string(hide_password=False)


@pytest.fixture
def write_rows() -> Callable[[str, sa.Table, list[dict[str, object]]], None]:
    """Makes a table where it is not there yet, and adds rows to it."""

    def write(url: str, table: sa.Table, rows: list[dict[str, object]]) -> None:
        if url.startswith("duckdb"):
            _write_duckdb(str(sa.make_url(url).database), table, rows)
            return
        engine = sa.create_engine(with_driver(sa.make_url(url)), poolclass=sa.NullPool)
        table.create(engine, checkfirst=True)
        if rows:
            with engine.begin() as connection:
                connection.execute(sa.insert(table), rows)

    return write


def _write_duckdb(file: str, table: sa.Table, rows: list[dict[str, object]]) -> None:
    # Every name quoted: "at" is a reserved word of DuckDB.
    kinds = ", ".join(f"{_quoted(c.name)} {c.type.compile(PGDialect())}" for c in table.columns)
    marks = ", ".join("?" for _ in table.columns)
    with duckdb.connect(file) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {_quoted(table.name)} ({kinds})")
        if rows:
            values = [[row[c.name] for c in table.columns] for row in rows]
            connection.begin()
            connection.executemany(f"INSERT INTO {_quoted(table.name)} VALUES ({marks})", values)  # noqa: S608 - a test's own names
            connection.commit()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
