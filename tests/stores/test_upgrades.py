"""Stores that older versions of this package wrote are read by today's, with all they held.

``upgrades/version_N.sql`` is what the last one with tables of version N kept, as SQLite dumps it.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.incidents import Cause, IncidentStatus
from dagster_monitoring.stores import RetrainingOutcome, Store, open_store
from dagster_monitoring.stores._tables import SCHEMA_VERSION, metadata, schema_version

DUMPS = Path(__file__).parent / "upgrades"
MODEL, DAY = "flight_delay", "2024-05-01"
NOW = datetime(2024, 5, 4, 6, tzinfo=UTC)
_POSTGRES = {
    "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT": "BIGSERIAL PRIMARY KEY",
    "id INTEGER NOT NULL, \n\tname": "id SERIAL NOT NULL, \n\tname",
    " DATETIME": " TIMESTAMPTZ",
    " DOUBLE": " DOUBLE PRECISION",
    "WITHOUT ROWID": "",
}


def write(dump: str, url: str) -> None:
    """A store as that dump's version left it."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        assert address.database is not None
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(address.database)) as connection:
            connection.executescript(dump)
        return
    engine = sa.create_engine(address.set(drivername="postgresql+psycopg2"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.connection.cursor().execute("SET TIME ZONE 'UTC';" + _for_postgres(dump))


def _for_postgres(dump: str) -> str:
    for ours, theirs in _POSTGRES.items():
        dump = dump.replace(ours, theirs)
    # The two booleans of an incident: historical, before its times, and is_current, after them.
    dump = re.sub(r",0,('[^']+'),('[^']+'),1\);", r",false,\1,\2,true);", dump)
    counted = re.findall(r'"sqlite_sequence" VALUES\(\'(\w+)\',(\d+)\)', dump)
    lines = [line for line in dump.splitlines() if "sqlite_sequence" not in line]
    plain = "\n".join(line for line in lines if line not in {"BEGIN TRANSACTION;", "COMMIT;"})
    keys = {"monitoring_incidents": "version"}
    counters = [
        f"SELECT setval(pg_get_serial_sequence('{table}', '{keys.get(table, 'id')}'), {last});"
        for table, last in [*counted, ("monitoring_models", 1)]
    ]
    return plain + "\n" + "\n".join(counters)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'monitoring.db'}"
    made: str = request.getfixturevalue("new_postgres_database")()
    return made


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_what_an_older_store_held_is_read_back_and_added_to(url: str, version: int):
    write((DUMPS / f"version_{version}.sql").read_text(encoding="utf-8"), url)
    with open_store(url) as store:
        _holds_evaluations(store)
        _holds_labels(store)
        _holds_the_rest(store)
        _takes_more(store)
    with open_store(url) as again, again._database.read() as connection:
        assert connection.execute(sa.select(schema_version)).scalar_one() == SCHEMA_VERSION
        tables = set(sa.inspect(connection).get_table_names())
        assert set(metadata.tables) <= tables


def _holds_evaluations(store: Store) -> None:
    drift, now = store.evaluations.read(MODEL)
    assert (drift.column, drift.segment, drift.value) == ("wind é", "carrier=UA", 0.125)
    assert (drift.status, drift.severity) == (Status.HEALTHY, None)
    assert (now.value, now.n_labelled, now.severity) == (0.7, 95, Severity.ERROR)
    assert now.standard_error is None
    assert now.evaluated_at == NOW + timedelta(days=1)
    _, then = store.evaluations.read(MODEL, as_of=NOW)
    assert (then.value, then.n_labelled, then.run_id) == (0.75, 80, "run-1")
    found = {(v.monitor, v.severity, v.healthy) for v in store.verdicts.read(MODEL)}
    assert found == {("drift", None, True), ("performance", Severity.ERROR, False)}


def _holds_labels(store: Store) -> None:
    assert _labels(store, None) == {"a": 0, "b": 0}
    assert _labels(store, NOW) == {"a": 1, "b": 0}
    coverage = store.labels.coverage(MODEL, DAY)
    assert (coverage.n_predictions, coverage.n_labelled) == (3, 2)
    assert store.labels.unknown(MODEL) == 1
    store.labels.register_predictions(MODEL, "2024-05-02", ["early"])
    assert store.labels.coverage(MODEL, "2024-05-02").n_labelled == 1


def _labels(store: Store, as_of: datetime | None) -> dict[str, object]:
    rows = store.labels.resolved(MODEL, DAY, as_of=as_of).to_pylist()
    return {row["prediction_id"]: row["label"] for row in rows}


def _holds_the_rest(store: Store) -> None:
    (incident,) = store.incidents.open_ones(MODEL)
    assert (incident.id, incident.status) == ("inc-1", IncidentStatus.OPEN)
    assert incident.cause is Cause.MODEL
    assert [member.monitor for member in incident.members] == ["performance"]
    assert [worst.value for worst in incident.worst] == [0.75]
    (message,) = store.outbox.due(NOW)
    assert (message.dedup_key, message.payload) == ("inc-1:OPENED:slack", '{"title": "é"}')
    (baseline,) = store.baselines.list(MODEL)
    assert (baseline.version, baseline.model_version, baseline.created_at) == ("b-1", "v1", NOW)
    last = store.retrainings.last(MODEL)
    assert last is not None
    assert (last.outcome, last.challenger_version) == (RetrainingOutcome.PROMOTED, "v2")
    assert store.cursors.get(f"{MODEL}/alerts") == "3"


def _takes_more(store: Store) -> None:
    """Numbers go on where they were: nothing new takes the place of what was there."""
    before = store.evaluations.latest_id(MODEL)
    _, performance = store.evaluations.read(MODEL)
    later = replace(performance, value=0.5, evaluated_at=NOW + timedelta(days=2))
    assert store.evaluations.record([later]).superseded == 1
    assert store.evaluations.latest_id(MODEL) > before
    assert store.labels.register_predictions("another", DAY, ["x"]) == 1
    assert len(store.labels.resolved(MODEL, DAY)) == 2
