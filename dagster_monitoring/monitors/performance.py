"""Performance: predictions against the labels that have arrived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.monitors._columns import segment_names
from dagster_monitoring.monitors._labels import Waiting, is_due, waiting
from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors._names import known_names
from dagster_monitoring.monitors._slices import slices_note
from dagster_monitoring.monitors._standard_error import standard_error
from dagster_monitoring.monitors.threshold import (
    LearnedThreshold,
    Limits,
    RelativeThreshold,
    Sides,
    Threshold,
)
from dagster_monitoring.schema import BinaryClassification, MulticlassClassification, Task
from dagster_monitoring.statistics.performance import (
    PerformanceMetric,
    Summary,
    performance_metric,
)
from dagster_monitoring.statistics.undefined import Undefined

# Limits move out by what chance exceeds once in twenty (one-sided, normal).
_NOISE_STANDARD_ERRORS = 1.645

# A gain or loss of so much, WARN and ERROR: points for metrics that are better when higher, a
# share of the baseline's value for errors and losses; squared errors change about twice as much.
_POINTS = (0.05, 0.10)
_SHARES = (0.15, 0.25)
_SQUARED_SHARES = (0.32, 0.56)


class PerformanceMonitor(Monitor):
    """Holds realized performance against the baseline's, numbers, or its own past."""

    asset: ClassVar[MonitoredAsset] = "performance"

    type: Literal["performance"] = "performance"
    window: int = Field(
        default=3,
        ge=1,
        le=366,
        description="How many slices, up to the judged one, are put together.",
    )
    metrics: tuple[str, ...] = Field(
        default=(), description="Performance metrics; a few that suit the task when left out."
    )
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
    def _names_are_known(self) -> Self:
        known_names(self.metrics, self.thresholds, performance_metric)
        return self

    def measure(self, view: View) -> list[Measurement]:
        """One value a metric and segment."""
        metrics = [performance_metric(name) for name in self.metrics or default_metrics(view.task)]
        blocked = waiting(view, minimum_coverage=self.minimum_coverage)
        if blocked is not None:
            own = view.performance(1).profile
            return [_waiting(metric, None, blocked, own.n, own.n_labelled) for metric in metrics]
        named = segment_names(view.baseline.bins, view.segments) if self.segments else []
        return [m for segment in (None, *named) for m in self._of(view, metrics, segment)]

    def default_threshold(self, metric: str) -> Threshold:
        """Against the baseline: points for what is better when higher, shares for losses."""
        declared = performance_metric(metric)
        if declared.higher_is_better is None:
            return LearnedThreshold()
        if declared.higher_is_better:
            warn, error = _POINTS
            return RelativeThreshold(warn=Limits(lower=-warn), error=Limits(lower=-error))
        warn, error = _SQUARED_SHARES if declared.unit == "label unit squared" else _SHARES
        return RelativeThreshold(mode="ratio", warn=Limits(upper=warn), error=Limits(upper=error))

    def baseline_kind(self) -> str | None:
        """``"training"``: its reference performance is the training baseline's."""
        return "training"

    def metric_names(self) -> tuple[str, ...]:
        """The declared metrics."""
        return self.metrics

    def _of(
        self, view: View, metrics: list[PerformanceMetric], segment: str | None
    ) -> Iterator[Measurement]:
        window = view.performance(self.window)
        part = window.profile if segment is None else window.profile.segments.get(segment)
        n, n_labelled = (part.n, part.n_labelled) if part is not None else (0, 0)
        blocked = self._too_few(view, n_labelled, is_segment=segment is not None)
        note = slices_note(window.partitions, window.missing, self.window)
        for metric in metrics:
            if part is None or blocked is not None:
                why = blocked or Waiting(reason=f"no rows of segment {segment}", expected=True)
                yield _waiting(metric, segment, why, n, n_labelled)
            else:
                value = _computed(metric, part.summary, view.task)
                reference = _reference(view, metric, segment)
                measured = _measured(metric, value, part.summary, reference)
                reason = measured.reason or note
                is_slight = measured.value is None and segment is not None
                yield replace(measured, segment=segment, n=n, reason=reason, expected=is_slight)

    def _too_few(self, view: View, n_labelled: int, *, is_segment: bool) -> Waiting | None:
        if n_labelled >= self.minimum_labelled:
            return None
        return Waiting(
            reason=f"{n_labelled} labelled rows, and {self.minimum_labelled} are needed "
            "(minimum_labelled)",
            expected=is_segment or not is_due(view),
        )


def default_metrics(task: Task) -> tuple[str, ...]:
    """What is measured when a monitor names no metrics.

    Example:
        >>> default_metrics(BinaryClassification(label="y", prediction="p", score="s"))
        ('accuracy', 'roc_auc', 'log_loss', 'brier')
    """
    if isinstance(task, BinaryClassification):
        scored = ("accuracy", "roc_auc", "log_loss", "brier")
        return scored if task.score else ("accuracy", "precision", "recall", "f1")
    if isinstance(task, MulticlassClassification):
        return ("accuracy", "f1", "log_loss") if task.scores else ("accuracy", "f1")
    return ("mae", "rmse")


def _computed(metric: PerformanceMetric, summary: Summary, task: Task) -> float | Undefined:
    if task.type not in metric.tasks:
        return Undefined(f"{metric.name} is not defined for {task.type}; take it out of metrics")
    return metric.compute(summary)


def _reference(view: View, metric: PerformanceMetric, segment: str | None) -> float | None:
    """The baseline's value; of the same segment where the baseline has it."""
    reference = view.baseline.reference
    if reference is None:
        return None
    part = reference if segment is None else reference.segments.get(segment)
    if part is None or not part.n_labelled:
        return None
    value = _computed(metric, part.summary, view.task)
    return None if isinstance(value, Undefined) else value


def _measured(
    metric: PerformanceMetric, value: float | Undefined, summary: Summary, reference: float | None
) -> Measurement:
    return Measurement(
        metric=metric.name,
        value=None if isinstance(value, Undefined) else value,
        reason=value.reason if isinstance(value, Undefined) else None,
        n=summary.n_labelled,
        n_labelled=summary.n_labelled,
        reference=reference,
        noise=_NOISE_STANDARD_ERRORS * standard_error(metric.name, summary),
        worse=_bad_side(metric),
    )


def _waiting(
    metric: PerformanceMetric, segment: str | None, why: Waiting, n: int, n_labelled: int
) -> Measurement:
    return Measurement(
        metric=metric.name,
        segment=segment,
        value=None,
        reason=why.reason,
        expected=why.expected,
        n=n,
        n_labelled=n_labelled,
        worse=_bad_side(metric),
    )


def _bad_side(metric: PerformanceMetric) -> Sides:
    if metric.higher_is_better is None:
        return "both"
    return "lower" if metric.higher_is_better else "upper"
