"""What the README and the documents say is true: code, declarations, reference, names."""

from __future__ import annotations

import importlib
import re
import shutil
import sqlite3
import subprocess
import sys
import types
import warnings
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import yaml
from sqlalchemy import make_url

from dagster_monitoring import MonitoredModel, build_monitoring_defs
from dagster_monitoring.declaration import Declaration

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMPONENT = "dagster_monitoring.ModelMonitoringComponent"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The page whose code blocks are new files of the package.
EXTENDING = ROOT / "docs" / "architecture.md"


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the line it starts in, its language, its text."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(language: str) -> list[Block]:
    return [
        Block(page, page.read_text().count("\n", 0, found.start()) + 1, language, found[2])
        for page in PAGES
        for found in FENCE.finditer(page.read_text())
        if found[1] == language
    ]


def readme_attributes() -> dict[str, object]:
    whole = [yaml.safe_load(b.text) for b in blocks("yaml") if b.page.name == "README.md"]
    return dict(next(b["attributes"] for b in whole if b.get("type") == COMPONENT))


def model_of(declared: dict[str, object]) -> MonitoredModel:
    """The model of a whole component, or of some attributes put into the README's."""
    if declared.get("type") == COMPONENT:
        return MonitoredModel.read(dict(declared["attributes"]))
    return MonitoredModel.read({**readme_attributes(), **declared})


def is_component(block: Block) -> bool:
    return not block.text.startswith("# dagster.yaml")


def load_reference() -> types.ModuleType:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        with warnings.catch_warnings():
            # Dagster warns of its preview features when the commands load.
            warnings.simplefilter("ignore")
            return importlib.import_module("make_reference")
    finally:
        sys.path.pop(0)


REFERENCE = load_reference()


# Code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [p for p in PAGES if p != EXTENDING], ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    name = f"docs_{page.stem.lower()}"
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    for block in blocks("python"):
        if block.page == page:
            code = compile("\n" * block.line + block.text, str(page), "exec")
            exec(code, vars(module))  # noqa: S102 - the documents are ours
    assert "Traceback" not in capsys.readouterr().out


def test_deleting_old_runs_takes_old_runs_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    @dg.asset
    def numbers() -> None: ...

    with dg.DagsterInstance.get() as instance:
        for _ in range(3):
            dg.materialize([numbers], instance=instance)
        space: dict[str, object] = {}
        block = next(b for b in blocks("python") if "delete_old_runs" in b.text)
        exec(block.text, space)  # noqa: S102 - the documents are ours
        delete = space["delete_old_runs"]
        assert delete(instance, older_than_days=180) == 0
        assert delete(instance, older_than_days=-1) == 3
        assert instance.get_runs() == []


def test_deleting_old_check_results_takes_those_before_the_day_named(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    @dg.asset_check(asset="numbers")
    def small() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    with dg.DagsterInstance.get() as instance:
        dg.Definitions(
            asset_checks=[small]
        ).resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
    statement = blocks("sql")[0].text
    with closing(sqlite3.connect(tmp_path / "history" / "runs" / "index.db")) as database:
        assert database.execute(statement).rowcount == 0
        assert database.execute(re.sub(r"\d{4}", "2999", statement)).rowcount == 1


def test_the_default_monitors_are_those_of_the_table():
    text = (ROOT / "docs" / "declaration.md").read_text()
    told = re.findall(r"^\| `(\w+)` \| .* \| (\d+) slices? \| .* \| (\w+) \|$", text, re.MULTILINE)
    monitors = MonitoredModel.read(readme_attributes()).active_monitors
    assert told == [(m.name, str(m.window), m.severity.value) for m in monitors]


def test_the_defaults_look_back_as_far_as_operating_says():
    reach = max(
        m.warm_up_slices() for m in MonitoredModel.read(readme_attributes()).active_monitors
    )
    assert f"{reach} days with the defaults" in (ROOT / "docs" / "operating.md").read_text()


def test_new_files_are_found_by_the_package_itself(tmp_path):
    """The files of architecture.md, in a copy of the package, make its declaration valid."""
    package = tmp_path / "dagster_monitoring"
    ignored = shutil.ignore_patterns("__pycache__", "data")
    shutil.copytree(ROOT / "dagster_monitoring", package, ignore=ignored)
    files = [b for b in blocks("python") if b.page == EXTENDING]
    for block in files:
        path = block.text.splitlines()[0].removeprefix("# ")
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(block.text)
    assert len(files) == 4
    declared = [yaml.safe_load(b.text) for b in blocks("yaml") if b.page == EXTENDING]
    attributes = {**readme_attributes(), **{k: v for part in declared for k, v in part.items()}}
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(attributes))
    (tmp_path / "use.py").write_text(USE_OF_NEW_FILES)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "use.py"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2.0", "feather", "freshness", "syslog", "0.0347"]


