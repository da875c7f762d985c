"""All Dagster definitions of one model, put together."""

from __future__ import annotations

import warnings

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.alerting import build_alert_job, build_alert_sensor
from dagster_monitoring.orchestration.clock import Clock, utc_now
from dagster_monitoring.orchestration.evaluation_assets import build_evaluation_assets
from dagster_monitoring.orchestration.incident_asset import build_incident_spec
from dagster_monitoring.orchestration.jobs import build_asset_jobs, build_slice_schedule
from dagster_monitoring.orchestration.labels import build_ground_truth_sensor
from dagster_monitoring.orchestration.late_slices import build_late_slices_sensor
from dagster_monitoring.orchestration.model_assets import build_model_assets
from dagster_monitoring.orchestration.naming import job_name, slice_job
from dagster_monitoring.orchestration.profile_io_manager import ProfileIOManager, io_manager_key
from dagster_monitoring.orchestration.retraining import build_retraining_sensor
from dagster_monitoring.orchestration.slice_assets import build_slice_assets


def build_monitoring_defs(model: MonitoredModel, *, clock: Clock = utc_now) -> dg.Definitions:
    """Assets, checks, jobs, schedule and sensors that watch a model.

    Args:
        model: the declaration; make its paths absolute with ``model.rooted(folder)``.
        clock: gives the moment as of which labels are due and alerts are new, with a time zone.

    Returns:
        Definitions to merge into a code location; several models go side by side.

    Example:
        >>> import dagster as dg
        >>> model = MonitoredModel(
        ...     model="flight_delay",
        ...     task={"type": "binary_classification", "label": "late", "prediction": "late_pred"},
        ...     columns={"id": "flight", "timestamp": "at", "numeric": ["temp"]},
        ...     partitions={"start": "2013-04-01", "timezone": "America/New_York"},
        ...     baseline={"type": "parquet", "path": "data/baseline.parquet"},
        ...     predictions={"type": "parquet", "path": "data/day={partition}/*.parquet"},
        ... )
        >>> defs = build_monitoring_defs(model)
        >>> sorted(spec.key.to_user_string() for spec in defs.resolve_all_asset_specs())[:2]
        ['flight_delay/baseline', 'flight_delay/champion']
    """
    with warnings.catch_warnings():
        # Range backfills and partitions on checks are beta and preview features of Dagster that
        # this package rests on; tests/dagster pins how they behave.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return _build(model, clock)


def _build(model: MonitoredModel, clock: Clock) -> dg.Definitions:
    jobs = build_asset_jobs(model)
    by_name = {job.name: job for job in jobs}
    alert_job = build_alert_job(model, clock=clock)
    sensors = [build_alert_sensor(model, alert_job, clock=clock)]
    sensors.append(build_late_slices_sensor(model, by_name[job_name(model, "slices")], clock=clock))
    if model.ground_truth is not None:
        labels_job = by_name[job_name(model, "labels")]
        sensors.append(build_ground_truth_sensor(model, labels_job, clock=clock))
    if model.retraining is not None:
        retraining_job = by_name[job_name(model, "retraining")]
        setup_job = by_name[job_name(model, "setup")]
        sensors.append(build_retraining_sensor(model, retraining_job, setup_job, clock=clock))
    return dg.Definitions(
        assets=[
            *build_model_assets(model, clock=clock),
            *build_slice_assets(model, clock=clock),
            *build_evaluation_assets(model, clock=clock),
            build_incident_spec(model),
        ],
        jobs=[*jobs, alert_job],
        schedules=[build_slice_schedule(model, by_name[job_name(model, slice_job(model))])],
        sensors=sensors,
        resources={
            io_manager_key(model): ProfileIOManager(model),
            # The command line finds a project's models here; it is no secret and has no effect.
            job_name(model, "declaration"): model,
        },
    )
