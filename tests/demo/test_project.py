"""The project's declaration is valid, and true of the data that are laid out beside it."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

import dagster_monitoring.demo.world as demo
from dagster_monitoring.model import MonitoredModel

DECLARATION = Path("src/flight_delays/defs/flight_delay/defs.yaml")


@pytest.fixture(scope="module")
def declared() -> MonitoredModel:
    text = (demo.PROJECT / DECLARATION).read_text(encoding="utf-8")
    return MonitoredModel.read(yaml.safe_load(text)["attributes"])


def test_the_baseline_holds_exactly_what_is_declared(tmp_path: Path, declared: MonitoredModel):
    folder = demo.lay_out(tmp_path / "flights")
    task, columns = declared.task, declared.columns
    assert set(pq.read_schema(folder / "data" / "baseline.parquet").names) == {
        *(columns.id, columns.timestamp, columns.model_version),
        *columns.features,
        *(task.label, task.prediction, task.score),
    }


def test_a_slice_lies_where_the_declaration_looks_for_it(declared: MonitoredModel, tmp_path: Path):
    world = demo.World(demo.lay_out(tmp_path / "flights"))
    served = world.serve("2013-04-01", world.train_first_champion(), demo.FIRST_VERSION)
    pattern = declared.predictions.path.format(partition="2013-04-01")
    assert list(world.folder.glob(pattern)) == [served]


def test_the_declared_days_are_those_of_the_world(declared: MonitoredModel):
    assert declared.partitions.start == demo.DAYS.start
    assert declared.partitions.timezone == demo.DAYS.timezone
    assert declared.partitions.end.isoformat() == demo.LAST_DAY
