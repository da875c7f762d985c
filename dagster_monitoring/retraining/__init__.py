"""From an incident to a challenger, and through the gate to a new champion."""

from __future__ import annotations

from dagster_monitoring.retraining.gate import GateVerdict, judge
from dagster_monitoring.retraining.policy import (
    Decision,
    RetrainingConfig,
    TrainingWindows,
    decide,
    training_windows,
)
from dagster_monitoring.retraining.registry import Champion, ModelRegistry, ModelVersion
from dagster_monitoring.retraining.scoring import (
    LossName,
    Predictions,
    feature_frame,
    predict,
    row_losses,
    shared_loss,
)
from dagster_monitoring.retraining.trainer import Estimator, Trainer, resolve_trainer

__all__ = [
    "Champion",
    "Decision",
    "Estimator",
    "GateVerdict",
    "LossName",
    "ModelRegistry",
    "ModelVersion",
    "Predictions",
    "RetrainingConfig",
    "Trainer",
    "TrainingWindows",
    "decide",
    "feature_frame",
    "judge",
    "predict",
    "resolve_trainer",
    "row_losses",
    "shared_loss",
    "training_windows",
]
