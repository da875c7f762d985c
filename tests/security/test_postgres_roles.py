"""The roles of deploy/roles.sql can do what they are for on a real PostgreSQL, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores import Mark, MarkKind, Store, open_store
from dagster_monitoring.stores._tables import SCHEMA_VERSION, metadata

ROLES = Path(__file__).parents[2] / "deploy" / "roles.sql"
OWNER, WRITER, READER, STRANGER = "sec_deploy", "sec_run", "sec_view", "sec_stranger"
ROLE_NAMES = ("monitoring_owner", "monitoring_writer", "monitoring_reader")
_INSUFFICIENT_PRIVILEGE = "42501"
NOW = datetime(2024, 5, 2, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    address = sa.make_url(url).set(drivername="postgresql+psycopg2")
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def run_script(url: str) -> None:
    with connected(url) as connection:
        connection.connection.cursor().execute(ROLES.read_text(encoding="utf-8"))
        connection.connection.commit()


def drop_owned(url: str) -> None:
    """Takes from the roles what they have in a database, so that they can be dropped."""
    with connected(url) as connection:
        for role in ROLE_NAMES:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.commit()


def as_user(url: str, user: str) -> str:
    given = sa.make_url(url).set(username=user, password=f"{user}-pw")
    return given.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def database(new_postgres_database) -> Iterator[str]:
    """A database with the roles, their users, and the tables that the owner made."""
    url = new_postgres_database()
    run_script(url)
    with connected(url) as connection:
        for user, role in ((OWNER, "owner"), (WRITER, "writer"), (READER, "reader")):
            connection.exec_driver_sql(
                f"CREATE ROLE {user} LOGIN IN ROLE monitoring_{role} PASSWORD '{user}-pw'"
            )
        connection.exec_driver_sql(f"ALTER ROLE {OWNER} SET role = monitoring_owner")
        connection.exec_driver_sql(f"CREATE ROLE {STRANGER} LOGIN PASSWORD '{STRANGER}-pw'")
        connection.commit()
    open_store(as_user(url, OWNER)).close()
    run_script(url)
    yield url
    with connected(url) as connection:
        for user in (OWNER, WRITER, READER, STRANGER):
            connection.exec_driver_sql(f"DROP ROLE {user}")
        connection.commit()
    drop_owned(url)
    with connected(url) as connection:
        for role in ROLE_NAMES:
            connection.exec_driver_sql(f"DROP ROLE {role}")
        connection.commit()


def work(store: Store) -> None:
    """A bit of what runs and sensors write: labels in bulk, a mark, a cursor."""
    ids = [f"p{i}" for i in range(3_000)]
    store.labels.register_predictions("late", "2024-05-01", ids)
    rows = {
        "prediction_id": ids,
        "label": [1] * len(ids),
        "event_time": pa.array([NOW] * len(ids), MOMENT),
        "available_at": pa.array([NOW] * len(ids), MOMENT),
        "revision": [1] * len(ids),
    }
    store.labels.append("late", pa.table(rows), "file")
    store.marks.add(
        Mark(
            model="late", first="2024-05-01", last="2024-05-01", kind=MarkKind.BAD,
            note="x", author="ada", at=NOW,
        )
    )  # fmt: skip
    store.marks.remove("late", "2024-05-01", "2024-05-01")


def refused(url: str, statement: str) -> bool:
    """Whether PostgreSQL denies a statement for want of a privilege, and for nothing else."""
    with connected(url) as connection:
        try:
            connection.exec_driver_sql(statement)
        except sa.exc.ProgrammingError as error:
            return getattr(error.orig, "pgcode", None) == _INSUFFICIENT_PRIVILEGE
        finally:
            connection.rollback()
    return False


def test_the_writer_works_and_analyses_without_owning(database: str):
    with open_store(as_user(database, WRITER)) as store:
        work(store)
        assert store.labels.coverage("late", "2024-05-01").n_labelled == 3_000
    # What the ledger asks for when a model grew; a user that is not the owner gets a warning.
    assert not refused(as_user(database, WRITER), "ANALYZE monitoring_predictions")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE monitoring_labels ADD COLUMN x int",
        "DROP TABLE monitoring_labels",
        "TRUNCATE monitoring_labels",
        "UPDATE monitoring_schema_version SET version = 99",
        "CREATE ROLE mine",
        "SET ROLE monitoring_owner",
        "GRANT monitoring_owner TO sec_run",
        "COPY monitoring_labels TO PROGRAM 'cat'",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_the_writer_and_the_reader_can_do_nothing_else(database: str, statement: str):
    assert refused(as_user(database, WRITER), statement)
    assert refused(as_user(database, READER), statement)


def test_the_reader_reads_every_table_and_writes_none(database: str):
    reader = as_user(database, READER)
    with open_store(reader) as store:
        assert store.evaluations.read("late") == []
        assert store.marks.list("late") == []
        assert store.incidents.list("late") == []
        assert store.labels.partitions("late") is not None
        with pytest.raises(StoreError, match="permission denied"):
            work(store)
    for name in metadata.tables:
        assert not refused(reader, f"TABLE {name}"), name
        assert refused(reader, f"LOCK TABLE {name} IN ROW EXCLUSIVE MODE"), name


def test_a_user_without_a_role_does_not_come_in(database: str):
    with pytest.raises(StoreError, match="permission denied for database") as error:
        open_store(as_user(database, STRANGER))
    assert f"{STRANGER}-pw" not in str(error.value)


@pytest.fixture
def empty(new_postgres_database, database: str) -> Iterator[str]:
    """Another database of the same server, with the roles and no tables."""
    del database
    url = new_postgres_database()
    run_script(url)
    yield url
    drop_owned(url)


def test_an_old_schema_is_upgraded_by_the_owner_and_named_to_others(empty: str):
    open_store(as_user(empty, OWNER)).close()
    with connected(empty) as connection:
        connection.exec_driver_sql("UPDATE monitoring_schema_version SET version = 3")
        connection.exec_driver_sql("DROP TABLE monitoring_marks")
        connection.commit()
    for user in (WRITER, READER):
        with pytest.raises(StoreError, match=r"have version 3.*needs version.*as their owner"):
            open_store(as_user(empty, user))
    open_store(as_user(empty, OWNER)).close()
    # The table that came new is the writer's to fill, and the reader's to read, at once.
    with open_store(as_user(empty, WRITER)) as store:
        work(store)
    with open_store(as_user(empty, READER)) as store:
        assert store.marks.list("late") == []
    with connected(empty) as connection:
        found = connection.exec_driver_sql("SELECT version FROM monitoring_schema_version")
        assert found.scalar_one() == SCHEMA_VERSION


def test_tables_that_another_user_made_become_the_owners(empty: str):
    with pytest.raises(StoreError, match=r"not made yet.*as their owner"):
        open_store(as_user(empty, WRITER))
    open_store(empty).close()
    run_script(empty)
    with open_store(as_user(empty, WRITER)) as store:
        work(store)
    with connected(empty) as connection:
        owners = connection.exec_driver_sql(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename LIKE 'monitoring_%%'"
        )
        assert owners.scalars().all() == ["monitoring_owner"]
