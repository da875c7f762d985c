"""The same rows of three days in Parquet files and in databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'scores.db'}"
    return request.getfixturevalue("new_postgres_database")()
