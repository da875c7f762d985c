"""Names of a model's assets, jobs and sensors in Dagster."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from dagster_monitoring.model import MonitoredModel
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


def partitions_definition(model: MonitoredModel) -> dg.DailyPartitionsDefinition:
    """Dagster's daily partitions of the model."""
    days = model.partitions
    return dg.DailyPartitionsDefinition(
        start_date=days.start.isoformat(),
        # Dagster's end is the first day that is no partition.
        end_date=(days.end + timedelta(days=1)).isoformat() if days.end else None,
        timezone=days.timezone,
    )
