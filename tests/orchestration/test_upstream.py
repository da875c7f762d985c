"""A fault upstream, seen through lineage: real assets that fail, change code or columns."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

import dagster as dg
import pytest

from dagster_monitoring.incidents import Cause, IncidentStatus
from dagster_monitoring.orchestration.alerting import announce
from dagster_monitoring.orchestration.upstream import Lineage
from tests.orchestration.world import START, World, day_of, morning, new_world, rows, write

QUALITY = [{"type": "data_quality", "metrics": ["row_volume", "missing_columns"]}]
SCORED = {"type": "asset", "key": ["scored"], "path": "slices/day={partition}/*.parquet"}


@dataclass
class Upstream:
    """Two assets of the user's: raw rows, and what the model makes of them; both can change."""

    world: World
    code_version: str = "1"
    columns: dict[str, str] = field(default_factory=lambda: {"temp": "float", "city": "string"})
    fails: bool = False
    without: tuple[str, ...] = ()

    def repository(self) -> dg.RepositoryDefinition:
        days = dg.DailyPartitionsDefinition(START)
        folder = self.world.folder

        @dg.asset(partitions_def=days, code_version=self.code_version)
        def raw() -> dg.MaterializeResult:
            columns = [dg.TableColumn(name, kind) for name, kind in self.columns.items()]
            schema = dg.TableSchema(columns=columns)
            return dg.MaterializeResult(metadata={"dagster/column_schema": schema})

        @dg.asset(partitions_def=days, deps=[raw])
        def scored(context: dg.AssetExecutionContext) -> None:
            if self.fails:
                raise ValueError("the warehouse is gone")
            day = context.partition_key
            number = [day_of(n) for n in range(30)].index(day)
            table = rows(number).drop_columns(list(self.without))
            write(table, folder / "slices" / f"day={day}" / "part-0.parquet")

        merged = dg.Definitions.merge(self.world.definitions, dg.Definitions(assets=[raw, scored]))
        return merged.get_repository_def()

    def make(self, *numbers: int) -> None:
        """Materializes both assets for days."""
        job = self.repository().get_implicit_global_asset_job_def()
        for number in numbers:
            job.execute_in_process(
                instance=self.world.instance,
                partition_key=day_of(number),
                asset_selection=[dg.AssetKey("raw"), dg.AssetKey("scored")],
                raise_on_error=False,
            )

    def lineage(self) -> Lineage:
        return Lineage.of(self.world.instance, self.repository())

    def alert(self) -> None:
        with self.world.backend() as backend:
            announce(backend, now=self.world.clock(), run_url=None, lineage=self.lineage())


@pytest.fixture
def upstream(tmp_path):
    options = {
        "monitors": QUALITY,
        "predictions": SCORED,
        "alerts": [{"type": "file", "path": "alerts.jsonl"}],
        "alert_policy": {"keep_firing_for": 1},
    }
    with new_world(tmp_path, **options) as world:
        made = Upstream(world)
        made.make(0, 1)
        world.setup()
        world.range(0, 1)
        world.clock.now = morning(1)
        yield made


def told(world: World) -> list[dict]:
    file = world.folder / "alerts.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def incident_of(world: World):
    with world.store() as store:
        (found,) = store.incidents.list("late")
    return found


def test_an_asset_that_failed_is_the_cause_and_its_missing_slice_no_incident_of_its_own(upstream):
    world = upstream.world
    upstream.fails = True
    upstream.make(2)
    world.clock.now = morning(2)
    assert world.tick("alert_sensor").run_requests, "before any slice was judged"
    upstream.alert()
    assert [(m["transition"], m["cause"]) for m in told(world)] == [("OPENED", "pipeline")]
    assert f"asset scored failed for {day_of(2)}" in told(world)[0]["details"][0]
    assert told(world)[0]["changes"] == [f"asset scored failed for {day_of(2)}"]

    world.day(2)
    upstream.alert()
    found = incident_of(world)
    assert (found.cause, found.opened_partition) == (Cause.PIPELINE, day_of(2))
    assert found.monitors == ("data_quality", "upstream:scored")
    assert world.tick("alert_sensor").run_requests in (None, [])

    upstream.fails = False
    upstream.make(2)
    world.day(2)
    world.clock.now += timedelta(hours=2)
    upstream.alert()
    assert incident_of(world).status is IncidentStatus.RESOLVED
    assert told(world)[-1]["transition"] == "RESOLVED"


def test_a_slice_that_did_not_come_is_the_pipelines_without_any_record_of_a_run(upstream):
    world = upstream.world
    world.day(2)
    world.clock.now = morning(2)
    upstream.alert()
    assert incident_of(world).cause is Cause.PIPELINE
    changes = told(world)[0]["changes"]
    assert f"asset raw is not materialized for {day_of(2)}" in changes
    assert f"asset scored is not materialized for {day_of(2)}" in changes


def test_code_and_columns_that_changed_are_told_with_the_day_they_changed(upstream):
    world = upstream.world
    upstream.code_version = "2"
    upstream.columns = {"temp": "string", "country": "string"}
    upstream.without = ("size",)
    upstream.make(2)
    world.day(2)
    world.clock.now = morning(2)
    upstream.alert()
    found = incident_of(world)
    assert found.cause is Cause.DATA, "the slice came, and is not what it should be"
    text = "\n".join(found.changes)
    assert f"slice {day_of(2)}: missing columns" in text
    assert f"asset raw: code version 1 became 2 with {day_of(2)} (run " in text
    assert (
        f"asset raw: columns changed with {day_of(2)}: gone city; new country; "
        "type temp from float to string"
    ) in text

    upstream.code_version = "3"
    upstream.make(2)
    world.day(3)
    upstream.alert()
    assert incident_of(world).changes == found.changes, "looked up when it opened, and kept"


def test_lineage_goes_up_the_declared_graph_nearest_first(upstream):
    keys = upstream.lineage().above([dg.AssetKey("scored")])
    assert keys == (dg.AssetKey("scored"), dg.AssetKey("raw"))
    alone = Lineage(instance=upstream.world.instance)
    assert alone.above([dg.AssetKey("scored")]) == (dg.AssetKey("scored"),)
