"""Secrets stay in the environment: after runs that work and runs that fail, no file holds one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.remote_representation.external_data import RepositorySnap

from dagster_monitoring.cli.check import command as check
from dagster_monitoring.errors import DeclarationError, StoreError
from dagster_monitoring.orchestration.running import RunFailedError
from dagster_monitoring.stores import open_store
from tests.cli.running import run
from tests.orchestration.world import World, day_of, morning, new_world, rows, truth
from tests.security.declared_channels import OF_CHANNELS, REMOTE, declared

# Looked for everywhere, also in parts that URLs encode.
SECRETS = {
    "SEC_STORE": "st0re-hunter2",
    "SEC_LABELS": "lab3ls-hunter2",
    "SEC_OPTION": "opt1on-hunter2",
    **{name: f"{kind}-{field}-hunter2" for name, (kind, field) in OF_CHANNELS.items()},
}
MONITORS = [
    {"type": "drift", "columns": ["temp"], "metrics": ["psi"], "window": 1},
    {"type": "performance", "metrics": ["accuracy"], "window": 1, "minimum_labelled": 20},
]
ALERTS = [declared(kind) for kind in REMOTE]
FIELDS = {
    "monitors": MONITORS,
    "alerts": ALERTS,
    "segments": [],
    "storage": {"path": "monitoring", "database": {"env": "SEC_STORE"}},
    "predictions": {
        "type": "parquet",
        "path": "slices/day={partition}/*.parquet",
        "storage_options": {"secret": {"env": "SEC_OPTION"}},
    },
    "ground_truth": {
        "type": "sql",
        "url": {"env": "SEC_LABELS"},
        "table": "truths",
        "expected_delay_days": 1,
    },
}


def found_in(data: bytes) -> list[str]:
    return [
        name for name, secret in SECRETS.items() if b"hunter2" in data and secret.encode() in data
    ]


def with_password(url: str, secret: str) -> str:
    """The server trusts whoever comes over its socket, so that any password will do."""
    return sa.make_url(url).set(password=secret).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def database(new_postgres_database) -> Iterator[sa.Engine]:
    url = sa.make_url(new_postgres_database()).set(drivername="postgresql+psycopg2")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module", autouse=True)
def secrets(database: sa.Engine) -> Iterator[None]:
    plain = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(name, secret)
        patch.setenv("SEC_STORE", with_password(plain, SECRETS["SEC_STORE"]))
        patch.setenv("SEC_LABELS", with_password(plain, SECRETS["SEC_LABELS"]))
        for name, (kind, field) in OF_CHANNELS.items():
            if field == "url":
                scheme = "json" if kind == "apprise" else "http"
                patch.setenv(name, f"{scheme}://127.0.0.1:1/{SECRETS[name]}")
        yield


@pytest.fixture(scope="module")
def told() -> Iterator[list[str]]:
    """Every line that anything logs while this module's tests run."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter("%(message)s").format(record))

    handler, logger = Kept(level=0), logging.getLogger()
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.fixture(scope="module")
def world(tmp_path_factory, database: sa.Engine, told) -> Iterator[World]:
    """Two days judged, labels taken from SQL, an incident that no channel could take."""
    folder = tmp_path_factory.mktemp("secrets")
    with new_world(folder, on_disk=True, **FIELDS) as made:
        served = [rows(number) for number in range(2)]
        for number, table in enumerate(served):
            shifted = table.set_column(2, "temp", [[v + 3 for v in table["temp"].to_pylist()]])
            made.serve(number, shifted)
        put_labels(database, served)
        made.clock.now = morning(1)
        made.setup()
        made.range(0, 1)
        made.clock.now = morning(3)
        for request in made.tick("ground_truth_sensor", log=told).run_requests or []:
            made.run("labels", request)
        requests = made.tick("alert_sensor", log=told).run_requests or []
        assert requests
        for _ in requests:
            with pytest.raises(RunFailedError) as failed:
                made.job("alerts")
            told.append(str(failed.value))
        yield made


def put_labels(database: sa.Engine, served) -> None:
    table = sa.Table(
        "truths",
        sa.MetaData(),
        sa.Column("id", sa.Text),
        sa.Column("late", sa.Integer),
        sa.Column("available_at", sa.DateTime(timezone=True)),
        sa.Column("revision", sa.Integer),
    )
    with database.begin() as connection:
        table.create(connection)
        for number, of_day in enumerate(served):
            words = zip(of_day["id"].to_pylist(), truth(of_day).tolist(), strict=True)
            arrived = {"available_at": morning(number + 1), "revision": 1}
            connection.execute(table.insert(), [{"id": i, "late": v, **arrived} for i, v in words])


def test_the_world_used_every_secret(world: World):
    """Else the other tests would look for what nothing ever read."""
    with world.store() as store:
        assert store.labels.coverage("late", day_of(0)).n_labelled > 0
        assert store.evaluations.read("late", monitor="performance")
        assert store.incidents.list("late")
        failing = store.outbox.failing()
    assert {entry.channel for entry in failing} == set(REMOTE)
    assert {entry.attempts for entry in failing} == {1}
    errors = " ".join(f"{entry}" for entry in failing)
    assert "127.0.0.1" in errors
    assert "hunter2" not in errors


