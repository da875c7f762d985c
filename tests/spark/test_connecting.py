"""How a Spark session is declared and had, and what is said where it can't be."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_monitoring import MonitoredModel
from dagster_monitoring.errors import DeclarationError, EngineError, MissingExtraError
from dagster_monitoring.profiles.engine import LocalEngine, SparkEngine
from dagster_monitoring.spark import SparkConnection
from dagster_monitoring.spark.connection import _properties
from tests.orchestration.world import fields_of
from tests.spark.cluster import free_port
from tests.spark.slices import serialised, slice_rows, write_files

ROOT = Path(__file__).parent.parent.parent


def own_session():
    raise AssertionError("never called: the declaration alone is looked at")


def test_the_engine_is_local_unless_declared():
    assert MonitoredModel.read(fields_of("late")).engine == LocalEngine()
    assert MonitoredModel.read(fields_of("late", engine="local")).engine == LocalEngine()
    model = MonitoredModel.read(fields_of("late", engine={"type": "spark", "master": "local[2]"}))
    assert model.engine == SparkEngine(master="local[2]")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine": "sparc"}, "engine"),
        ({"engine": "spark"}, "give one of master"),
        (
            {"engine": {"type": "spark", "master": "local", "remote": "sc://a"}},
            "given: master, remote",
        ),
        ({"engine": {"type": "spark", "session": "my.module"}}, "engine.session"),
        (
            {"engine": {"type": "spark", "session": "a.b:c", "config": {"x": 1}}},
            "config goes with master or remote",
        ),
        ({"engine": {"type": "spark", "mastr": "local"}}, "Did you mean 'master'"),
        (
            {
                "engine": {"type": "spark", "master": "local"},
                "predictions": {"type": "sql", "url": "sqlite:///a.db", "table": "t"},
            },
            "not SqlSource",
        ),
        ({"predictions": {"type": "spark_table", "table": "t"}}, "needs a Spark session"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(changes, said):
    with pytest.raises(DeclarationError, match=said):
        MonitoredModel.read(fields_of("late", **changes))


def test_a_table_is_read_through_the_engines_session():
    changes = {
        "engine": {"type": "spark", "master": "local[3]"},
        "predictions": {"type": "spark_table", "table": "t"},
    }
    model = MonitoredModel.read(fields_of("late", **changes))
    assert model.predictions.spark.master == "local[3]"


def test_without_java_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(
        EngineError, match=r"needs Java 17 or later, and none is in PATH.*JAVA_HOME"
    ):
        SparkEngine(master="local[9]").open()
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(EngineError, match="JAVA_HOME is /nowhere, which has no bin/java"):
        SparkEngine(master="local[9]").open()


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(MissingExtraError, match=r"dagster-monitoring\[spark\]"):
        SparkEngine(master="local[9]").open()


@pytest.mark.parametrize("where", ["master", "remote"])
def test_an_address_where_nothing_listens_is_said_at_once(where, cluster):
    del cluster  # only for its skip where there is no Java
    scheme = {"master": "spark", "remote": "sc"}[where]
    with pytest.raises(EngineError, match=f"nothing answers at {scheme}://127.0.0.1:"):
        SparkEngine(**{where: f"{scheme}://127.0.0.1:{free_port()}"}).open()


def test_a_second_session_of_another_kind_is_refused(engine):
    engine.open()
    with pytest.raises(EngineError, match="already has a Spark session"):
        SparkEngine(master="local[9]").open()


def test_a_session_of_the_users_own_is_used(engine, monkeypatch):
    session = engine.open()
    monkeypatch.setattr(sys.modules[__name__], "own_session", lambda: session)
    assert SparkEngine(session=f"{__name__}:own_session").open() is session
    with pytest.raises(DeclarationError, match="can't be had"):
        SparkEngine(session=f"{__name__}:missing").open()
    monkeypatch.setattr(sys.modules[__name__], "another", lambda: 7, raising=False)
    with pytest.raises(DeclarationError, match="returned int, not a SparkSession"):
        SparkEngine(session=f"{__name__}:another").open()


def test_secrets_come_from_the_environment_and_are_hidden(monkeypatch):
    monkeypatch.setenv("LAKE_KEY", "s3cr3t")
    connection = SparkConnection(
        master="local", config={"spark.hadoop.lake.key": {"env": "LAKE_KEY"}, "spark.a": True}
    )
    plain, secret = _properties(connection)
    assert secret == {"spark.hadoop.lake.key": "s3cr3t"}
    assert "s3cr3t" not in str(plain) + repr(connection) + connection.model_dump_json()
    assert plain["spark.a"] == "true"
    assert plain["spark.redaction.regex"].endswith("|^(spark[.]hadoop[.]lake[.]key)$")
    assert "t0k" not in SparkConnection(remote="sc://a:1/;user_id=t0k").place
    assert "t0k" not in repr(SparkConnection(remote="sc://a:1/;user_id=t0k"))


def test_spark_connect_gives_the_local_engines_bytes(engine, plan, connect_port, tmp_path):
    """In a process of its own: a process is a client of one kind."""
    engine.open()
    source = write_files(tmp_path, [slice_rows(300, seed=s) for s in range(2)])
    expected = serialised(LocalEngine(), source, plan)
    (tmp_path / "plan").write_bytes(pickle.dumps(plan))
    script = (
        "import pickle; from tests.spark.slices import *\n"
        f"plan = pickle.load(open({str(tmp_path / 'plan')!r}, 'rb'))\n"
        f"source = ParquetSource(path={source.path!r})\n"
        f"engine = SparkEngine(remote='sc://127.0.0.1:{connect_port}')\n"
        "found = serialised(engine, source, plan)\n"
        f"open({str(tmp_path / 'found')!r}, 'wb').write(found)\n"
    )
    done = subprocess.run(  # noqa: S603 - this project's own code
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        env={**os.environ, "JAVA_HOME": "/nowhere", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "found").read_bytes() == expected
