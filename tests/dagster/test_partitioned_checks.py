"""What this package rests on in Dagster: a check keeps one evaluation a partition."""

import warnings

import dagster as dg
import pytest

from dagster_monitoring.orchestration.jobs import range_tags
from dagster_monitoring.orchestration.partitioned_checks import (
    PartitionVerdict,
    build_check_spec,
    emit_verdicts,
)

KEY = dg.AssetKey(["m", "drift"])
DAYS = dg.DailyPartitionsDefinition(start_date="2013-04-01", timezone="America/New_York")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # beta and preview features, which these tests pin
    SPECS = [
        build_check_spec(name=name, asset=KEY, description="", partitions_def=DAYS, metadata={})
        for name in ("features", "score")
    ]

    @dg.multi_asset(
        name="m__drift",
        specs=[dg.AssetSpec(KEY, partitions_def=DAYS)],
        check_specs=SPECS,
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def drift(context: dg.AssetExecutionContext):
        if KEY in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=KEY)
        verdicts = [
            PartitionVerdict(
                check_name=spec.name,
                partition=partition,
                passed=not partition.endswith("03"),
                severity=dg.AssetCheckSeverity.WARN,
                description=f"said of {partition}",
                metadata={"status": dg.MetadataValue.text("x")},
            )
            for partition in context.partition_keys
            for spec in SPECS
        ]
        yield from emit_verdicts(context, asset=KEY, specs=SPECS, verdicts=verdicts)


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        yield found


@pytest.fixture(scope="module")
def job():
    jobs = [dg.define_asset_job("all", executor_def=dg.in_process_executor)]
    return dg.Definitions(assets=[drift], jobs=jobs).resolve_job_def("all")


def history(instance, check="features"):
    records = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(KEY, check), limit=50
    )
    return {record.partition: record for record in reversed(records)}


def test_a_range_run_gives_every_partition_its_own_evaluation(instance, job):
    result = job.execute_in_process(instance=instance, tags=range_tags("2013-04-01", "2013-04-05"))
    assert result.success
    found = history(instance)
    assert list(found) == [f"2013-04-0{day}" for day in range(1, 6)]
    assert {p: r.status.value for p, r in found.items()} == {
        p: "FAILED" if p.endswith("03") else "SUCCEEDED" for p in found
    }
    assert all(r.evaluation.description == f"said of {p}" for p, r in found.items())


def test_each_evaluation_points_at_its_partitions_materialization(instance, job):
    job.execute_in_process(instance=instance, tags=range_tags("2013-04-01", "2013-04-03"))
    stored = instance.fetch_materializations(KEY, limit=10).records
    by_partition = {record.partition_key: record.storage_id for record in stored}
    for partition, record in history(instance).items():
        target = record.evaluation.target_materialization_data
        assert target.storage_id == by_partition[partition]


def test_a_single_partition_run_is_no_different(instance, job):
    assert job.execute_in_process(instance=instance, partition_key="2013-04-06").success
    (record,) = history(instance).values()
    assert record.partition == "2013-04-06"
    assert record.evaluation.target_materialization_data is not None


def test_one_check_can_run_alone(instance, job):
    job.execute_in_process(instance=instance, partition_key="2013-04-06")
    subset = dg.AssetSelection.checks(dg.AssetCheckKey(KEY, "score"))
    alone = dg.Definitions(
        assets=[drift],
        jobs=[dg.define_asset_job("one", selection=subset, executor_def=dg.in_process_executor)],
    ).resolve_job_def("one")
    one_day = {"dagster/partition": "2013-04-06"}
    assert alone.execute_in_process(instance=instance, tags=one_day).success
    newest = instance.event_log_storage.get_asset_check_execution_history
    assert len(newest(dg.AssetCheckKey(KEY, "score"), limit=9)) == 2
    assert len(newest(dg.AssetCheckKey(KEY, "features"), limit=9)) == 1
