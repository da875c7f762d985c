"""What Dagster knows of the assets that a model's slices and labels come from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

import dagster as dg
from dagster._check import CheckError

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.naming import partitions_definition, predictions_key
from dagster_monitoring.sources import AssetSource

# A person looks at a handful; a wide graph would be asked for by the hour.
MAX_ASSETS = 20
_MAX_RECORDS = 200


class Made(Enum):
    """What became of an asset's partition."""

    DONE = "done"
    FAILED = "failed"
    RUNNING = "running"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialized:
    """One materialization of an asset.

    Args:
        partition: its partition; ``None`` where the asset has none.
        at: when.
        run_id: by which run.
        code_version: of the code that made it, where the asset declares one.
        columns: the type of each column, where it was recorded (``dagster/column_schema``).
    """

    partition: str | None
    at: datetime
    run_id: str
    code_version: str | None
    columns: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """A run that was to make an asset and failed, and when it was asked for."""

    run_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Dagster's record of the assets upstream of a model.

    Args:
        instance: whose record.
        parents: the assets that each asset is made from, by its key; what is not in it has no
            known ones.
    """

    instance: dg.DagsterInstance
    parents: Mapping[dg.AssetKey, Collection[dg.AssetKey]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition | None
    ) -> Lineage:
        """The lineage that a code location's assets declare.

        Args:
            instance: whose record.
            repository: the code location's; ``None``: only what the model names is known.
        """
        if repository is None:
            return cls(instance=instance)
        graph = repository.asset_graph
        return cls(
            instance=instance,
            parents={key: graph.get(key).parent_keys for key in graph.get_all_asset_keys()},
        )

    def above(self, keys: Iterable[dg.AssetKey]) -> tuple[dg.AssetKey, ...]:
        """The assets and all above them, the nearest first; at most 20."""
        found: list[dg.AssetKey] = []
        todo = list(keys)
        while todo and len(found) < MAX_ASSETS:
            key = todo.pop(0)
            if key not in found:
                found.append(key)
                todo += sorted(self.parents.get(key, ()))
        return tuple(found)

    def materialized(
        self, key: dg.AssetKey, partitions: Sequence[str] | None, *, limit: int = _MAX_RECORDS
    ) -> list[Materialized]:
        """An asset's materializations, the newest first.

        Args:
            key: the asset's.
            partitions: only of these; ``None``: whichever.
            limit: at most so many.
        """
        which = dg.AssetRecordsFilter(asset_key=key, asset_partitions=partitions)
        records = self.instance.fetch_materializations(which, limit=limit).records
        return [_materialized(record) for record in records]

    def state(
        self, model: MonitoredModel, key: dg.AssetKey, partitions: Sequence[str]
    ) -> dict[str, Made]:
        """What became of some of an asset's partitions, which are the model's."""
        said = self.instance.get_status_by_partition(
            key, list(partitions), partitions_definition(model)
        )
        known = {"MATERIALIZED": Made.DONE, "FAILED": Made.FAILED, "IN_PROGRESS": Made.RUNNING}
        return {
            partition: known.get(getattr(status, "value", ""), Made.NOT_YET)
            for partition, status in (said or {}).items()
        }

    def failed_run(self, key: dg.AssetKey) -> FailedRun | None:
        """The last run that was to make an asset without partitions, if it failed."""
        records = self.instance.get_asset_records([key])
        entry = records[0].asset_entry if records else None
        if entry is None or entry.last_run_id is None:
            return None
        last = entry.last_materialization_record
        if last is not None and last.run_id == entry.last_run_id:
            return None
        runs = self.instance.get_run_records(dg.RunsFilter(run_ids=[entry.last_run_id]))
        if not runs or runs[0].dagster_run.status is not dg.DagsterRunStatus.FAILURE:
            return None
        return FailedRun(run_id=entry.last_run_id, at=runs[0].create_timestamp.astimezone(UTC))


def lineage_of(context: dg.OpExecutionContext) -> Lineage:
    """The lineage that a run can see; a run in this process has no code location to ask."""
    try:
        repository = context.repository_def
    except CheckError:
        repository = None
    return Lineage.of(context.instance, repository)


def sources_of(model: MonitoredModel) -> tuple[dg.AssetKey, ...]:
    """The user's own assets that a model reads: of its slices, of its labels."""
    found = [predictions_key(model)] if isinstance(model.predictions, AssetSource) else []
    labels = model.ground_truth.asset_key if model.ground_truth else None
    return (*found, *([dg.AssetKey(list(labels))] if labels else ()))


def _materialized(record: dg.EventLogRecord) -> Materialized:
    made = record.asset_materialization
    tags = made.tags if made is not None and made.tags else {}
    schema = made.metadata.get("dagster/column_schema") if made is not None else None
    columns = (
        {column.name: column.type for column in schema.schema.columns}
        if isinstance(schema, dg.TableSchemaMetadataValue)
        else None
    )
    version = tags.get("dagster/code_version")
    return Materialized(
        partition=record.partition_key,
        at=datetime.fromtimestamp(record.timestamp, UTC),
        run_id=record.run_id,
        # Of an asset that declares none Dagster writes the run's id.
        code_version=None if version == record.run_id else version,
        columns=columns,
    )
