"""What Dagster's UI and API show of partitioned checks: each partition, and today's health."""

import asyncio
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_graphql.schema import create_schema

from dagster_monitoring.orchestration.jobs import range_tags
from tests.dagster import location

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the GraphQL libraries
]
DAYS = [f"2013-04-0{day}" for day in range(1, 8)]
BAD = DAYS[2]
QUERY = """
query ($key: AssetKeyInput!, $day: String) {
  assetCheckExecutions(assetKey: $key, checkName: "features", limit: 50, partition: $day) {
    status
    partition
    evaluation { partition success severity description targetMaterialization { runId } }
  }
  assetOrError(assetKey: $key) { ... on Asset { assetHealth { assetChecksStatus } } }
  assetNodeOrError(assetKey: $key) { ... on AssetNode { assetChecksOrError { ... on AssetChecks {
    checks {
      name
      partitionDefinition { type }
      executionForLatestMaterialization { status partition }
      partitionStatuses {
        ... on AssetCheckTimePartitionStatuses { ranges { startKey endKey status } }
      }
    }
  } } } }
}
"""


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        # Only Dagster+ answers for health by itself; what it computes is the same code.
        found.dagster_asset_health_queries_supported = lambda: True
        yield found


@pytest.fixture
def ask(instance):
    """Asks the web server's schema, on a real instance and workspace."""
    target = LoadableTargetOrigin(
        executable_path=sys.executable,
        python_file=location.__file__,
        working_directory=str(Path(__file__).parents[2]),
    )
    origin = InProcessCodeLocationOrigin(target, location_name="tests")
    schema = create_schema()
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget([origin])) as workspace:

        def answer(day: str | None = None) -> dict:
            variables = {"key": {"path": location.KEY.path}, "day": day}
            given = {name: value for name, value in variables.items() if value is not None}
            context = workspace.create_request_context()
            found = asyncio.run(
                schema.execute_async(QUERY, variable_values=given, context_value=context)
            )
            assert not found.errors
            return found.data

        yield answer


@pytest.fixture
def run(instance):
    job = location.defs.resolve_job_def("all")
    return lambda **options: job.execute_in_process(instance=instance, **options)


def health(answer: dict) -> str:
    return answer["assetOrError"]["assetHealth"]["assetChecksStatus"]


def checks(answer: dict) -> list[dict]:
    return answer["assetNodeOrError"]["assetChecksOrError"]["checks"]


def test_each_partition_of_a_range_run_has_its_own_evaluation_and_status(ask, run):
    run(tags=range_tags(DAYS[0], DAYS[-1]))
    answer = ask()
    for check in checks(answer):
        assert check["partitionDefinition"]["type"] == "TIME_WINDOW"
        ranges = check["partitionStatuses"]["ranges"]
        assert [(r["startKey"][-1], r["endKey"][-1], r["status"]) for r in ranges] == [
            ("1", "2", "SUCCEEDED"),
            ("3", "4", "FAILED"),
            ("5", "5", "SUCCEEDED"),
            ("6", "6", "FAILED"),
            ("7", "7", "SUCCEEDED"),
        ]
    for day in DAYS:
        (execution,) = ask(day)["assetCheckExecutions"]
        assert execution["partition"] == day
        evaluation = execution["evaluation"]
        assert evaluation["partition"] == day
        assert evaluation["description"].endswith(f"on {day}")
        assert evaluation["targetMaterialization"]["runId"]
        assert evaluation["success"] == (day[-1] not in "346")
        assert evaluation["severity"] == ("ERROR" if day == BAD else "WARN")


def test_health_is_what_was_recorded_last_so_the_latest_day_is_recorded_last(ask, run):
    run(tags=range_tags(DAYS[0], DAYS[-1]))
    assert health(ask()) == "HEALTHY"
    # An old bad day, judged again without more ado, would turn the asset red today.
    run(partition_key=BAD)
    assert health(ask()) == "DEGRADED"
    run(partition_key=BAD, tags={location.REPEATED: DAYS[-1]})
    answer = ask()
    assert health(answer) == "HEALTHY"
    for check in checks(answer):
        latest = {"status": "SUCCEEDED", "partition": DAYS[-1]}
        assert check["executionForLatestMaterialization"] == latest
    assert [e["status"] for e in ask(BAD)["assetCheckExecutions"]] == ["FAILED"] * 3


def test_an_old_day_that_got_well_is_well_under_its_partition(ask, run, monkeypatch):
    run(tags=range_tags(DAYS[0], DAYS[-1]))
    monkeypatch.setitem(location.SAYINGS, BAD[-1], "HEALTHY")
    run(partition_key=BAD, tags={location.REPEATED: DAYS[-1]})
    answer = ask()
    for check in checks(answer):
        failed = [r for r in check["partitionStatuses"]["ranges"] if r["status"] == "FAILED"]
        assert [(r["startKey"], r["endKey"]) for r in failed] == [(DAYS[3],) * 2, (DAYS[5],) * 2]
    newest, before = ask(BAD)["assetCheckExecutions"]
    assert (newest["status"], before["status"]) == ("SUCCEEDED", "FAILED")
