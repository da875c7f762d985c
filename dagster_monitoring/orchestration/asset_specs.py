"""What every asset of a model has: group, owners, kinds, description, column schema."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.naming import asset_key, partitions_definition


def build_spec(
    model: MonitoredModel,
    name: str,
    *,
    description: str,
    deps: Sequence[dg.AssetDep],
    kinds: set[str],
    partitioned: bool,
    schema: dg.TableSchema | None = None,
) -> dg.AssetSpec:
    """The spec of one of the model's assets."""
    return dg.AssetSpec(
        asset_key(model, name),
        deps=list(deps),
        description=description,
        group_name=model.model,
        owners=list(model.owners),
        kinds=kinds,
        partitions_def=partitions_definition(model) if partitioned else None,
        metadata={"dagster/column_schema": schema} if schema else {},
        tags={"dagster_monitoring/model": model.model},
    )


def lookback(key: dg.AssetKey, slices: int) -> dg.AssetDep:
    """A dependency on a partition and the ``slices`` before it."""
    return dg.AssetDep(
        key, partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-slices, end_offset=0)
    )


def predictions_schema(model: MonitoredModel) -> dg.TableSchema:
    """Columns of a slice as declared."""
    columns, task = model.columns, model.task
    rows = [
        (columns.id, "string", "identifies the prediction"),
        (columns.timestamp, "timestamp", "when the prediction was made"),
        *((name, "number", "feature") for name in columns.numeric),
        *((name, "category", "feature") for name in columns.categorical),
        (task.prediction, "number" if task.type == "regression" else "category", "prediction"),
    ]
    if model.score:
        rows.append((model.score, "number", "probability of the positive class"))
    return _schema(rows)


def labels_schema(model: MonitoredModel) -> dg.TableSchema:
    """Columns of the resolved labels of a slice."""
    return _schema(
        [
            ("prediction_id", "string", "the prediction that the label belongs to"),
            (model.task.label, "any", "the label known last"),
            ("event_time", "timestamp", "when the outcome happened"),
            ("available_at", "timestamp", "when the label reached us"),
            ("revision", "int", "1, or higher for a correction"),
        ]
    )


def evaluations_schema() -> dg.TableSchema:
    """Columns of the evaluations that the check assets write to the store."""
    return _schema(
        [
            ("monitor", "string", "name of the monitor"),
            ("metric", "string", "what was measured"),
            ("column", "string", "on which column"),
            ("segment", "string", "on which rows; empty: all"),
            ("value", "float", "the measured value"),
            ("lower", "float", "lower limit in force"),
            ("upper", "float", "upper limit in force"),
            ("status", "string", "HEALTHY, TRIGGERED or NO_DATA"),
            ("severity", "string", "WARN or ERROR"),
            ("reason", "string", "why, and what to do"),
        ]
    )


def _schema(rows: Sequence[tuple[str, str, str]]) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[dg.TableColumn(name, kind, description=words) for name, kind, words in rows]
    )
