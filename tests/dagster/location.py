"""A code location with one asset of partitioned checks, as this package builds its own."""

import warnings

import dagster as dg

from dagster_monitoring.orchestration.partitioned_checks import (
    PartitionVerdict,
    build_check_spec,
    emit_verdicts,
)

KEY = dg.AssetKey(["m", "drift"])
DAYS = dg.DailyPartitionsDefinition(start_date="2013-04-01", timezone="America/New_York")
REPEATED = "monitoring/repeated"
"""A run's tag: the day whose verdict it gives again at its end."""

# What a check says, by the last digit of the day: an error, a warning, no data that is expected,
# no data that is overdue; else all is well.
SAYINGS = {"3": "ERROR", "4": "WARN", "5": "NO_DATA", "6": "OVERDUE"}

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
        again = context.run.tags.get(REPEATED)
        days = [*context.partition_keys, *([again] if again else [])]
        verdicts = [verdict(spec.name, day) for day in days for spec in SPECS]
        yield from emit_verdicts(context, asset=KEY, specs=SPECS, verdicts=verdicts)

    @dg.asset(
        deps=[KEY],
        partitions_def=DAYS,
        automation_condition=dg.AutomationCondition.any_deps_match(
            dg.AutomationCondition.any_checks_match(dg.AutomationCondition.check_failed())
        ),
    )
    def follow_up():
        """Asked for when a check of the same day fails."""

    defs = dg.Definitions(
        assets=[drift, follow_up],
        jobs=[
            dg.define_asset_job(
                "all",
                selection=dg.AssetSelection.assets(KEY),
                executor_def=dg.in_process_executor,
            )
        ],
    )


def verdict(check: str, partition: str) -> PartitionVerdict:
    said = SAYINGS.get(partition[-1], "HEALTHY")
    return PartitionVerdict(
        check_name=check,
        partition=partition,
        passed=said in {"HEALTHY", "NO_DATA"},
        severity=dg.AssetCheckSeverity.ERROR if said == "ERROR" else dg.AssetCheckSeverity.WARN,
        description=f"{said} on {partition}",
        metadata={"status": dg.MetadataValue.text(said)},
    )
