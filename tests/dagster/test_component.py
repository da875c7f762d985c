"""The YAML form, as Dagster's own tools load it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

import dagster_monitoring.demo
from dagster_monitoring.cli.project import load_definitions, models_of
from dagster_monitoring.errors import DeclarationError

TEMPLATE = Path(dagster_monitoring.demo.__file__).parent / "project"
YAML = Path("src/flight_delays/defs/flight_delay/defs.yaml")

pytestmark = [
    # Dagster's own: features in beta, and a deprecated call of pydantic in its YAML reader.
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore:.parse_obj_as. is deprecated"),
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The demo's project as a user has it, importable; forgotten afterwards."""
    shutil.copytree(TEMPLATE, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "src"), *sys.path])
    yield tmp_path
    for name in [m for m in sys.modules if m.split(".")[0] == "flight_delays"]:
        del sys.modules[name]


def second_component(project: Path, **changes: object) -> dict:
    """Writes another component beside the demo's, of another model."""
    declared = yaml.safe_load((project / YAML).read_text())
    declared["attributes"] |= {"model": "second", **changes}
    path = project / "src/flight_delays/defs/second/defs.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(declared))
    return declared


def test_the_yaml_of_the_demo_gives_a_whole_model_with_paths_from_its_root(project):
    defs = dg.ComponentTree.for_project(project).build_defs()
    keys = {spec.key.to_user_string() for spec in defs.resolve_all_asset_specs()}
    assert keys == {
        f"flight_delay/{name}"
        for name in (
            "baseline",
            "champion",
            "challenger",
            "data_quality",
            "drift",
            "ground_truth",
            "incidents",
            "performance",
            "predictions",
            "profile",
        )
    }
    model = models_of(defs)["flight_delay"]
    assert model.baseline.path == str(project / "data/baseline.parquet")
    assert model.storage.path == str(project / "monitoring")
    assert len(list(defs.sensors)) == 4
    assert [s.name for s in defs.schedules] == ["flight_delay_daily_schedule"]


def test_two_components_are_two_models_in_one_code_location(project):
    second_component(project)
    defs = load_definitions(project=project, module=None)
    assert set(models_of(defs)) == {"flight_delay", "second"}
    groups = {spec.group_name for spec in defs.resolve_all_asset_specs()}
    assert groups == {"flight_delay", "second"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"segmentz": ["carrier"]}, ("segmentz", "Did you mean 'segments'?")),
        (
            {"monitors": ["default", {"type": "drift", "name": "x", "metrics": ["psy"]}]},
            ("attributes.monitors[1]", "Did you mean 'psi'?"),
        ),
    ],
)
def test_a_wrong_field_in_yaml_is_one_plain_message(project, changes, words):
    second_component(project, **changes)
    with pytest.raises(DeclarationError) as raised:
        load_definitions(project=project, module=None)
    for word in words:
        assert word in str(raised.value)


def test_a_variable_of_the_environment_can_stand_in_text(project, monkeypatch):
    monkeypatch.setenv("WHOSE", "late-flights@example.org")
    second_component(project, owners=["{{ env.WHOSE }}"])
    defs = load_definitions(project=project, module=None)
    assert models_of(defs)["second"].owners == ("late-flights@example.org",)


def test_dg_lists_the_component(project):
    dg_command = Path(sys.executable).with_name("dg")
    run = subprocess.run(  # noqa: S603 - this project's own commands
        [str(dg_command), "list", "components", "--json"],
        cwd=project,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(project / "src"), *sys.path]),
            "DG_CLI_CONFIG": str(project / "none.toml"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "dagster_monitoring.ModelMonitoringComponent" in run.stdout
