"""Data quality: what is wrong with the rows themselves, from the slice's profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.incidents import Cause
from dagster_monitoring.monitors._columns import (
    all_columns,
    segment_names,
    summary_of,
    why_empty,
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
from dagster_monitoring.partitions import MOST_SLICES, ByLength, Every
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.bins import NumericBins
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.statistics.undefined import Undefined

_USUAL_SLICES = 14
_FEWEST_USUAL_SLICES = 7
_SECONDS: Mapping[Every, int] = {"hour": 3_600, "day": 86_400, "week": 604_800}


class DataQualityMonitor(Monitor):
    """Counts missing values, new categories, faults, duplicates and rows of a slice."""

    asset: ClassVar[MonitoredAsset] = "data_quality"
    cause: ClassVar[Cause] = Cause.DATA
    by_length: ClassVar[ByLength] = {"vanished_after": {"hour": 168, "day": 7, "week": 1}}

    type: Literal["data_quality"] = "data_quality"
    metrics: tuple[str, ...] = Field(
        default=(), description="Quality metrics; all there are when left out."
    )
    columns: tuple[str, ...] = Field(
        default=(), description="Columns; all features, predictions and scores when left out."
    )
    vanished_after: int = Field(
        default=7,
        ge=1,
        le=MOST_SLICES,
        description="How many slices a category has to stay away to count as vanished; at least "
        "a week's where columns follow the days of the week. Default: 7 days, that is 168 hours, "
        "7 days, or 1 week.",
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known_names(self.metrics, self.thresholds, quality_metric)
        return self

    def measure(self, view: View) -> list[Measurement]:
        """Values of the table, then of each column, each with its segments."""
        window = view.window(self.window)
        recent = view.window(max(self.vanished_after, self.window))
        scene = _Scene(
            baseline=view.baseline,
            segments=view.segments if self.segments else (),
            current=window.profile,
            recent=recent.profile,
            too_early=self._too_early(len(recent.partitions)),
            usual_rows=_usual_rows(view, self.window),
            note=slices_note(window.partitions, window.missing, self.window),
        )
        metrics = [quality_metric(name) for name in self.metric_names()]
        table = [scene.of_table(metric) for metric in metrics if not metric.kinds]
        columns = self.columns or all_columns(view.task, view.columns)
        return table + [
            measurement
            for column in columns
            for metric in metrics
            for measurement in scene.of_column(column, metric)
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

    def _too_early(self, have: int) -> str | None:
        """Why nothing can be said to have vanished yet."""
        if have >= self.vanished_after:
            return None
        return (
            f"what vanished is looked for in {self.vanished_after} slices, and there are {have} "
            "(vanished_after)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What quality metrics look at: the judged slices, recent ones, the baseline."""

    baseline: Baseline
    segments: tuple[str, ...]
    current: Profile
    recent: Profile
    too_early: str | None
    usual_rows: float | None
    note: str | None

    def of_table(self, metric: QualityMetric) -> Measurement:
        """The value of a metric of the table as a whole."""
        empty = why_empty(self.current, "the slice") if self.current.is_empty else None
        if empty and not metric.on_empty:
            value: QualityValue | Undefined = Undefined(empty)
        else:
            value = metric.compute(
                Subject(
                    slice=self.current,
                    baseline=self.baseline.profile,
                    usual_rows=self.usual_rows,
                )
            )
        measured = _measurement(metric, value, n=self.current.rows)
        notes = [text for text in (measured.reason, empty, self.note) if text]
        return measured._replace(reason="; ".join(dict.fromkeys(notes)) or None)

    def of_column(self, column: str, metric: QualityMetric) -> Iterator[Measurement]:
        """The values of a metric on a column, of all rows and of each segment."""
        bins = self.baseline.bins.columns.get(column)
        kind = "numeric" if isinstance(bins, NumericBins) else "categorical"
        if bins is not None and kind not in metric.kinds:
            return
        if not metric.kinds:
            return
        reason = self._why_not(column, metric)
        waiting = self.too_early if metric.recent else None
        if bins is None or reason or waiting:
            yield Measurement(
                metric=metric.name,
                column=column,
                value=None,
                reason=reason or waiting,
                expected=not reason,
                n=self.current.rows,
                worse=metric.worse,
            )
            return
        seen = self.recent if metric.recent else self.current
        for segment in (None, *segment_names(self.baseline.bins, self.segments)):
            subject = Subject(
                slice=seen,
                baseline=self.baseline.profile,
                bins=bins,
                column=summary_of(seen, column, segment),
                before=summary_of(self.baseline.profile, column, segment),
            )
            if segment is None or _is_measurable(subject, segment, column):
                rows = subject.column.rows if subject.column else 0
                measured = _measurement(metric, metric.compute(subject), n=rows)
                is_slight = measured.value is None and segment is not None
                yield measured._replace(column=column, segment=segment, expected=is_slight)

    def _why_not(self, column: str, metric: QualityMetric) -> str | None:
        """Why a column has no value; a metric of faults has one when every row is at fault."""
        if column not in self.baseline.bins.columns:
            return f"column {column!r} is not in the baseline; declare it and build it anew"
        summary = self.current.columns.get(column)
        if metric.judges_faults and summary is not None and summary.rows > 0:
            return None
        return why_unusable(self.current, column, "the slice")


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
        standard_error=value.standard_error,
        worse=metric.worse,
    )


def _usual_rows(view: View, width: int) -> float | None:
    """Rows of as many slices as are judged: of those before them, else of the baseline's.

    Of hours, those of the same hours of the days before.
    """
    if view.partitions.every == "hour":
        same = [view.at(hour).window(width).profile.rows for hour in _same_hours(view, width)]
        if len(same) >= _FEWEST_USUAL_SLICES:
            return median(same)
        return _usual_in_baseline(view, width)
    keys = view.partitions
    first, last = (keys.shift(view.partition, -back) for back in (width + _USUAL_SLICES - 1, width))
    days = (view.at(day).window(1).profile.rows for day in keys.between(first, last))
    rows = [count for count in days if count]
    if len(rows) >= _FEWEST_USUAL_SLICES:
        # The median: one huge day does not make the days after it look empty.
        return width * median(rows)
    return _usual_in_baseline(view, width)


def _same_hours(view: View, width: int) -> list[str]:
    """The same hour of each of the days before, which overlaps the judged window with none."""
    age, a_day = slices_before(view), view.partitions.slices_of(1)
    steps = range(-(-width // a_day), _USUAL_SLICES + 1)
    return [
        view.partitions.shift(view.partition, -a_day * step)
        for step in steps
        if age - a_day * step >= width - 1
    ]


def _usual_in_baseline(view: View, width: int) -> float | None:
    first, last = view.baseline.profile.first_timestamp, view.baseline.profile.last_timestamp
    if first is None or last is None:
        return None
    slices = max((last - first).total_seconds() / _SECONDS[view.partitions.every], 1.0)
    return width * view.baseline.profile.rows / slices