# What the four new files are used for; the overlap of (1/2, 1/2) and (1/4, 3/4) is known by hand:
# -ln(sqrt(1/8) + sqrt(3/8)) = 0.0347.
USE_OF_NEW_FILES = """
import datetime as dt, pathlib, yaml, pyarrow as pa, pyarrow.feather as feather
from dagster_monitoring import MonitoredModel, build_monitoring_defs
from dagster_monitoring.sources import Request
from dagster_monitoring.statistics.drift import Pair, drift_metric
from dagster_monitoring.statistics.histogram import categorical_histogram

model = MonitoredModel.read(yaml.safe_load(pathlib.Path("model.yaml").read_text()))
build_monitoring_defs(model)
path = pathlib.Path(model.predictions.path.replace("{partition}", "2013-04-01"))
path.parent.mkdir(parents=True)
feather.write_feather(pa.table({"x": [1.0, 3.0], "y": [0, 0]}), path)
rows = list(model.predictions.batches(Request(columns=("x",), partition="2013-04-01")))
assert rows[0].schema.names == ["x"]
print(sum(rows[0]["x"].to_pylist()) / 2, model.predictions.describe(
    Request(partition="2013-04-01")) and model.predictions.type)
print([m.kind for m in model.active_monitors][-1], model.alerts[0].type)
pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
print(round(drift_metric("bhattacharyya").compute(pair), 4))
"""


# Declarations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "block",
    [b for b in blocks("yaml") if is_component(b) and b.page != EXTENDING],
    ids=str,
)
def test_a_declaration_is_right(block):
    model = model_of(yaml.safe_load(block.text))
    assert model.active_monitors


def test_the_readmes_two_forms_are_one_model_in_twenty_lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    block = next(b for b in blocks("python") if b.page.name == "README.md")
    assert next(iter(blocks("yaml"))).text.count("\n") <= 20
    space: dict[str, object] = {}
    exec(block.text, space)  # noqa: S102 - the documents are ours
    assert space["model"] == MonitoredModel.read(readme_attributes())


def test_dagsters_settings_for_postgres_make_an_instance(
    new_postgres_database, tmp_path, monkeypatch
):
    url = make_url(new_postgres_database())
    block = next(b for b in blocks("yaml") if not is_component(b))
    (tmp_path / "dagster.yaml").write_text(block.text)
    monkeypatch.setenv("DAGSTER_PG_USER", str(url.username))
    monkeypatch.setenv("DAGSTER_PG_PASSWORD", str(url.password or ""))
    monkeypatch.setenv("DAGSTER_PG_DB", str(url.database))
    # The server of the tests listens on a socket only, which a host name can't name.
    monkeypatch.setenv("DAGSTER_PG_HOST", "")
    monkeypatch.setenv("PGHOST", str(url.query["host"]))
    with warnings.catch_warnings():
        # Dagster's own migrations warn under newer libraries.
        warnings.simplefilter("ignore")
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
            assert instance.get_runs() == []


# Reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFERENCE.PAGES)
def test_a_page_of_the_reference_is_what_the_code_says(name):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert text == REFERENCE.filled(text, REFERENCE.PAGES[name]), (
        "run: python docs/make_reference.py"
    )


def test_every_field_of_every_declaration_is_described_and_documented():
    text = (ROOT / "docs" / "declaration.md").read_text()
    classes = declared_classes()
    assert len(classes) > 25
    for declared in classes:
        assert (declared.__doc__ or "").strip(), declared
        for name, field in declared.model_fields.items():
            if name != "type":
                assert (field.description or "").strip(), f"{declared.__name__}.{name}"
            assert f"| `{name}` |" in text, f"{declared.__name__}.{name}"


def declared_classes() -> list[type[Declaration]]:
    """Every declaration below a model, found without the script that writes the page."""
    schema = MonitoredModel.model_json_schema()["$defs"]
    objects = {name for name, entry in schema.items() if entry.get("type") == "object"}
    known: list[type[Declaration]] = []
    todo = [Declaration]
    while todo:
        declared = todo.pop()
        todo += declared.__subclasses__()
        if declared.__name__ in {"MonitoredModel", *objects}:
            known.append(declared)
    assert {declared.__name__ for declared in known} == {"MonitoredModel", *objects}
    return known


def test_the_readme_names_the_assets_checks_jobs_and_sensors_there_are():
    text = (ROOT / "README.md").read_text()
    model = MonitoredModel.read(readme_attributes())
    repository = build_monitoring_defs(model).get_repository_def()
    assets = {key.path[-1] for key in repository.asset_graph.get_all_asset_keys()}
    checks = {key.name for key in repository.asset_graph.asset_check_keys}
    named = set(re.findall(r"`([a-z_0-9]+)`", text))
    assert assets <= named
    assert checks <= named
    automation = {
        *(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        *(sensor.name for sensor in repository.sensor_defs),
        *(schedule.name for schedule in repository.schedule_defs),
    }
    prefix = f"{model.model}_"
    assert {name for name in named if name.startswith(prefix)} == automation
