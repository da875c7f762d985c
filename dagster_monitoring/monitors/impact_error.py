"""Impact error: how far the estimated change of error was from the realized one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.monitors._estimate import Estimate, Through, estimate, metric_name
from dagster_monitoring.monitors._labels import Waiting, waiting
from dagster_monitoring.monitors._monitor import (
    WINDOW,
    Measurement,
    Monitor,
    MonitoredAsset,
    View,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Levels, Limits, Threshold
from dagster_monitoring.partitions import MOST_SLICES, ByLength
from dagster_monitoring.schema import Ranking, Regression
from dagster_monitoring.statistics.performance import performance_metric
from dagster_monitoring.statistics.undefined import Undefined

# Limits move out by what chance exceeds once in twenty on each side.
_NOISE_STANDARD_ERRORS, _NOISE_ALPHA = 1.645, 0.05
_NO_LIMITS = Levels(warn=None, error=None)
_POINTS, _SHARE = 0.03, 0.25


class ImpactErrorMonitor(Monitor):
    """Holds the estimate of a monitor of type impact against what labels say.

    Where the estimate is wrong, equal rows come out otherwise than in training: the world changed,
    and not only what the model is asked.
    """

    asset: ClassVar[MonitoredAsset] = "performance"
    by_length: ClassVar[ByLength] = {"window": WINDOW}

    type: Literal["impact_error"] = "impact_error"
    window: int = Field(
        default=3,
        ge=1,
        le=MOST_SLICES,
        description="How many slices, up to the judged one, are put together. Default: 72 hours, "
        "that is 72 hours, 3 days, or 1 week.",
    )
    through: Through = Field(default="auto", description="As that of the monitor of type impact.")
    minimum_labelled: int = Field(
        default=30, ge=1, description="With fewer labelled rows in the window there is no verdict."
    )
    minimum_coverage: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Until labels are due, the share of the slice that must have its label.",
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
        """The estimate less the realized change, and both beside it."""
        name = metric_name(view.task)
        error = f"{name}_estimated_less_realized"
        truth = self._realized(view)
        if isinstance(truth, Waiting):
            return [
                Measurement(
                    metric=error, value=None, reason=truth.reason, expected=truth.expected, n=0
                )
            ]
        found = estimate(view, window=self.window, through=self.through)
        if isinstance(found, Undefined):
            return [Measurement(metric=error, value=None, reason=found.reason, n=0)]
        spread = math.hypot(found.standard_error, truth.standard_error)
        own = Measurement(
            metric=error,
            value=found.value - truth.value,
            n=found.n,
            n_labelled=truth.n,
            reference=0.0,
            noise=_NOISE_STANDARD_ERRORS * spread,
            noise_alpha=_NOISE_ALPHA,
            standard_error=spread,
        )
        return [
            own,
            _beside(f"{name}_estimated", found, own),
            _beside(f"{name}_realized", truth, own),
        ]

    def needs_losses(self) -> bool:
        """Yes."""
        return True

    def default_threshold(self, metric: str) -> Threshold:
        """WARN three points off; of numbers, a quarter of the baseline's error."""
        off = _POINTS if metric.startswith("error_rate") else _SHARE
        return AbsoluteThreshold(warn=Limits(lower=-off, upper=off))

    def baseline_kind(self) -> str | None:
        """``"training"``."""
        return "training"

    def _realized(self, view: View) -> _Realized | Waiting:
        """The change that labels tell of."""
        blocked = waiting(view, minimum_coverage=self.minimum_coverage)
        if blocked is not None:
            return blocked
        profile, reference = view.performance(self.window).profile, view.baseline.reference
        if isinstance(view.task, Ranking) or reference is None:
            reason = "the baseline has no labelled rows with a loss; give it labels"
            return Waiting(reason=reason, expected=False)
        if profile.n_labelled < self.minimum_labelled:
            reason = (
                f"{profile.n_labelled} labelled rows, and {self.minimum_labelled} are needed "
                "(minimum_labelled)"
            )
            return Waiting(reason=reason, expected=True)
        is_number = isinstance(view.task, Regression)
        metric = performance_metric("mae" if is_number else "accuracy")
        now, before = metric.compute(profile.summary), metric.compute(reference.summary)
        spread = metric.standard_error(profile.summary)
        if isinstance(now, Undefined) or isinstance(before, Undefined):
            return Waiting(reason=f"{metric.name} is not known on both sides", expected=True)
        unit = before if is_number else -1.0
        if unit == 0.0:
            return Waiting(reason="the model makes no error in the baseline", expected=False)
        known = 0.0 if isinstance(spread, Undefined) else spread
        return _Realized(
            value=(now - before) / unit, standard_error=known / abs(unit), n=profile.n_labelled
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Realized:
    """A change of error that labels tell of."""

    value: float
    standard_error: float
    n: int


def _beside(metric: str, change: Estimate | _Realized, own: Measurement) -> Measurement:
    """A figure that is shown and not judged."""
    return own._replace(
        metric=metric,
        value=change.value,
        standard_error=change.standard_error,
        noise=0.0,
        levels=_NO_LIMITS,
    )
