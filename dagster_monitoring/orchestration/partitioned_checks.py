"""Checks that keep one evaluation a partition, in single runs and in range runs alike.

Dagster (1.13) stores an ``AssetCheckResult`` of a range run without a partition, so that every
partition shows as skipped. What works: after the materialization, one ``AssetCheckEvaluation`` a
partition, oldest first, each pointing at that partition's materialization, then each check's output
once. This module is the only one that knows, and ``tests/dagster/test_partitioned_checks.py`` pins
the behaviour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

# Needed for the UI to tie a check to its partition's materialization; Dagster keeps it private.
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionVerdict:
    """What one check says of one partition."""

    check_name: str
    partition: str
    passed: bool
    severity: dg.AssetCheckSeverity
    description: str
    metadata: Mapping[str, dg.MetadataValue]


def build_check_spec(
    *,
    name: str,
    asset: dg.AssetKey,
    description: str,
    partitions_def: dg.PartitionsDefinition[str],
    metadata: Mapping[str, str],
) -> dg.AssetCheckSpec:
    """A check spec with the asset's partitions."""
    return dg.AssetCheckSpec(
        name,
        asset=asset,
        description=description,
        partitions_def=partitions_def,
        metadata=dict(metadata),
    )


def emit_verdicts(
    context: dg.AssetExecutionContext,
    *,
    asset: dg.AssetKey,
    specs: Sequence[dg.AssetCheckSpec],
    verdicts: Sequence[PartitionVerdict],
) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None]]:
    """Yield the verdicts in the order given, then close each selected check.

    Call it after the asset's materialization was yielded. The order is the caller's: the verdict
    that is recorded last is what the asset's badge shows, so the latest partition comes last.
    """
    selected = {key.name for key in context.selected_asset_check_keys}
    wanted = [verdict for verdict in verdicts if verdict.check_name in selected]
    targets = _materializations(context, asset, {verdict.partition for verdict in wanted})
    for verdict in wanted:
        yield dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=verdict.check_name,
            passed=verdict.passed,
            severity=verdict.severity,
            description=verdict.description,
            metadata=verdict.metadata,
            partition=verdict.partition,
            target_materialization_data=targets.get(verdict.partition),
        )
    for spec in specs:
        if spec.name in selected:
            yield dg.Output(None, output_name=spec.get_python_identifier())


def _materializations(
    context: dg.AssetExecutionContext, asset: dg.AssetKey, partitions: set[str]
) -> dict[str, AssetCheckEvaluationTargetMaterializationData]:
    ids = context.instance.get_latest_storage_id_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION, partitions
    )
    if not ids:
        return {}
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=asset, storage_ids=list(ids.values())), limit=len(ids)
    ).records
    by_id = {record.storage_id: record for record in records}
    return {
        partition: AssetCheckEvaluationTargetMaterializationData(
            run_id=by_id[storage_id].run_id,
            storage_id=storage_id,
            timestamp=by_id[storage_id].timestamp,
        )
        for partition, storage_id in ids.items()
        if storage_id in by_id
    }
