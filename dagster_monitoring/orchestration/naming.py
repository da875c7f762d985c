"""Names of a model's assets, jobs and sensors in Dagster."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.partitions import WEEKDAYS
from dagster_monitoring.sources import AssetSource


def asset_key(model: MonitoredModel, name: str) -> dg.AssetKey:
    """The key of one of the model's assets: ``flight_delay/profile``."""
    return dg.AssetKey([model.model, name])


def predictions_key(model: MonitoredModel) -> dg.AssetKey:
    """The asset that holds the slices: the user's own, or the model's ``predictions``."""
    source = model.predictions
    if isinstance(source, AssetSource):
        return dg.AssetKey(list(source.key))
    return asset_key(model, "predictions")


def job_name(model: MonitoredModel, purpose: str) -> str:
    """The name of one of the model's jobs, schedules and sensors: ``flight_delay_daily``."""
    return f"{model.model}_{purpose}"


def slice_job(model: MonitoredModel) -> str:
    """What the job that judges slices is for, as its name says: ``daily``, ``hourly``, ``weekly``.

    Its schedule is called after it: ``flight_delay_daily_schedule``.
    """
    return {"hour": "hourly", "day": "daily", "week": "weekly"}[model.partitions.every]


def partitions_definition(model: MonitoredModel) -> dg.TimeWindowPartitionsDefinition:
    """Dagster's hourly, daily or weekly partitions of the model; their keys are the slices'."""
    declared = model.partitions
    start = declared.start.isoformat()
    # Dagster's end is the first day that is no partition.
    end = (declared.end + timedelta(days=1)).isoformat() if declared.end else None
    zone = declared.timezone
    if declared.every == "hour":
        return dg.HourlyPartitionsDefinition(
            start_date=f"{start}-00:00", end_date=end and f"{end}-00:00", timezone=zone
        )
    if declared.every == "week":
        # Dagster counts from Sunday.
        first = (WEEKDAYS.index(declared.week_start) + 1) % len(WEEKDAYS)
        return dg.WeeklyPartitionsDefinition(
            start_date=start, end_date=end, timezone=zone, day_offset=first
        )
    return dg.DailyPartitionsDefinition(start_date=start, end_date=end, timezone=zone)
