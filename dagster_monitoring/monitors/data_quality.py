"""Data quality: what is wrong with the rows themselves, from the slice's profile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.monitors._columns import (
    all_columns,
    segment_names,
    summary_of,
    why_unusable,
)
from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors._names import known_names
from dagster_monitoring.monitors._slices import slices_before, slices_note
from dagster_monitoring.monitors.quality import (
    QualityMetric,
    QualityValue,
    Subject,
    quality_metric,
    quality_metrics,
)
from dagster_monitoring.monitors.threshold import Threshold
from dagster_monitoring.profiles.bins import NumericBins
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.statistics.undefined import Undefined

_USUAL_SLICES = 14
_FEWEST_USUAL_SLICES = 7
_SECONDS_A_DAY = 86_400


class DataQualityMonitor(Monitor):
    """Counts missing values, new categories, faults, duplicates and rows of a slice."""

    asset: ClassVar[MonitoredAsset] = "data_quality"

    type: Literal["data_quality"] = "data_quality"
    metrics: tuple[str, ...] = Field(
        (), description="Quality metrics; all there are when left out."
    )
    columns: tuple[str, ...] = Field(
        (), description="Columns; all features, predictions and scores when left out."
    )
    vanished_after: int = Field(
        7,
        ge=1,
        le=366,
        description="How many slices a category has to stay away to count as vanished; at least "
        "seven where columns follow the days of the week.",
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known_names(self.metrics, self.thresholds, quality_metric)
        return self

    def measure(self, view: View) -> list[Measurement]:
        """Values of the table, then of each column, each with its segments."""
        window = view.window(self.window)
        note = slices_note(window.partitions, window.missing, self.window)
        metrics = [quality_metric(name) for name in self.metric_names()]
        table = [
            self._of_table(view, window.profile, metric, note)
            for metric in metrics
            if not metric.kinds
        ]
        columns = self.columns or all_columns(view.task, view.columns)
        return table + [
            measurement
            for column in columns
            for metric in metrics
            for measurement in self._of_column(view, window.profile, column, metric)
        ]

    def default_threshold(self, metric: str) -> Threshold:
        """The metric's own limits."""
        return quality_metric(metric).threshold

    def baseline_kind(self) -> str | None:
        """``"training"``: what is new or missing is so against training."""
        return "training"

    def metric_names(self) -> tuple[str, ...]:
        """The declared metrics, or all."""
        return self.metrics or tuple(quality_metrics())

    def _of_table(
        self, view: View, current: Profile, metric: QualityMetric, note: str | None
    ) -> Measurement:
        if current.is_empty and not metric.on_empty:
            value: QualityValue | Undefined = Undefined("the slice has no rows")
        else:
            value = metric.compute(
                Subject(
                    slice=current,
                    baseline=view.baseline.profile,
                    usual_rows=_usual_rows(view, self.window),
                )
            )
        measured = _measurement(metric, value, n=current.rows)
        notes = [text for text in (measured.reason, note) if text]
        return replace(measured, reason="; ".join(notes) or None)

    def _of_column(
        self, view: View, current: Profile, column: str, metric: QualityMetric
    ) -> Iterator[Measurement]:
        bins = view.baseline.bins.columns.get(column)
        kind = "numeric" if isinstance(bins, NumericBins) else "categorical"
        if kind not in metric.kinds:
            return
        seen, waiting = self._seen_by(view, current, metric)
        reason = why_unusable(current, column, "the slice") if bins is not None else None
        if bins is None:
            reason = f"column {column!r} is not in the baseline; declare it and build it anew"
        if (reason and not self._can_judge(current, column, metric)) or waiting:
            yield Measurement(
                metric=metric.name,
                column=column,
                value=None,
                reason=reason or waiting,
                expected=not reason,
                n=current.rows,
            )
            return
        named = segment_names(view.baseline.bins, view.segments) if self.segments else []
        for segment in (None, *named):
            subject = Subject(
                slice=seen,
                baseline=view.baseline.profile,
                bins=bins,
                column=summary_of(seen, column, segment),
                before=summary_of(view.baseline.profile, column, segment),
            )
            if segment is None or _is_measurable(subject, segment, column):
                rows = subject.column.rows if subject.column else 0
                value = metric.compute(subject)
                measured = _measurement(metric, value, n=rows)
                is_slight = measured.value is None and segment is not None
                yield replace(measured, column=column, segment=segment, expected=is_slight)

    def _seen_by(
        self, view: View, current: Profile, metric: QualityMetric
    ) -> tuple[Profile, str | None]:
        """The profile that a metric looks at, and why it is too early for it, if it is."""
        if not metric.recent:
            return current, None
        recent = view.window(max(self.vanished_after, self.window))
        if slices_before(view) + 1 < self.vanished_after:
            return recent.profile, (
                f"{metric.name} looks at {self.vanished_after} slices, and production has "
                f"{slices_before(view) + 1}"
            )
        return recent.profile, None

    def _can_judge(self, current: Profile, column: str, metric: QualityMetric) -> bool:
        """Whether the metric is about just that: rows that are there, without usable values."""
        summary = current.columns.get(column)
        return metric.judges_faults and summary is not None and summary.rows > 0


def _is_measurable(subject: Subject, segment: str, column: str) -> bool:
    """Segments without rows, and a segment's own column, have nothing to say."""
    is_own = segment.partition("=")[0] == column
    return not is_own and subject.column is not None and subject.column.rows > 0


def _measurement(metric: QualityMetric, value: QualityValue | Undefined, *, n: int) -> Measurement:
    if isinstance(value, Undefined):
        return Measurement(
            metric=metric.name, value=None, reason=value.reason, n=n, worse=metric.worse
        )
    return Measurement(
        metric=metric.name,
        value=value.value,
        reason=value.note,
        n=n,
        reference=value.reference,
        noise=value.noise,
        worse=metric.worse,
    )


def _usual_rows(view: View, width: int) -> float | None:
    """Rows of as many slices as are judged: of those before them, else of the baseline's days."""
    before = view.rolling(_USUAL_SLICES, before=width)
    if len(before.partitions) >= _FEWEST_USUAL_SLICES and before.profile.rows:
        return width * before.profile.rows / len(before.partitions)
    first, last = view.baseline.profile.first_timestamp, view.baseline.profile.last_timestamp
    if first is None or last is None:
        return None
    days = max((last - first).total_seconds() / _SECONDS_A_DAY, 1.0)
    return width * view.baseline.profile.rows / days
