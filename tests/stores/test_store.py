from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import socket
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

import dagster_monitoring.stores
from dagster_monitoring.errors import DeclarationError, StoreError
from dagster_monitoring.stores import BaselineInForce, Store, open_store
from dagster_monitoring.stores._tables import (
    SCHEMA_VERSION,
    baselines,
    incidents,
    schema_version,
)
from tests.stores.test_incidents import OPEN, WORST

NOW = datetime(2024, 5, 2, 6, tzinfo=UTC)
DROP_ERRORS = "ALTER TABLE monitoring_evaluations DROP COLUMN standard_error"


def test_what_was_stored_is_there_when_opened_again(store_url: str):
    with open_store(store_url) as first:
        first.cursors.set("a", "1")
        first.cursors.set("a", "2")
    with open_store(store_url) as second:
        assert second.cursors.get("a") == "2"
        assert second.cursors.get("b") is None


def test_opening_waits_for_one_who_is_making_the_same_file(tmp_path: Path):
    """SQLite's switch to write-ahead logging does not wait for its turn by itself."""
    file = tmp_path / "monitoring.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE other (x)")
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.3, other.rollback)
        release.start()
        with open_store(f"sqlite:///{file}") as store:
            store.cursors.set("a", "1")
            assert store.cursors.get("a") == "1"
        release.join()


def test_a_transaction_inside_another_is_part_of_it(store: Store):
    with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 - its end is what fails
        with store.transaction():
            store.cursors.set("a", "1")
        raise RuntimeError
    assert store.cursors.get("a") is None


def test_the_baseline_in_force_is_the_last_begun(store: Store):
    def version(name: str, start: str) -> BaselineInForce:
        return BaselineInForce(
            model="m", version=name, model_version=name, valid_from=start, created_at=NOW
        )

    first, second = version("b-1", "2024-05-01"), version("b-2", "2024-06-01")
    assert store.baselines.in_force("m", "2024-05-01") is None
    assert store.baselines.put_in_force(second)
    assert store.baselines.put_in_force(first)
    assert not store.baselines.put_in_force(first)
    assert store.baselines.in_force("m", "2024-05-31") == first
    assert store.baselines.in_force("m", "2024-06-01") == second
    assert store.baselines.in_force("m", "2024-01-01") == first


def test_a_baseline_comes_back_in_force(store: Store):
    def put(name: str, start: str) -> bool:
        return store.baselines.put_in_force(
            BaselineInForce(
                model="m", version=name, model_version=name, valid_from=start, created_at=NOW
            )
        )

    def judges(partition: str) -> str:
        found = store.baselines.in_force("m", partition)
        assert found is not None
        return found.version

    for name, start in [("a", "2024-05-01"), ("b", "2024-06-01"), ("a", "2024-07-01")]:
        assert put(name, start)
    assert [judges(day) for day in ("2024-05-31", "2024-06-30", "2024-07-01")] == ["a", "b", "a"]
    for name in ("b", "a", "b"):
        assert put(name, "2024-07-01")
        assert judges("2024-07-02") == name
        assert not put(name, "2024-07-01")


def test_a_store_of_the_first_version_is_upgraded_with_what_it_holds(store_url: str):
    kept = BaselineInForce(
        model="m", version="a", model_version="v1", valid_from="2024-05-01", created_at=NOW
    )
    with open_store(store_url) as store:
        store.baselines.put_in_force(kept)
        with store._database.write() as connection:
            connection.execute(sa.update(schema_version).values(version=1))
            baselines.drop(connection)
            columns = [
                sa.Column(c.name, c.type, primary_key=c.name in {"model", "version"})
                for c in baselines.columns
            ]
            first = sa.Table(baselines.name, sa.MetaData(), *columns)
            first.create(connection)
            connection.exec_driver_sql("DROP INDEX monitoring_evaluations_news")
            connection.exec_driver_sql(DROP_ERRORS)
            for name in ("coverage", "label_delay_p50_hours", "label_delay_p90_hours"):
                connection.exec_driver_sql(f"ALTER TABLE monitoring_evaluations DROP COLUMN {name}")
            connection.execute(sa.insert(first), [asdict(kept)])
    for _ in range(2):
        with open_store(store_url) as store:
            assert store.baselines.list("m") == [kept]
            with store._database.read() as connection:
                indexes = sa.inspect(connection).get_indexes("monitoring_evaluations")
            assert "monitoring_evaluations_news" in {index["name"] for index in indexes}
    with open_store(store_url) as store:
        assert store.baselines.put_in_force(replace(kept, valid_from="2024-06-01"))
        store.evaluations.record([WORST])


