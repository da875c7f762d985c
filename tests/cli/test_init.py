"""``init`` writes what ``MonitoredModel`` takes, never over a file, and says its doubts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import Result

from dagster_monitoring.cli.init import command
from dagster_monitoring.errors import DeclarationError, SchemaMismatchError, SliceNotFoundError
from dagster_monitoring.model import MonitoredModel
from tests.cli.running import runner


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    start = datetime(2024, 3, 1, tzinfo=UTC)
    (tmp_path / "data").mkdir()
    rows = pa.table(
        {
            "id": [f"r{i}" for i in range(48)],
            "timestamp": [start + timedelta(hours=i) for i in range(48)],
            "age": [float(i % 17) for i in range(48)],
            "city": ["Oslo", "Rome", "Lima"] * 16,
            "price_pred": [float(i) for i in range(48)],
            "price": [i + 0.5 for i in range(48)],
        }
    )
    pq.write_table(rows, tmp_path / "data" / "baseline.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str) -> Result:
    return runner().invoke(command, list(arguments), catch_exceptions=False)


def declared(text: str) -> MonitoredModel:
    return MonitoredModel.read(yaml.safe_load(text)["attributes"])


def test_a_declaration_is_written_where_the_project_finds_it(project: Path):
    (project / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "shop"\n')
    result = init("data/baseline.parquet")
    file = project / "shop" / "defs" / "price" / "defs.yaml"
    model = declared(file.read_text())
    assert model.model == "price"
    assert (model.columns.numeric, model.columns.categorical) == (("age",), ("city",))
    assert model.baseline.path == "data/baseline.parquet"
    assert str(model.partitions.start) == "2024-03-03"
    assert "check price" in result.stderr


def test_the_terminal_gets_the_declaration_and_the_error_stream_the_words(project: Path):
    result = init("data/baseline.parquet", "--output", "-")
    assert declared(result.stdout).task.label == "price"
    assert "look" not in result.stderr
    assert "! partitions.timezone: days of UTC" in result.stderr
    assert list(project.glob("*.yaml")) == []


def test_a_file_is_never_overwritten(project: Path):
    (project / "mine.yaml").write_text("precious")
    with pytest.raises(DeclarationError, match="left as it is"):
        init("data/baseline.parquet", "--output", "mine.yaml")
    assert (project / "mine.yaml").read_text() == "precious"


@pytest.mark.usefixtures("project")
def test_options_overrule_what_is_told():
    options = ("--model", "cost", "--timezone", "America/Lima", "--id", "city")
    result = init("data/baseline.parquet", "--output", "-", *options)
    model = declared(result.stdout)
    assert (model.model, model.partitions.timezone) == ("cost", "America/Lima")
    assert model.columns.id == "city"
    assert "another row has too" in result.stderr


def test_a_model_name_that_cant_be_is_refused_before_anything_is_written(project: Path):
    with pytest.raises(DeclarationError, match="lower case"):
        init("data/baseline.parquet", "--model", "My Model")
    assert list(project.glob("*.yaml")) == []


@pytest.mark.usefixtures("project")
def test_what_a_drift_does_to_the_model_is_watched_beside_the_default():
    model = declared(init("data/baseline.parquet", "--output", "-").stdout)
    kinds = [monitor.kind for monitor in model.active_monitors]
    assert kinds[-1] == "impact"
    assert {"data_quality", "drift"} < set(kinds)


@pytest.mark.usefixtures("project")
def test_a_folder_means_its_files():
    assert "data/*.parquet" in init("data", "--output", "-").stdout


def test_any_fsspec_path_is_read(project: Path):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/prices/baseline.parquet", (project / "data/baseline.parquet").read_bytes())
    model = declared(init("memory://prices/baseline.parquet", "--output", "-").stdout)
    assert (model.model, model.baseline.path) == ("prices", "memory://prices/baseline.parquet")
    memory.rm("/prices", recursive=True)


@pytest.mark.usefixtures("project")
def test_what_is_missing_is_said_with_its_remedy():
    with pytest.raises(SliceNotFoundError, match="nowhere"):
        init("nowhere.parquet")
    with pytest.raises(SchemaMismatchError, match=r"Did you mean 'price'"):
        init("data/baseline.parquet", "--label", "prize")
