"""A model's jobs and the schedule of its slices."""

from typing import TypeAlias

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.naming import (
    asset_key,
    job_name,
    predictions_key,
    slice_job,
)
from dagster_monitoring.sources import AssetSource

# What dg.define_asset_job gives; Dagster exports no name for it.
AssetJob: TypeAlias = UnresolvedAssetJobDefinition

SLICE_ASSETS = ("ground_truth", "profile", "drift", "data_quality", "performance")
LABEL_ASSETS = ("ground_truth", "performance")
ROW_ASSETS = ("drift", "data_quality")
MODEL_ASSETS = ("champion", "baseline")


def build_asset_jobs(model: MonitoredModel) -> list[AssetJob]:
    """The jobs over the model's assets: set-up, slices, labels and retraining.

    All run in one process: the work of a slice takes less time than another process's start.
    """
    every = model.partitions.every
    jobs = [
        _job(model, "setup", MODEL_ASSETS, "Registers the champion and builds its baseline."),
        _job(model, slice_job(model), _slice_assets(model), f"Judges {every}s, one or a range."),
    ]
    rows = "Judges drift and data quality anew where a window's slices changed."
    jobs.append(_job(model, "slices", ROW_ASSETS, rows))
    if model.ground_truth is not None:
        jobs.append(
            _job(model, "labels", LABEL_ASSETS, "Judges performance anew where labels are new.")
        )
    if model.retraining is not None:
        jobs.append(
            _job(
                model,
                "retraining",
                ("challenger", *MODEL_ASSETS),
                "Trains a challenger, judges it against the champion, promotes or refuses it.",
            )
        )
    return jobs


def build_slice_schedule(model: MonitoredModel, job: AssetJob) -> dg.ScheduleDefinition:
    """Judges the slice that was over last, in the partitions' time zone."""
    keys = model.partitions

    @dg.schedule(
        name=job_name(model, f"{slice_job(model)}_schedule"),
        job=job,
        cron_schedule=model.cron,
        execution_timezone=keys.timezone,
        description=f"Judges the {keys.every} of {model.model} that was over last.",
    )
    def slice_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        over = keys.shift(keys.key_of(context.scheduled_execution_time), -1)
        if keys.distance(keys.first, over) < 0:
            return dg.SkipReason(f"production starts on {keys.first}, {over} lies before it")
        if keys.last is not None and keys.distance(keys.last, over) > 0:
            return dg.SkipReason(
                f"production ended on {keys.last} (field partitions.end), {over} lies after it"
            )
        return dg.RunRequest(run_key=over, partition_key=over)

    return slice_schedule


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags that make one run of a job cover all partitions from ``first`` to ``last``.

    A sensor cannot request a range through a public call; the tags are what Dagster's own
    single-run backfills set, and ``tests/dagster`` pins that they work.
    """
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


def _slice_assets(model: MonitoredModel) -> tuple[str, ...]:
    own = () if isinstance(model.predictions, AssetSource) else ("predictions",)
    without_labels = ("profile", "drift", "data_quality")
    return (*own, *(SLICE_ASSETS if model.ground_truth is not None else without_labels))


def _job(model: MonitoredModel, purpose: str, names: tuple[str, ...], description: str) -> AssetJob:
    keys = [
        predictions_key(model) if name == "predictions" else asset_key(model, name)
        for name in names
    ]
    return dg.define_asset_job(
        job_name(model, purpose),
        selection=dg.AssetSelection.assets(*keys),
        description=description,
        executor_def=dg.in_process_executor,
        tags={"dagster_monitoring/model": model.model},
    )
