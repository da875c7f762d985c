"""Peak memory does not grow with the rows of a result, whichever way it is read."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What holding the result would take beyond the first 100,000 rows, in every one of these ways, is
# at least twice this.
_BOUND_MIB = 64

_READ = """
import resource, sys
from datetime import UTC, datetime, timedelta
from dagster_monitoring.sources import Request, SqlSource

def peak(rows):
    query = QUERY.replace("ROWS", str(rows))
    start = datetime(2024, 5, 1, tzinfo=UTC)
    request = Request(
        partition="2024-05-01", bounds=(start, start + timedelta(days=1)), timestamp="moment"
    )
    seen = sum(b.num_rows for b in SqlSource(url=URL, query=query).batches(request))
    assert seen == rows, seen
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

URL, QUERY, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
before = peak(100_000)
print((peak(rows) - before) // 1024)
"""
_COLUMNS = "i, i * 0.5 AS x, 'some text ' || i AS t, {} AS moment"
_SQLITE_SERIES = (
    "(WITH RECURSIVE g(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM g LIMIT ROWS) "
    "SELECT i FROM g) AS r"
)
_SERIES = {
    "duckdb": ("range(ROWS) AS r(i)", "TIMESTAMPTZ '2024-05-01 12:00:00+00'", 3_000_000),
    "adbc": ("generate_series(1, ROWS) AS r(i)", "TIMESTAMPTZ '2024-05-01 12:00:00+00'", 1_500_000),
    "psycopg2": (
        "generate_series(1, ROWS) AS r(i)",
        "TIMESTAMPTZ '2024-05-01 12:00:00+00'",
        600_000,
    ),
    "sqlite": (
        _SQLITE_SERIES,
        "'2024-05-01 12:00:00'",
        600_000,
    ),
}


@pytest.mark.parametrize("way", _SERIES)
def test_peak_memory_does_not_follow_the_rows(way: str, request: pytest.FixtureRequest):
    series, moment, rows = _SERIES[way]
    url = {"duckdb": "duckdb://", "sqlite": "sqlite://"}.get(way, "")
    if not url:
        url = request.getfixturevalue("empty_postgres")
        url = url.replace("postgresql://", "postgresql+psycopg2://") if way == "psycopg2" else url
    query = f"SELECT {_COLUMNS.format(moment)} FROM {series}"  # noqa: S608 - a test's own names
    grown = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", _READ, url, query, str(rows)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert grown.returncode == 0, grown.stderr
    assert int(grown.stdout) < _BOUND_MIB
