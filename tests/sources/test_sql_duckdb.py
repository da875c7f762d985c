"""DuckDB as a source: files, settings, locks, and several readers at once."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from dagster_monitoring.errors import DataError, MissingExtraError
from dagster_monitoring.sources import Request, SqlSource

START = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scores.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA prod")
        connection.execute("CREATE TABLE prod.scores AS SELECT i AS n FROM range(3) AS r(i)")
    return path


def read(source: SqlSource, request: Request = Request()) -> list[dict[str, object]]:  # noqa: B008 - frozen
    return pa.Table.from_batches(source.batches(request)).to_pylist()


def test_a_query_over_parquet_files_is_cut_into_slices(write_days):
    """The path is relative: it is taken from the root, as the other paths of a declaration are."""
    folder = write_days(3)
    source = SqlSource(
        url="duckdb://", query="SELECT * FROM read_parquet('slices/*/*.parquet')"
    ).relative_to(folder.parent)
    bounds = (START + timedelta(days=1), START + timedelta(days=2))
    request = Request(columns=("id",), partition="2024-05-02", bounds=bounds, timestamp="at")
    assert [row["id"] for row in read(source, request)] == [f"1-{i}" for i in range(10)]
    assert source.describe(request).rows == 10


def test_a_table_of_a_schema_is_read_and_the_file_is_not_written(file: Path):
    before = file.read_bytes()
    assert read(SqlSource(url=f"duckdb:///{file}", table="prod.scores")) == [
        {"n": 0},
        {"n": 1},
        {"n": 2},
    ]
    # Before DuckDB 2 the parser refuses it, before it comes to the file.
    with pytest.raises(DataError, match=r"read-only|syntax error"):
        read(SqlSource(url=f"duckdb:///{file}", query="SELECT 1); DROP TABLE prod.scores; --"))
    assert file.read_bytes() == before


def test_two_read_the_same_file_at_once(file: Path):
    source = SqlSource(url=f"duckdb:///{file}", table="prod.scores")
    first = source.batches(Request())
    next(first)
    code = (
        # Before DuckDB 2 a relation does not keep its connection.
        "import duckdb, sys; own = duckdb.connect(sys.argv[1], read_only=True); "
        "print(len(own.sql('FROM prod.scores').fetchall()))"
    )
    other = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == "3"
    assert len(read(source)) == 3
    first.close()


def test_a_file_that_another_process_writes_says_what_to_do(file: Path):
    code = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", code, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == "held"
        with pytest.raises(DataError, match=r"lock.*after the writer has closed it"):
            read(SqlSource(url=f"duckdb:///{file}", table="prod.scores"))
        writer.communicate()


def test_a_file_that_this_process_writes_says_what_to_do(file: Path):
    with (
        duckdb.connect(str(file)),
        pytest.raises(DataError, match="after the writer has closed it"),
    ):
        read(SqlSource(url=f"duckdb:///{file}", table="prod.scores"))


def test_a_missing_file_is_named_and_not_made(tmp_path: Path):
    path = tmp_path / "nosuch.duckdb"
    with pytest.raises(DataError, match=r"table t: .*nosuch\.duckdb.*does not exist"):
        read(SqlSource(url=f"duckdb:///{path}", table="t"))
    assert not path.exists()


def test_what_follows_the_question_mark_are_duckdbs_settings():
    query = "SELECT current_setting('threads') AS t, current_setting('memory_limit') AS m"
    (row,) = read(SqlSource(url="duckdb://?threads=2&memory_limit=1GiB", query=query))
    assert row == {"t": 2, "m": "1.0 GiB"}
    with pytest.raises(DataError, match="nosuch"):
        read(SqlSource(url="duckdb://?nosuch=hunter2", query=query))


def test_a_secret_setting_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DUCK", "duckdb://?some_token=hunter2hunter2")
    source = SqlSource(url={"env": "DUCK"}, query="SELECT 1 AS x")
    with pytest.raises(DataError, match="environment variable DUCK") as caught:
        read(source)
    assert "hunter2" not in str(caught.value)


def test_a_tables_name_finds_no_variable_of_this_program():
    place = found = pa.table({"x": [1]})
    assert place is found
    with pytest.raises(DataError, match="place"):
        read(SqlSource(url="duckdb://", table="place"))


def test_a_fault_in_the_middle_of_a_stream_is_a_data_error():
    """The 300,000th row can't be read: the batches before it have been handed out."""
    query = (
        "SELECT CAST(CASE WHEN i = 300000 THEN 'x' ELSE '1' END AS INT) AS n "
        "FROM range(400000) AS r(i)"
    )
    with pytest.raises(DataError, match=r"the query: .*Conversion Error"):
        for _ in SqlSource(url="duckdb://?threads=1", query=query).batches(Request()):
            pass


def test_numbers_beyond_64_bits_are_floats():
    query = "SELECT sum(i) AS s, 1.25::DECIMAL(9, 2) AS d, uuid() AS u FROM range(4) AS r(i)"
    source = SqlSource(url="duckdb://", query=query)
    (row,) = read(source)
    assert (row["s"], row["d"], type(row["u"])) == (6.0, 1.25, str)
    assert source.arrow_schema().types == [pa.float64(), pa.float64(), pa.string()]


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "dagster_monitoring.sources.sql_readers.duckdb.find_spec",
        lambda name: None if name == "duckdb" else find_spec(name),
    )
    with pytest.raises(MissingExtraError, match=r"pip install 'dagster-monitoring\[duckdb\]'"):
        read(SqlSource(url="duckdb://", query="SELECT 1"))
