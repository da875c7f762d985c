"""The assets of a slice: predictions, ground truth, profile."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from dagster_monitoring.errors import DataError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.asset_specs import (
    build_spec,
    labels_schema,
    predictions_schema,
)
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.label_intake import TakenIn, take_in_labels
from dagster_monitoring.orchestration.naming import asset_key, predictions_key
from dagster_monitoring.orchestration.profile_io_manager import io_manager_key
from dagster_monitoring.orchestration.slices import describe_slice, profile_slice, register_slice
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.sources import AssetSource, ParquetSource, SqlSource

ONE_RUN = dg.BackfillPolicy.single_run()


def build_slice_assets(model: MonitoredModel, *, clock: Clock) -> list[dg.AssetsDefinition]:
    """Predictions (unless an asset of the user's own), ground truth (if declared), profile."""
    assets = [_build_profile(model)]
    if not isinstance(model.predictions, AssetSource):
        assets.append(_build_predictions(model))
    if model.ground_truth is not None:
        assets.append(_build_ground_truth(model, clock))
    return assets


def _build_predictions(model: MonitoredModel) -> dg.AssetsDefinition:
    spec = build_spec(
        model,
        "predictions",
        description="A day's scored rows, where they lie; nothing is copied.",
        deps=[],
        kinds=_kinds(model.predictions),
        partitioned=True,
        schema=predictions_schema(model),
    )

    @dg.multi_asset(
        name=f"{model.model}__predictions", specs=[spec], backfill_policy=ONE_RUN, can_subset=True
    )
    def predictions(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        for partition in context.partition_keys:
            context.add_asset_metadata(
                describe_slice(model, partition), spec.key, partition_key=partition
            )
        yield dg.MaterializeResult(asset_key=spec.key)

    return predictions


def _build_ground_truth(model: MonitoredModel, clock: Clock) -> dg.AssetsDefinition:
    spec = build_spec(
        model,
        "ground_truth",
        description="Labels of a day's predictions: the highest revision that has arrived.",
        deps=[dg.AssetDep(key) for key in (predictions_key(model), *_label_assets(model))],
        kinds={"ground truth"},
        partitioned=True,
        schema=labels_schema(model),
    )

    @dg.multi_asset(
        name=f"{model.model}__ground_truth", specs=[spec], backfill_policy=ONE_RUN, can_subset=True
    )
    def ground_truth(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        with open_backend(model) as backend:
            _register(context, backend, context.partition_keys)
            now = clock()
            taken = take_in_labels(backend, now=now)
            taken.report(context.log)
            for partition in context.partition_keys:
                found = _coverage(backend, partition, taken, as_of=now)
                context.add_asset_metadata(found, spec.key, partition_key=partition)
        yield dg.MaterializeResult(asset_key=spec.key)

    return ground_truth


def _label_assets(model: MonitoredModel) -> list[dg.AssetKey]:
    """The user's own asset that writes the labels, where there is one."""
    key = model.ground_truth.asset_key if model.ground_truth else None
    return [] if key is None else [dg.AssetKey(list(key))]


def _build_profile(model: MonitoredModel) -> dg.AssetsDefinition:
    spec = build_spec(
        model,
        "profile",
        description="A day in counts on the baseline's bins, scanned once; profiles add.",
        deps=[dg.AssetDep(predictions_key(model)), dg.AssetDep(asset_key(model, "baseline"))],
        kinds={"profile"},
        partitioned=True,
    )

    @dg.asset(
        key=spec.key,
        deps=spec.deps,
        description=spec.description,
        group_name=spec.group_name,
        owners=list(spec.owners),
        kinds={"profile"},
        tags=spec.tags,
        partitions_def=spec.partitions_def,
        io_manager_key=io_manager_key(model),
        backfill_policy=ONE_RUN,
        op_tags={"dagster_monitoring/model": model.model},
    )
    def profile(context: dg.AssetExecutionContext) -> dg.Output[Any]:
        return dg.Output(_profiles(context, model, spec.key))

    return profile


def _profiles(
    context: dg.AssetExecutionContext, model: MonitoredModel, key: dg.AssetKey
) -> Iterator[tuple[str, Profile]]:
    """One profile a partition, scanned as the IO manager asks for it."""
    with open_backend(model) as backend:
        for partition in context.partition_keys:
            baseline = backend.baseline_in_force(partition)
            found = profile_slice(backend, partition, baseline)
            for fault in found.faults:
                context.log.error(fault)
            context.add_asset_metadata(
                {
                    "rows": found.rows,
                    "columns": len(found.columns),
                    "baseline": baseline.version,
                    **({"faults": "; ".join(found.faults)} if found.faults else {}),
                },
                key,
                partition_key=partition,
            )
            yield partition, found


def _register(
    context: dg.AssetExecutionContext, backend: Backend, partitions: Sequence[str]
) -> None:
    for partition in partitions:
        try:
            register_slice(backend, partition)
        except DataError as error:
            context.log.error(str(error))


def _coverage(
    backend: Backend, partition: str, taken: TakenIn, *, as_of: datetime
) -> dict[str, int | float]:
    found = backend.store.labels.coverage(backend.model.model, partition, as_of)
    share = found.n_labelled / found.n_predictions if found.n_predictions else 0.0
    return {
        "predictions": found.n_predictions,
        "labelled": found.n_labelled,
        "coverage": share,
        "labels of unknown predictions": taken.unknown,
    }


def _kinds(source: object) -> set[str]:
    if isinstance(source, ParquetSource):
        return {"parquet"}
    return {"sql"} if isinstance(source, SqlSource) else {"predictions"}
