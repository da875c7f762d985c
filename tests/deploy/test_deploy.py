"""``deploy/`` as it stands, on a real PostgreSQL: a day through Dagster into both databases."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from dagster_monitoring.stores import open_store
from tests.orchestration.world import World, day_of, labels, morning, new_world, rows
from tests.security.test_postgres_roles import as_user, connected, drop_owned, run_script

DEPLOY = Path(__file__).parents[2] / "deploy"
USERS = {"deploy_owner": "monitoring_owner", "deploy_writer": "monitoring_writer"}
MONITORS = [{"type": "data_quality"}, {"type": "drift", "columns": ["temp"], "window": 1}]
pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]


@pytest.fixture
def store_database(new_postgres_database: Callable[[], str]) -> Iterator[str]:
    """A database with the roles of ``roles.sql`` and a user for each."""
    url = new_postgres_database()
    run_script(url)
    with connected(url) as connection:
        for user, role in USERS.items():
            connection.exec_driver_sql(
                f"CREATE ROLE {user} LOGIN IN ROLE {role} PASSWORD '{user}-pw'"
            )
        connection.exec_driver_sql("ALTER ROLE deploy_owner SET role = monitoring_owner")
        connection.commit()
    yield url
    drop_owned(url)
    with connected(url) as connection:
        for user in USERS:
            connection.exec_driver_sql(f"DROP ROLE {user}")
        connection.commit()


@contextmanager
def instance_of(
    url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """What ``deploy/dagster.yaml`` makes of a database."""
    address = sa.make_url(url)
    home.mkdir()
    shutil.copy(DEPLOY / "dagster.yaml", home)
    # The server of the tests listens on a socket only, which a host name can't name.
    monkeypatch.setenv("PGHOST", str(address.query["host"]))
    known = {
        "HOST": "",
        "PORT": "5432",
        "DB": address.database,
        "USER": address.username,
        "PASSWORD": address.password or "",
    }
    for name, value in known.items():
        monkeypatch.setenv(f"DAGSTER_PG_{name}", str(value))
    with warnings.catch_warnings():
        # Dagster's own migrations warn under newer libraries.
        warnings.simplefilter("ignore")
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance


def test_a_day_is_run_and_recorded_in_both_databases(
    new_postgres_database: Callable[[], str],
    store_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    open_store(as_user(store_database, "deploy_owner")).close()
    monkeypatch.setenv("MONITORING_DATABASE_URL", as_user(store_database, "deploy_writer"))
    changes = {
        "monitors": MONITORS,
        "storage": {"path": "monitoring", "database": {"env": "MONITORING_DATABASE_URL"}},
    }
    dagster_database = new_postgres_database()
    with (
        new_world(tmp_path, **changes) as prepared,
        instance_of(dagster_database, tmp_path / "dagster", monkeypatch) as instance,
    ):
        world = World(tmp_path, instance, prepared.model, prepared.clock, changes)
        world.serve(0)
        world.label("l0", labels(rows(0), morning(0)))
        world.clock.now = morning(0)
        world.setup()
        done = world.day(0)
        run = instance.get_run_by_id(done.run_id)
        assert run is not None
        assert run.status is dg.DagsterRunStatus.SUCCESS
        assert [record.partition for record in world.checks("drift", "drift")] == [day_of(0)]
        assert world.evaluations("drift")
    with connected(dagster_database) as connection:
        runs = connection.exec_driver_sql("SELECT count(*) FROM runs").scalar_one()
        kept = connection.exec_driver_sql("SELECT count(*) FROM asset_check_executions")
        assert (runs, kept.scalar_one() > 0) == (2, True)
    with connected(store_database) as connection:
        found = connection.exec_driver_sql(
            "SELECT DISTINCT model, partition, run_id FROM monitoring_evaluations"
        ).all()
        assert ("late", day_of(0), done.run_id) in [tuple(row) for row in found]


def test_its_queue_pools_and_retries_are_those_it_says(
    new_postgres_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with instance_of(new_postgres_database(), tmp_path / "dagster", monkeypatch) as instance:
        queue = instance.get_concurrency_config()
        assert queue.run_queue_config is not None
        assert queue.run_queue_config.max_concurrent_runs == 4
        assert queue.pool_config.default_pool_limit == 1
        limited = [limit["key"] for limit in queue.run_queue_config.tag_concurrency_limits]
        assert limited == ["dagster_monitoring/model", "dagster/backfill"]
        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 2
        assert instance.run_monitoring_enabled
