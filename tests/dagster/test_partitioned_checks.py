"""What this package rests on in Dagster: a check keeps one evaluation a partition."""

import dagster as dg
import pytest

from dagster_monitoring.orchestration.jobs import range_tags
from tests.dagster.location import KEY, REPEATED, defs

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
DAYS = [f"2013-04-0{day}" for day in range(1, 8)]


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        yield found


@pytest.fixture(scope="module")
def job():
    return defs.resolve_job_def("all")


def history(instance, check="features"):
    records = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(KEY, check), limit=50
    )
    return {record.partition: record for record in reversed(records)}


def test_a_range_run_gives_every_partition_its_own_evaluation(instance, job):
    assert job.execute_in_process(instance=instance, tags=range_tags(DAYS[0], DAYS[-1])).success
    found = history(instance)
    assert list(found) == DAYS
    assert [r.status.value for r in found.values()] == [
        "SUCCEEDED", "SUCCEEDED", "FAILED", "FAILED", "SUCCEEDED", "FAILED", "SUCCEEDED",
    ]  # fmt: skip
    assert [r.evaluation.description for r in found.values()] == [
        f"{said} on {day}"
        for said, day in zip(
            ["HEALTHY", "HEALTHY", "ERROR", "WARN", "NO_DATA", "OVERDUE", "HEALTHY"],
            DAYS,
            strict=True,
        )
    ]


def test_each_evaluation_points_at_its_partitions_materialization(instance, job):
    job.execute_in_process(instance=instance, tags=range_tags(DAYS[0], DAYS[2]))
    stored = instance.fetch_materializations(KEY, limit=10).records
    by_partition = {record.partition_key: record.storage_id for record in stored}
    for partition, record in history(instance).items():
        target = record.evaluation.target_materialization_data
        assert target.storage_id == by_partition[partition]


def test_a_single_partition_run_is_no_different(instance, job):
    assert job.execute_in_process(instance=instance, partition_key=DAYS[5]).success
    (record,) = history(instance).values()
    assert record.partition == DAYS[5]
    assert record.evaluation.target_materialization_data is not None


def test_a_run_may_give_the_verdict_of_a_partition_that_is_not_its_own(instance, job):
    """As a run over old days does at its end, so that the badge shows the latest day."""
    job.execute_in_process(instance=instance, tags=range_tags(DAYS[0], DAYS[-1]))
    again = job.execute_in_process(
        instance=instance, partition_key=DAYS[2], tags={REPEATED: DAYS[-1]}
    )
    assert again.success
    newest, before, *_ = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(KEY, "features"), limit=9
    )
    assert (newest.partition, before.partition) == (DAYS[-1], DAYS[2])
    assert newest.evaluation.target_materialization_data.run_id != again.run_id
    assert len(instance.fetch_materializations(KEY, limit=20).records) == len(DAYS) + 1


def test_one_check_can_run_alone(instance, job):
    job.execute_in_process(instance=instance, partition_key=DAYS[5])
    alone = job.get_subset(
        asset_selection=set(), asset_check_selection={dg.AssetCheckKey(KEY, "score")}
    )
    assert alone.execute_in_process(instance=instance, partition_key=DAYS[5]).success
    newest = instance.event_log_storage.get_asset_check_execution_history
    assert len(newest(dg.AssetCheckKey(KEY, "score"), limit=9)) == 2
    assert len(newest(dg.AssetCheckKey(KEY, "features"), limit=9)) == 1


def test_a_plain_result_of_a_range_run_still_loses_its_partition(instance):
    """Why :mod:`partitioned_checks` is there; once this fails, Dagster may do without it."""
    plain = dg.AssetKey("plain")
    days = dg.DailyPartitionsDefinition(start_date=DAYS[0])

    @dg.multi_asset(
        specs=[dg.AssetSpec(plain, partitions_def=days)],
        check_specs=[dg.AssetCheckSpec("said", asset=plain, partitions_def=days)],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def asset():
        yield dg.MaterializeResult(asset_key=plain)
        yield dg.AssetCheckResult(asset_key=plain, check_name="said", passed=False)

    job = dg.Definitions(
        assets=[asset], jobs=[dg.define_asset_job("job", executor_def=dg.in_process_executor)]
    ).resolve_job_def("job")
    assert job.execute_in_process(instance=instance, tags=range_tags(DAYS[0], DAYS[1])).success
    records = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(plain, "said"), limit=9
    )
    assert {r.partition: r.status.value for r in records} == {
        DAYS[0]: "PLANNED",
        DAYS[1]: "PLANNED",
        None: "FAILED",
    }
