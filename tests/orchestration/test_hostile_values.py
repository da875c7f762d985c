"""A value that holds HTML, SQL, a table's bars and a formula stays a value wherever it is shown."""

import json
import os
import subprocess
import sys

import pytest

from tests.orchestration.faults import DAY, MONITORS, cell, serve_fault
from tests.orchestration.world import day_of, morning, new_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with new_world(tmp_path_factory.mktemp("hostile"), monitors=MONITORS) as found:
        serve_fault(found, "hostile value")
        found.clock.now = morning(DAY["hostile value"] + 1)
        found.setup()
        found.day(DAY["hostile value"])
        yield found


def test_a_hostile_value_is_data_in_the_store_and_harmless_in_a_check(world):
    quality = cell(world, "hostile value", "data_quality", "new_categories", "city")
    assert quality.value == pytest.approx(40 / 150)
    assert "DROP TABLE" in quality.reason
    (record,) = [
        r
        for r in world.checks("data_quality", "data_quality")
        if r.partition == day_of(DAY["hostile value"])
    ]
    found = record.evaluation
    assert "\n" not in found.description
    for row in found.metadata["evaluations"].records:
        assert all("\n" not in str(v) and "\r" not in str(v) for v in row.data.values())
    plot = found.metadata["plot"].md_str
    assert "<script" not in plot
    assert "\n" not in plot


def test_a_hostile_value_is_harmless_where_history_is_printed(world, tmp_path):
    project = tmp_path / "hostile_project.py"
    declared = json.loads(world.model.model_dump_json(exclude_unset=True, exclude={"root"}))
    project.write_text(
        "import json, pathlib, dagster_monitoring as m\n"
        f"declared = json.loads({json.dumps(json.dumps(declared))})\n"
        f"root = pathlib.Path({str(world.folder)!r})\n"
        "model = m.MonitoredModel.read(declared).rooted(root)\n"
        "defs = m.build_monitoring_defs(model)\n"
    )
    for form in ("table", "csv", "json"):
        command = [sys.executable, "-c", "from dagster_monitoring.cli.main import main; main()"]
        options = ["history", "late", "-m", "hostile_project", "--column", "city"]
        day = day_of(DAY["hostile value"])
        shown = subprocess.run(  # noqa: S603 - this project's own commands
            [*command, *options, "--since", day, "--until", day, "--format", form],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "400"},
        )
        assert shown.returncode == 0, shown.stderr
        assert "script" in shown.stdout
        if form == "json":
            assert {row["column"] for row in json.loads(shown.stdout)} == {"city"}