@pytest.mark.parametrize("openers", [1, 2], ids=["alone", "two at once"])
def test_a_store_of_the_second_version_keeps_its_verdicts_without_errors(
    store_url: str, openers: int
):
    incident = replace(OPEN, worst=(WORST,))
    with open_store(store_url) as store:
        store.evaluations.record([WORST])
        store.incidents.save(incident)
        with store._database.write() as connection:
            connection.execute(sa.update(schema_version).values(version=2))
            connection.exec_driver_sql(DROP_ERRORS)
            (worst,) = json.loads(connection.execute(sa.select(incidents.c.worst)).scalar_one())
            older = {k: v for k, v in json.loads(worst).items() if k != "standard_error"}
            connection.execute(sa.update(incidents).values(worst=json.dumps([json.dumps(older)])))
    with ThreadPoolExecutor(openers) as pool:
        for opened in pool.map(open_store, [store_url] * openers):
            opened.close()
    known = replace(WORST, column="wind", standard_error=0.1)
    with open_store(store_url) as store:
        assert store.evaluations.read("m") == [WORST]
        assert store.incidents.get(incident.id) == incident
        store.evaluations.record([known])
        assert known in store.evaluations.read("m")
        with store._database.read() as connection:
            assert connection.execute(sa.select(schema_version.c.version)).all() == [
                (SCHEMA_VERSION,)
            ]


def test_a_newer_schema_is_refused(store_url: str, store: Store):
    with store._database.write() as connection:
        connection.execute(sa.update(schema_version).values(version=SCHEMA_VERSION + 1))
    try:
        with pytest.raises(StoreError, match="newer version"):
            open_store(store_url)
    finally:
        with store._database.write() as connection:
            connection.execute(sa.update(schema_version).values(version=SCHEMA_VERSION))


def test_an_unreachable_server_is_named_without_its_password():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    url = f"postgresql://me:s3cr%40t!@127.0.0.1:{port}/prod?password=s3cr%40t!"
    with pytest.raises(StoreError) as caught:
        open_store(url)
    message = str(caught.value)
    assert f"127.0.0.1:{port}/prod" in message
    assert "refused" in message
    assert caught.value.__cause__ is None
    for form in ("s3cr@t!", "s3cr%40t", "s3cr"):
        assert form not in message


def test_a_wrong_password_is_not_shown(new_postgres_database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "5")
    url = sa.make_url(new_postgres_database()).set(username="nobody", password="hunter2hunter2")  # noqa: S106 - of nobody
    with pytest.raises(StoreError) as caught:
        open_store(url.render_as_string(hide_password=False))
    assert "nobody" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["no url, my:pass@word", "postgresql://me:hunter2@host:port/x", "", "nosuch://me:hunter2@h/x"],
)
def test_an_address_that_can_not_be_read_is_not_repeated(url: str):
    with pytest.raises((DeclarationError, StoreError)) as caught:
        open_store(url)
    assert "hunter2" not in str(caught.value)
    assert "pass@word" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_that_would_forget_is_refused(url: str):
    with pytest.raises(StoreError, match="forgets"):
        open_store(url)


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    file = tmp_path / "monitoring.db"
    file.write_bytes(b"not a database, but long enough to be looked at" * 50)
    with pytest.raises(StoreError, match=r"monitoring\.db: file is not a database"):
        open_store(f"sqlite:///{file}")


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="folder can't be made"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'monitoring.db'}")


@pytest.mark.parametrize(
    "name", [m.name for m in pkgutil.iter_modules(dagster_monitoring.stores.__path__)]
)
def test_examples_run(name: str):
    module = importlib.import_module(f"dagster_monitoring.stores.{name}")
    assert doctest.testmod(module).failed == 0
