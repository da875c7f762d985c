"""Impact: what the shift of the inputs does to the model's error, before labels are there."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.monitors._estimate import Estimate, Through, estimate, metric_name
from dagster_monitoring.monitors._monitor import (
    WINDOW,
    Measurement,
    Monitor,
    MonitoredAsset,
    View,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Levels, Limits, Threshold
from dagster_monitoring.partitions import MOST_SLICES, ByLength
from dagster_monitoring.statistics.undefined import Undefined

POINTS = (0.01, 0.02)
"""A rise of the error rate, WARN and ERROR."""

SHARES = (0.15, 0.25)
"""A rise of the absolute error as a share of the baseline's."""

# Limits move out by what chance exceeds once in twenty (one-sided, normal).
_NOISE_STANDARD_ERRORS, _NOISE_ALPHA = 1.645, 0.05
_NO_LIMITS = Levels(warn=None, error=None)


class ImpactMonitor(Monitor):
    """Estimates how much worse the model got because its inputs moved.

    It needs no label of production: labelled rows of the baseline, weighted so that they look like
    the window's, say what the error is. What a change of the world does to equal rows it can't
    see. Rows and losses are kept from the baseline on: after this monitor was declared, a new
    baseline has to be built.
    """

    asset: ClassVar[MonitoredAsset] = "drift"
    by_length: ClassVar[ByLength] = {"window": WINDOW}

    type: Literal["impact"] = "impact"
    window: int = Field(
        default=3,
        ge=1,
        le=MOST_SLICES,
        description="How many slices, up to the judged one, are put together. Default: 72 hours, "
        "that is 72 hours, 3 days, or 1 week.",
    )
    through: Through = Field(
        default="auto",
        description="What rows are made alike by: outputs (scores), rows (features, prediction "
        "and scores), or auto: outputs where every class has a score, else rows.",
    )

    @model_validator(mode="after")
    def _is_not_too_dear(self) -> Self:
        if self.past_slices():
            raise ValueError(
                "an estimate trains models, and learned limits ask for the values of weeks. Give "
                "it absolute limits"
            )
        if self.segments:
            raise ValueError("segments: rows are not kept by segment. Leave segments out")
        return self

    def measure(self, view: View) -> list[Measurement]:
        """The change of error, and each column's share of it where it is beyond chance."""
        name = metric_name(view.task)
        found = estimate(view, window=self.window, through=self.through)
        if isinstance(found, Undefined):
            return [Measurement(metric=name, value=None, reason=found.reason, n=0, worse="upper")]
        total = Measurement(
            metric=name,
            value=found.value,
            reason=found.note,
            n=found.n,
            reference=0.0,
            noise=_NOISE_STANDARD_ERRORS * found.standard_error,
            noise_alpha=_NOISE_ALPHA,
            swing=found.swing,
            standard_error=found.standard_error,
            worse="upper",
        )
        return [total, *_shares(name, found)]

    def needs_losses(self) -> bool:
        """Yes."""
        return True

    def default_threshold(self, metric: str) -> Threshold:
        """One and two points of error rate; of numbers, 15 % and 25 % of the baseline's error."""
        warn, error = POINTS if metric == "error_rate_change" else SHARES
        return AbsoluteThreshold(warn=Limits(upper=warn), error=Limits(upper=error))

    def baseline_kind(self) -> str | None:
        """``"training"``: only its rows have losses."""
        return "training"

    def metric_names(self) -> tuple[str, ...]:
        """None: which one it is depends on the task."""
        return ()


def _shares(metric: str, found: Estimate) -> list[Measurement]:
    """By column, recorded and never judged; what no column explains is the outputs' own."""
    return [
        Measurement(
            metric=f"{metric}_share",
            column=column,
            value=value,
            n=found.n,
            reference=0.0,
            levels=_NO_LIMITS,
        )
        for column, value in found.shares.items()
    ]
