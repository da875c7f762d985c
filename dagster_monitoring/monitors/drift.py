"""Drift: how far the distribution of a column went from the baseline's."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors.threshold import LearnedThreshold, Threshold


class Rolling(Declaration):
    """The slices right before the judged window, as the baseline."""

    rolling: int = Field(ge=2, le=400, description="How many slices, for instance 14 or 28.")


class EqualWidth(Declaration):
    """Bins of equal width between the baseline's minimum and maximum."""

    equal_width: int = Field(ge=2, le=1000, description="How many bins.")


class DriftMonitor(Monitor):
    """Compares distributions of features, predictions and scores with a baseline's."""

    asset: ClassVar[MonitoredAsset] = "drift"

    type: Literal["drift"] = "drift"
    window: int = Field(
        3, ge=1, le=366, description="How many slices, up to the judged one, are put together."
    )
    columns: Literal["features", "predictions", "all"] | tuple[str, ...] = Field(
        "features",
        description="features, predictions (the predicted value and its scores), all, or names.",
    )
    metrics: tuple[str, ...] = Field(
        ("psi",),
        min_length=1,
        description="Drift metrics; each is used on the columns whose kind it can compare.",
    )
    baseline: Literal["training"] | Rolling = Field(
        "training", description="training, or the slices before: {rolling: 14}."
    )
    bins: Literal["default", "deciles", "profile"] | EqualWidth = Field(
        "default",
        description="Bins of numeric columns: each metric's own (default), the training deciles, "
        "the profile's finest (profile), or {equal_width: 30}.",
    )

    def measure(self, view: View) -> list[Measurement]:
        """One value a column, metric and segment."""
        raise NotImplementedError

    def default_threshold(self, metric: str) -> Threshold:
        """Limits by convention where the metric has one, learned limits elsewhere."""
        return LearnedThreshold()

    def default_name(self) -> str:
        """``drift``, with ``prediction_`` before it or ``_rolling_14`` after it."""
        what = "prediction_" if self.columns == "predictions" else ""
        rolling = f"_rolling_{self.baseline.rolling}" if self.baseline != "training" else ""
        return f"{what}drift{rolling}"

    def baseline_kind(self) -> str | None:
        """``"training"`` or ``"rolling"``."""
        return "training" if self.baseline == "training" else "rolling"

    def equal_width_bins(self) -> int | None:
        """How many equal-width bins it asks for."""
        return self.bins.equal_width if isinstance(self.bins, EqualWidth) else None

    def metric_names(self) -> tuple[str, ...]:
        """The declared metrics."""
        return self.metrics