def test_every_channel_that_leaves_the_machine_has_a_secret_here():
    assert {kind for kind, _ in OF_CHANNELS.values()} == set(REMOTE)
    assert len(REMOTE) >= 9  # so that the catalogue is not empty by mistake


def test_no_file_of_dagster_or_the_storage_holds_one(world: World):
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert any("home" in path.parts and path.suffix == ".db" for path in files)
    assert {
        path.name: found_in(path.read_bytes()) for path in files if found_in(path.read_bytes())
    } == {}


def test_no_row_of_the_store_holds_one(world: World, database: sa.Engine):
    del world
    with database.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        assert "monitoring_outbox" in names
        for name in names:
            dumped = str(connection.execute(sa.select("*").select_from(sa.table(name))).all())
            assert found_in(dumped.encode()) == [], name


def test_no_log_line_holds_one(world: World, told: list[str]):
    assert world.instance.get_run_records()
    assert any("127.0.0.1" in line for line in told)
    assert found_in("\n".join(told).encode()) == []


def test_run_config_tags_and_events_hold_none(world: World):
    for record in world.instance.get_run_records():
        run_ = record.dagster_run
        events = world.instance.all_logs(run_.run_id)
        kept = [dg.serialize_value(run_), *(dg.serialize_value(event) for event in events)]
        assert found_in("\n".join(kept).encode()) == []


@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`")
def test_definitions_as_graphql_shows_them_hold_none(world: World):
    shown = dg.serialize_value(RepositorySnap.from_def(world.definitions.get_repository_def()))
    assert "late/predictions" in shown or '"predictions"' in shown
    assert found_in(shown.encode()) == []


def test_the_declaration_names_variables_only(world: World):
    model = world.model
    for shown in (repr(model), str(model), model.model_dump_json(), str(model.model_dump())):
        assert found_in(shown.encode()) == []
        assert "SEC_SLACK_TOKEN" in shown


def test_check_says_that_they_are_set_and_no_more(world: World, tmp_path: Path, monkeypatch):
    written = world.model.model_dump_json(exclude_unset=True, exclude={"root"})
    name = "project_of_secrets"
    (tmp_path / f"{name}.py").write_text(
        "import json, pathlib, dagster_monitoring as m\n"
        f"declared = json.loads({written!r})\n"
        f"model = m.MonitoredModel.read(declared).rooted(pathlib.Path({str(world.folder)!r}))\n"
        "defs = m.build_monitoring_defs(model)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    result = run(check, "-m", name)
    for name in OF_CHANNELS:
        assert f"environment variable {name} is set" in result.output
    assert found_in((result.output + result.stderr).encode()) == []
    monkeypatch.setenv("SEC_STORE", f"postgresql://me:{SECRETS['SEC_STORE']}@127.0.0.1:1/none")
    result = run(check, "-m", name)
    assert result.exit_code == 1
    assert found_in((result.output + result.stderr).encode()) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:{}@127.0.0.1:1/none",
        "postgresql://me@127.0.0.1:1/none?password={}",
        "postgresql://me:{}@127.0.0.1:port/none",
    ],
)
def test_a_run_that_fails_by_its_store_shows_none(world: World, told, monkeypatch, url: str):
    monkeypatch.setenv("SEC_STORE", url.format(SECRETS["SEC_STORE"]))
    with pytest.raises(RunFailedError) as failed:
        world.day(1)
    with pytest.raises((StoreError, DeclarationError, Exception)) as ticked:
        world.tick("ground_truth_sensor", log=told)
    shown = f"{failed.value} {ticked.value}"
    assert found_in(shown.encode()) == []
    assert found_in("\n".join(told).encode()) == []
    for path in (world.folder / "home").rglob("*"):
        assert not path.is_file() or found_in(path.read_bytes()) == [], path


def test_a_wrong_password_is_not_repeated(database: sa.Engine):
    """PostgreSQL asks for one from this user alone."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE ROLE sec_asked LOGIN PASSWORD 'right'")
        file = Path(connection.exec_driver_sql("SHOW hba_file").scalar_one())
        before = file.read_text()
        file.write_text(f"local all sec_asked scram-sha-256\n{before}")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        connection.exec_driver_sql("SELECT pg_sleep(0.2)")
        try:
            url = database.url.set(username="sec_asked", password="wr0ng-hunter2")  # noqa: S106 - wrong on purpose
            with pytest.raises(StoreError, match="password authentication failed") as refused:
                open_store(url.render_as_string(hide_password=False))
        finally:
            file.write_text(before)
            connection.exec_driver_sql("SELECT pg_reload_conf()")
            connection.exec_driver_sql("DROP ROLE sec_asked")
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__
