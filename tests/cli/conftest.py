"""A small project that the commands are called in."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.cli.init import command as init
from tests.cli.running import run

ROWS = 200
MODULE = """
import yaml
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from pathlib import Path

here = Path(__file__).parent
model = MonitoredModel.read(yaml.safe_load((here / "defs.yaml").read_text())["attributes"])
defs = build_monitoring_defs(model.rooted(here))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with data, a declaration that ``init`` wrote, and a module that loads it."""
    moments = pa.array(range(0, ROWS * 400, 400), pa.int64()).cast(pa.timestamp("s", tz="UTC"))
    rows = pa.table(
        {
            "id": [f"r{i}" for i in range(ROWS)],
            "timestamp": moments,
            "age": [float(i % 31) for i in range(ROWS)],
            "city": ["Oslo", "Rome"] * (ROWS // 2),
            "price_pred": [float(i) for i in range(ROWS)],
            "price": [i + 0.5 for i in range(ROWS)],
        }
    )
    day = pa.array([value + 86_400 for value in range(ROWS)]).cast(pa.timestamp("s", tz="UTC"))
    folder = tmp_path / "data/predictions/day=1970-01-02"
    folder.mkdir(parents=True)
    pq.write_table(rows, tmp_path / "data/baseline.parquet")
    pq.write_table(rows.set_column(1, "timestamp", day), folder / "part.parquet")
    name = f"project_of_{tmp_path.name.lower()}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    run(init, "data/baseline.parquet", "--output", "defs.yaml")
    monkeypatch.syspath_prepend(tmp_path)
    return name
