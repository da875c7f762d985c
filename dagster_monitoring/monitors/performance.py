"""Performance: predictions against the labels that have arrived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.monitors._aspects import (
    Aspect,
    Averaging,
    is_only_macro,
    judged_classes,
)
from dagster_monitoring.monitors._columns import segment_names
from dagster_monitoring.monitors._early import early_warning
from dagster_monitoring.monitors._labels import Waiting, is_due, waiting
from dagster_monitoring.monitors._monitor import (
    WINDOW,
    Measurement,
    Monitor,
    MonitoredAsset,
    View,
)
from dagster_monitoring.monitors._names import known_names
from dagster_monitoring.monitors._slices import slices_note
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.threshold import (
    Limits,
    RelativeThreshold,
    Sides,
    Threshold,
)
from dagster_monitoring.partitions import MOST_SLICES, ByLength
from dagster_monitoring.profiles.delays import DelayCounts
from dagster_monitoring.schema import (
    BinaryClassification,
    MulticlassClassification,
    Ranking,
    Task,
)
from dagster_monitoring.statistics.performance import (
    PerformanceMetric,
    Summary,
    performance_metric,
)
from dagster_monitoring.statistics.undefined import Undefined

# Limits move out by what chance exceeds once in twenty (one-sided, normal).
_NOISE_STANDARD_ERRORS = 1.645
_NOISE_ALPHA = 0.05

# A gain or loss of so much, WARN and ERROR: points for metrics that are better when higher, a
# share of the baseline's value for errors and losses; squared errors change about twice as much.
_POINTS = (0.05, 0.10)
_SHARES = (0.15, 0.25)
_SQUARED_SHARES = (0.32, 0.56)


class PerformanceMonitor(Monitor):
    """Holds realized performance against the baseline's, numbers, or its own past."""

    asset: ClassVar[MonitoredAsset] = "performance"
    by_length: ClassVar[ByLength] = {"window": WINDOW}

    type: Literal["performance"] = "performance"
    window: int = Field(
        default=3,
        ge=1,
        le=MOST_SLICES,
        description="How many slices, up to the judged one, are put together. Default: 72 hours, "
        "that is 72 hours, 3 days, or 1 week.",
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

    average: Averaging = Field(
        default="macro",
        description="Of several classes, how metrics of one class are averaged: macro (the mean), "
        "weighted (by true rows), micro (counts added up), or per_class, a value for each of at "
        "most 50 classes. Metrics that know no average are not changed.",
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known_names(self.metrics, self.thresholds, performance_metric)
        return self

    @model_validator(mode="after")
    def _averages_are_known(self) -> Self:
        if self.average in ("micro", "weighted"):
            wrong = [m for m in self.metrics if is_only_macro(performance_metric(m))]
            if wrong:
                raise ValueError(
                    f"{', '.join(wrong)} have no {self.average} average: use macro or per_class, "
                    "or put them into a monitor of their own"
                )
        return self

    def measure(self, view: View) -> list[Measurement]:
        """One value a metric and segment."""
        metrics = [performance_metric(name) for name in self.metrics or default_metrics(view.task)]
        blocked = waiting(view, minimum_coverage=self.minimum_coverage)
        if blocked is not None:
            own = view.performance(1).profile
            aspects = self._aspects(view, metrics)
            known = (own.n, own.n_labelled, own.delays)
            return [_waiting(aspect, None, blocked, *known) for aspect in aspects]
        named = segment_names(view.baseline.bins, view.segments) if self.segments else []
        measured = [m for segment in (None, *named) for m in self._of(view, metrics, segment)]
        warning = early_warning(view) if self._is_early(view) else None
        return [_with_note(m, warning) for m in measured] if warning else measured

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

    def default_name(self) -> str:
        """``"performance"``, with the average where it is not the usual one."""
        return self.kind if self.average == "macro" else f"{self.kind}_{self.average}"

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
        delays = part.delays if part is not None else None
        blocked = self._too_few(view, n_labelled, is_segment=segment is not None)
        note = slices_note(window.partitions, window.missing, self.window)
        for aspect in self._aspects(view, metrics):
            if part is None or blocked is not None:
                why = blocked or Waiting(reason=f"no rows of segment {segment}", expected=True)
                yield _waiting(aspect, segment, why, n, n_labelled, delays)
            else:
                measured = _measured(aspect, part.summary, _reference(view, aspect, segment))
                yield measured._replace(
                    segment=segment,
                    n=n,
                    n_labelled=n_labelled,
                    reason=measured.reason or note,
                    expected=measured.value is None and segment is not None,
                    delays=delays,
                )

    def _is_early(self, view: View) -> bool:
        """Whether the slice is judged by some of its labels, before they are due."""
        if view.labels_due is None or is_due(view):
            return False
        own = view.performance(1).profile
        blocked = waiting(view, minimum_coverage=self.minimum_coverage)
        return blocked is None and own.n_labelled < own.n

    def _aspects(self, view: View, metrics: list[PerformanceMetric]) -> Iterator[Aspect]:
        """What is measured of a summary: each metric, or each metric of each class."""
        classes = judged_classes(view) if self.average == "per_class" else ()
        for metric in metrics:
            if metric.by_class and classes:
                yield from (Aspect(metric, view.task, class_name=name) for name in classes)
            else:
                yield Aspect(metric, view.task, average=self.average)

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
    return ("ndcg", "mrr") if isinstance(task, Ranking) else ("mae", "rmse")


def _reference(view: View, aspect: Aspect, segment: str | None) -> float | None:
    """The baseline's value; of the same segment where the baseline has it.

    A baseline is far larger than a slice and the same on every day, so each value is kept.
    """
    memo = view.baseline.memo
    key = (aspect.task.type, aspect.metric.name, aspect.average, aspect.class_name, segment)
    if key not in memo:
        memo[key] = _reference_value(view, aspect, segment)
    return memo[key]


def _reference_value(view: View, aspect: Aspect, segment: str | None) -> float | None:
    reference = view.baseline.reference
    if reference is None:
        return None
    part = reference if segment is None else reference.segments.get(segment)
    if part is None or not part.n_labelled:
        return None
    value = aspect.value(part.summary)
    return None if isinstance(value, Undefined) else value


def _measured(aspect: Aspect, summary: Summary, reference: float | None) -> Measurement:
    value, error = aspect.value(summary), aspect.standard_error(summary)
    known = None if isinstance(error, Undefined) or isinstance(value, Undefined) else error
    return Measurement(
        metric=aspect.metric.name,
        column=aspect.column,
        value=None if isinstance(value, Undefined) else value,
        reason=value.reason if isinstance(value, Undefined) else None,
        n=summary.n_labelled,
        n_labelled=summary.n_labelled,
        reference=reference,
        noise=_NOISE_STANDARD_ERRORS * (known or 0.0),
        noise_alpha=_NOISE_ALPHA,
        standard_error=known,
        worse=_bad_side(aspect.metric),
    )


def _waiting(
    aspect: Aspect,
    segment: str | None,
    why: Waiting,
    n: int,
    n_labelled: int,
    delays: DelayCounts | None,
) -> Measurement:
    return Measurement(
        metric=aspect.metric.name,
        column=aspect.column,
        segment=segment,
        value=None,
        reason=why.reason,
        expected=why.expected,
        n=n,
        n_labelled=n_labelled,
        worse=_bad_side(aspect.metric),
        delays=delays,
    )


def _with_note(measured: Measurement, note: str) -> Measurement:
    reason = f"{measured.reason}; {note}" if measured.reason else note
    return measured._replace(reason=reason)


def _bad_side(metric: PerformanceMetric) -> Sides:
    if metric.higher_is_better is None:
        return "both"
    return "lower" if metric.higher_is_better else "upper"
