"""One contract for every way to read a database: the same rows give the same batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from dagster_monitoring.errors import DataError
from dagster_monitoring.sources import Request, SqlSource
from dagster_monitoring.sources.sql_readers import reader_for

MOMENT = datetime(2024, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)
NAN = float("nan")

# Column, its type in the database, and its values: the first is always missing.
COLUMNS: dict[str, tuple[sa.types.TypeEngine[object], list[object]]] = {
    "whole": (sa.BigInteger(), [None, -(2**62), 2**53 + 1]),
    "number": (sa.Double(), [None, 0.1, -1e300]),
    "exact": (sa.Numeric(20, 4), [None, Decimal("12.3400"), Decimal("-99999999.0001")]),
    "truth": (sa.Boolean(), [None, True, False]),
    "day": (sa.Date(), [None, date(1970, 1, 1), date(2024, 2, 29)]),
    "naive": (sa.DateTime(), [None, MOMENT.replace(tzinfo=None), datetime(1969, 12, 31, 23)]),  # noqa: DTZ001 - as the column keeps it
    "text": (sa.Text(), [None, "'; DROP TABLE t; --", "<b>日本 ☃</b>\n\t\\"]),
    "empty": (sa.Text(), [None, "", " "]),
    "select": (sa.Integer(), [None, 1, 2]),
    "100% of: a": (sa.Integer(), [None, 1, 2]),
    "missing": (sa.Integer(), [None, None, None]),
}
TYPES = {
    "whole": pa.int64(),
    "number": pa.float64(),
    "exact": pa.float64(),
    "truth": pa.bool_(),
    "naive": pa.timestamp("us"),
    "text": pa.string(),
    "day": pa.date32(),
}

EXPECTED = {
    name: [float(v) if isinstance(v, Decimal) else v for v in values]
    for name, (_, values) in COLUMNS.items()
}

Write = Callable[[str, sa.Table, list[dict[str, object]]], None]


@pytest.fixture
def filled(database: str, write_rows: Write) -> str:
    table = sa.Table(
        "Some Table", sa.MetaData(), *(sa.Column(n, kind) for n, (kind, _) in COLUMNS.items())
    )
    rows = [{n: values[i] for n, (_, values) in COLUMNS.items()} for i in range(3)]
    write_rows(database, table, rows)
    return database


def read(source: SqlSource) -> pa.Table:
    return pa.Table.from_batches(source.batches(Request()))


def test_every_address_has_the_reader_meant_for_it(database: str):
    names = {
        "sqlite": "SqlAlchemyReader",
        "postgresql+psycopg2": "SqlAlchemyReader",
        "postgresql": "AdbcReader",
        "duckdb": "DuckdbReader",
    }
    url = make_url(database)
    assert type(reader_for(url)).__name__ == names[url.drivername]


def test_columns_of_a_table_come_as_they_were_written(filled: str):
    found = read(SqlSource(url=filled, table="Some Table"))
    assert found.to_pydict() == EXPECTED
    assert {name: found.schema.field(name).type for name in TYPES} == TYPES


def test_a_query_gives_the_same_values(filled: str):
    """But SQLite has no type for booleans and times: its queries give numbers and text."""
    found = read(SqlSource(url=filled, query='SELECT * FROM "Some Table"; ')).to_pydict()
    expected = dict(EXPECTED)
    if filled.startswith("sqlite"):
        expected["truth"] = [None, 1, 0]
        expected["day"] = [None, "1970-01-01", "2024-02-29"]
        expected["naive"] = [None, "2024-05-01 12:30:15.250000", "1969-12-31 23:00:00.000000"]
    assert found == expected


def test_a_query_holds_colons_percent_signs_and_a_comment(filled: str):
    query = 'SELECT \'at :x 10% \\: 12:30\' AS a, select AS "b:c" FROM "Some Table" -- :end'
    query = query.replace("select AS", '"select" AS').replace(" \\:", "")
    found = read(SqlSource(url=filled, query=query))
    assert found["a"].to_pylist() == ["at :x 10% 12:30"] * 3
    assert found["b:c"].to_pylist() == [None, 1, 2]


def test_values_beyond_numbers_stay_what_they_are(database: str, write_rows: Write):
    """SQLite keeps NaN as NULL, the others as NaN."""
    table = sa.Table("t", sa.MetaData(), sa.Column("x", sa.Double))
    write_rows(database, table, [{"x": v} for v in (1.0, math.inf, -math.inf, NAN)])
    *finite, last = read(SqlSource(url=database, table="t"))["x"].to_pylist()
    assert finite == [1.0, math.inf, -math.inf]
    assert last is None if database.startswith("sqlite") else math.isnan(last)


def test_postgresql_numeric_without_bounds_is_a_float(empty_postgres):
    plain = make_url(empty_postgres)
    query = (
        "SELECT x::numeric AS x FROM "
        "(VALUES ('NaN'), ('1e400'), ('0.1'), (NULL), ('12345678901234567890.5')) AS v(x)"
    )
    expected = [math.inf, 0.1, None, 12345678901234567890.5]
    for driver in ("postgresql", "postgresql+psycopg2"):
        url = plain.set(drivername=driver).render_as_string(hide_password=False)
        first, *others = read(SqlSource(url=url, query=query))["x"].to_pylist()
        assert math.isnan(first)
        assert others == expected


def test_postgresql_types_that_arrow_has_not_come_as_text(empty_postgres):
    query = (
        "SELECT 'b7474e48-d40c-4774-a1e5-4fd654354ca7'::uuid AS u, '10.0.0.1'::inet AS i, "
        "'a'::char(3) AS c, '{\"a\": 1}'::jsonb::text AS j"
    )
    (row,) = read(SqlSource(url=empty_postgres, query=query)).to_pylist()
    assert row == {
        "u": "b7474e48-d40c-4774-a1e5-4fd654354ca7",
        "i": "10.0.0.1/32",
        "c": "a  ",
        "j": '{"a": 1}',
    }


def test_no_rows_still_have_names_and_known_types(database: str, write_rows: Write):
    table = sa.Table("t", sa.MetaData(), sa.Column("x", sa.Double), sa.Column("n", sa.Text))
    write_rows(database, table, [])
    for source in (
        SqlSource(url=database, table="t"),
        SqlSource(url=database, query="SELECT x, n FROM t"),
    ):
        (batch,) = source.batches(Request())
        assert (batch.num_rows, batch.schema.names) == (0, ["x", "n"])
    assert SqlSource(url=database, table="t").arrow_schema().types == [pa.float64(), pa.string()]


def test_a_wide_table_is_read(database: str, write_rows: Write):
    columns = [sa.Column(f"c{i}", sa.Integer) for i in range(500)]
    table = sa.Table("t", sa.MetaData(), *columns)
    write_rows(database, table, [{f"c{i}": i for i in range(500)}])
    (row,) = read(SqlSource(url=database, table="t")).to_pylist()
    assert row == {f"c{i}": i for i in range(500)}


def test_a_column_of_whole_and_broken_numbers_that_begins_with_none(
    database: str, write_rows: Write
):
    """A reader that took the type from the first 1,024 rows would fail."""
    table = sa.Table("t", sa.MetaData(), sa.Column("x", sa.Double))
    values = [None] * 1_100 + [1.0, 2.5]
    write_rows(database, table, [{"x": v} for v in values])
    found = list(SqlSource(url=database, query="SELECT x FROM t").batches(Request()))
    assert [row["x"] for batch in found for row in batch.to_pylist()] == values


@pytest.mark.parametrize("kind", [sa.Text(), sa.Date()])
def test_a_slice_is_cut_by_times_kept_as_text_or_days(
    database: str, write_rows: Write, kind: sa.types.TypeEngine[object]
):
    """Midnight in New York is 04:00 in UTC: the day that starts within is 2 May."""
    dates = [date(2024, 5, d) for d in range(1, 5)]
    given = [f"{d}T00:00:00Z" for d in dates] if isinstance(kind, sa.Text) else dates
    table = sa.Table("t", sa.MetaData(), sa.Column("at", kind), sa.Column("n", sa.Integer))
    write_rows(database, table, [{"at": v, "n": i} for i, v in enumerate(given)])
    start = datetime(2024, 5, 1, 4, tzinfo=UTC)
    request = Request(
        columns=("n",),
        partition="2024-05-01",
        bounds=(start, start + timedelta(days=1)),
        timestamp="at",
    )
    found = SqlSource(url=database, table="t").batches(request)
    assert [row for batch in found for row in batch.to_pylist()] == [{"n": 1}]


def test_a_reader_left_early_leaves_nothing_open(filled: str):
    """Warnings are errors here: an unclosed cursor or connection would say so."""
    source = SqlSource(url=filled, table="Some Table")
    batches = source.batches(Request())
    next(batches)
    batches.close()
    assert source.describe(Request()).rows == 3


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg2"])
def test_a_refused_password_is_not_shown(
    empty_postgres: str, driver: str, monkeypatch: pytest.MonkeyPatch
):
    """With characters that an address must encode, in whichever form the driver repeats it."""
    secret = "hun ter2/@:%+é"  # noqa: S105 - of nobody
    url = make_url(empty_postgres).set(drivername=driver, username="nobody", password=secret)
    monkeypatch.setenv("SCORES", url.render_as_string(hide_password=False))
    for address in (url, url.update_query_dict({"nosuchoption": "1"})):
        monkeypatch.setenv("SCORES", address.render_as_string(hide_password=False))
        source = SqlSource(url={"env": "SCORES"}, table="t")
        with pytest.raises(DataError, match="environment variable SCORES") as caught:
            read(source)
        assert "hun" not in str(caught.value)
        assert "ter2" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert "ter2" not in repr(source)
