"""``models`` lists the versions of a model; a rollback without one says so."""

from __future__ import annotations

import pytest
from sklearn.dummy import DummyRegressor

from dagster_monitoring.cli.models import command as models
from dagster_monitoring.cli.project import load_model
from dagster_monitoring.errors import RegistryError
from dagster_monitoring.orchestration.backend import open_backend
from tests.cli.running import run


@pytest.fixture
def home(project: str, tmp_path, monkeypatch) -> str:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return project


def test_versions_are_listed_and_the_champion_is_marked(home: str, tmp_path):
    assert "served from elsewhere" in run(models, "list", "price", "--module", home).output
    declared = load_model("price", project=tmp_path, module=home)
    with open_backend(declared) as backend:
        for version in ("v1", "v2"):
            fitted = DummyRegressor().fit([[0], [1]], [2.0, 4.0])
            backend.registry.register(fitted, version=version, metadata={"gate": "[b]better[/]"})
        backend.registry.promote("v2", baseline_version="b-7")
    lines = run(models, "list", "price", "--module", home, columns=160).output.splitlines()
    (first,) = [line for line in lines if " v1 " in f" {line} "]
    (second,) = [line for line in lines if " v2 " in f" {line} "]
    assert "yes" in second
    assert "b-7" in second
    assert "[b]better[/]" in second
    assert "yes" not in first


def test_a_rollback_without_a_champion_is_refused(home: str):
    result = run(models, "rollback", "price", "--why", "it is worse", "--module", home)
    assert isinstance(result.exception, RegistryError)
    assert "nothing to roll back" in str(result.exception)
