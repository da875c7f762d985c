"""Every test of the stores runs the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dagster_monitoring.stores import Store, open_store
from dagster_monitoring.stores._tables import metadata


@pytest.fixture(scope="session")
def postgres_store_url(new_postgres_database: Callable[[], str]) -> str:
    url = new_postgres_database()
    open_store(url).close()
    return url


@pytest.fixture
def emptied_postgres_store_url(postgres_store_url: str) -> Iterator[str]:
    """One database for all tests, emptied after each: making one takes a second."""
    yield postgres_store_url
    engine = sa.create_engine(
        sa.make_url(postgres_store_url).set(drivername="postgresql+psycopg2"),
        poolclass=sa.NullPool,
    )
    tables = [name for name in metadata.tables if name != "monitoring_schema_version"]
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY"))


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'monitoring.db'}"
    return request.getfixturevalue("emptied_postgres_store_url")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with open_store(store_url) as opened:
        yield opened
