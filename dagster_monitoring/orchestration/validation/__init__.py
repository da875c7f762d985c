"""A declaration held against the real data, files and services, before anything runs."""

from __future__ import annotations

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.validation._finding import Finding, Level
from dagster_monitoring.orchestration.validation.labels import check_ground_truth
from dagster_monitoring.orchestration.validation.rows import check_baseline, check_predictions
from dagster_monitoring.orchestration.validation.services import (
    check_channels,
    check_engine,
    check_monitors,
    check_secrets,
    check_storage,
    check_store,
    check_trainer,
)

__all__ = [
    "Finding",
    "Level",
    "check_baseline",
    "check_channels",
    "check_engine",
    "check_ground_truth",
    "check_monitors",
    "check_predictions",
    "check_secrets",
    "check_storage",
    "check_store",
    "check_trainer",
    "validate",
]


def validate(model: MonitoredModel, *, partition: str | None = None) -> list[Finding]:
    """All that can be told of a model before it runs; bad data is a finding, never an error.

    Args:
        model: the declaration, with its paths made absolute (``model.rooted``).
        partition: the slice to look at; ``None`` takes the newest.
    """
    return [
        *check_baseline(model),
        *check_predictions(model, partition),
        *check_ground_truth(model, partition),
        *check_store(model),
        *check_storage(model),
        *check_secrets(model),
        *check_engine(model),
        *check_channels(model),
        *check_monitors(model),
        *check_trainer(model),
    ]
