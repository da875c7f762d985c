"""Drift: how far the distribution of a column went from the baseline's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.monitors._columns import (
    all_columns,
    prediction_columns,
    segment_names,
    summary_of,
    why_unusable,
)
from dagster_monitoring.monitors._comparison import BinChoice, Comparison
from dagster_monitoring.monitors._monitor import (
    WINDOW,
    Measurement,
    Monitor,
    MonitoredAsset,
    View,
)
from dagster_monitoring.monitors._names import known_names
from dagster_monitoring.monitors._reference import reference_of
from dagster_monitoring.monitors._slices import slices_note
from dagster_monitoring.monitors._together import measure
from dagster_monitoring.monitors._weighing import weighed
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.threshold import (
    AbsoluteThreshold,
    Limits,
    RelativeThreshold,
    Threshold,
)
from dagster_monitoring.partitions import MOST_SLICES, ByLength
from dagster_monitoring.profiles.bins import BinSet, NumericBins
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.statistics.drift import (
    DriftMetric,
    drift_metric,
    drift_metrics,
)

_TOGETHER = 128
"""Columns that are looked at together."""


class Rolling(Declaration):
    """The slices right before the judged window, as the baseline."""

    rolling: int = Field(
        ge=2, le=MOST_SLICES, description="How many slices, for instance 14 or 28 days."
    )


class EqualWidth(Declaration):
    """Bins of equal width between the baseline's minimum and maximum."""

    equal_width: int = Field(ge=2, le=1000, description="How many bins.")


class DriftMonitor(Monitor):
    """Compares distributions of features, predictions and scores with a baseline's."""

    asset: ClassVar[MonitoredAsset] = "drift"
    by_length: ClassVar[ByLength] = {"window": WINDOW}

    type: Literal["drift"] = "drift"
    window: int = Field(
        default=3,
        ge=1,
        le=MOST_SLICES,
        description="How many slices, up to the judged one, are put together. Default: 72 hours, "
        "that is 72 hours, 3 days, or 1 week.",
    )
    columns: Literal["features", "predictions", "all"] | tuple[str, ...] = Field(
        default="features",
        description="features, predictions (the predicted value and its scores), all, or names.",
    )
    metrics: tuple[str, ...] = Field(
        default=("psi",),
        min_length=1,
        description="Drift metrics; each is used on the columns whose kind it can compare.",
    )
    baseline: Literal["training"] | Rolling = Field(
        default="training", description="training, or the slices before: {rolling: 14}."
    )
    bins: Literal["default", "deciles", "profile", "doane"] | EqualWidth = Field(
        default="default",
        description="Bins of numeric columns: each metric's own (default), the training deciles, "
        "the profile's finest (profile), those of Doane's rule (doane), or {equal_width: 30}.",
    )

    impact: bool = Field(
        default=False,
        description="Whether the drift of a feature may say ERROR only where it is estimated to "
        "raise the model's error beyond chance and the swing of quiet windows; elsewhere it says "
        "WARN. The estimate is that of a monitor of type impact with this window, and needs a "
        "baseline built with it.",
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known_names(self.metrics, self.thresholds, drift_metric)
        declared = [self.threshold, *self.thresholds.values()]
        if any(isinstance(threshold, RelativeThreshold) for threshold in declared):
            raise ValueError(
                "a drift metric is itself a comparison with the baseline: use an absolute or a "
                "learned threshold"
            )
        if self.impact and self.past_slices():
            raise ValueError(
                "impact: an estimate trains models, and learned limits ask for the values of "
                "weeks. Give absolute limits, or leave impact out"
            )
        return self

    def measure(self, view: View) -> list[Measurement]:
        """One value a column, metric and segment that the metric is defined for.

        A column that can't be compared gives one measurement a metric that says why.
        """
        columns = self.columns_of(view)
        rolling = None if self.baseline == "training" else self.baseline.rolling
        reference = reference_of(view, rolling=rolling, window=self.window)
        if isinstance(reference, Measurement):
            return [
                Measurement(
                    metric=name,
                    column=column,
                    value=None,
                    reason=reference.reason,
                    expected=reference.expected,
                    n=0,
                )
                for column in columns
                for name in self._metrics_for(view.baseline.bins, column)
            ]
        current = view.window(self.window)
        own = current.profile if self.window == 1 else view.window(1).profile
        lacking = slices_note(current.partitions, current.missing, self.window)
        scene = _Scene(
            bins=view.baseline.bins,
            segments=view.segments if self.segments else (),
            slice=own,
            current=current.profile,
            reference=reference.profile,
            note="; ".join(note for note in (lacking, reference.note) if note) or None,
            stays=self.baseline == "training",
        )
        metrics = {name: drift_metric(name) for name in self.metrics}
        found = [m for some in _chunks(columns) for m in self._of_columns(scene, some, metrics)]
        return weighed(found, view, window=self.window) if self.impact else found

    def needs_losses(self) -> bool:
        """Where drift is weighed by its impact."""
        return self.impact

    def columns_of(self, view: View) -> tuple[str, ...]:
        """The columns that are watched."""
        if self.columns == "features":
            return view.columns.features
        if self.columns == "predictions":
            return prediction_columns(view.task)
        return all_columns(view.task, view.columns) if self.columns == "all" else self.columns

    def _of_columns(
        self, scene: _Scene, columns: Sequence[str], metrics: Mapping[str, DriftMetric]
    ) -> list[Measurement]:
        """What several columns have in common is computed for them together."""
        choice = self.bins.equal_width if isinstance(self.bins, EqualWidth) else self.bins
        found: dict[str, list[Measurement]] = {}
        comparisons: list[Comparison] = []
        for column in columns:
            reason, names = scene.why_not(column), self._metrics_for(scene.bins, column)
            has = reason is None or scene.has(column)
            usable = [n for n in names if has and (reason is None or metrics[n].of_missing)]
            found[column] = [
                Measurement(metric=name, column=column, value=None, reason=reason, n=0)
                for name in names
                if name not in usable
            ]
            comparisons += scene.comparisons(column, choice, [metrics[name] for name in usable])
        for comparison, own in zip(comparisons, measure(comparisons, scene.note), strict=True):
            found[comparison.column] += own
        return [measurement for own in found.values() for measurement in own]

    def _metrics_for(self, baseline: BinSet, column: str) -> list[str]:
        """The declared metrics that are defined for the column; all, when its kind is unknown."""
        bins = baseline.columns.get(column)
        if bins is None:
            return list(self.metrics)
        kind = "numeric" if isinstance(bins, NumericBins) else "categorical"
        known = drift_metrics()
        return [name for name in self.metrics if kind in known[name].kinds]

    def default_threshold(self, metric: str) -> Threshold:
        """Limits by convention against training; learned ones elsewhere and for other metrics."""
        declared = drift_metric(metric)
        limits = declared.conventional_limits if self.baseline == "training" else None
        if limits is None:
            return LearnedThreshold()
        warn, error = (
            Limits(upper=limit) if declared.higher_is_worse else Limits(lower=limit)
            for limit in limits
        )
        return AbsoluteThreshold(warn=warn, error=error)

    def warm_up_slices(self) -> int:
        """Slices until the rolling baseline and the learned limits have all they look at."""
        own = self.past_slices() + self.window
        return own if self.baseline == "training" else own + self.baseline.rolling

    def default_name(self) -> str:
        """``drift``, with ``prediction_`` before it or ``_rolling_14`` after it."""
        what = "prediction_" if self.columns == "predictions" else ""
        rolling = f"_rolling_{self.baseline.rolling}" if self.baseline != "training" else ""
        return f"{what}drift{rolling}"

    def baseline_kind(self) -> str | None:
        """``"training"`` or ``"rolling"``."""
        return "training" if self.baseline == "training" else "rolling"

    def equal_width_bins(self) -> int | Literal["doane"] | None:
        """How many equal-width bins it asks for, or the rule for that."""
        if isinstance(self.bins, EqualWidth):
            return self.bins.equal_width
        return "doane" if self.bins == "doane" else None

    def metric_names(self) -> tuple[str, ...]:
        """The declared metrics."""
        return self.metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What is compared: the slice, the window that ends with it, and the baseline."""

    bins: BinSet
    segments: tuple[str, ...]
    slice: Profile
    current: Profile
    reference: Profile
    note: str | None
    stays: bool

    def why_not(self, column: str) -> str | None:
        """Why a column can't be compared; a window does not hide a slice that lacks it."""
        if column not in self.bins.columns:
            return f"column {column!r} is not in the baseline; declare it and build it anew"
        return (
            why_unusable(self.slice, column, "the slice")
            or why_unusable(self.current, column, "the window")
            or why_unusable(self.reference, column, "the baseline")
        )

    def has(self, column: str) -> bool:
        """Whether each side has rows of the column, be they all missing."""
        sides = (summary_of(side, column, None) for side in self._sides)
        return all(summary is not None and summary.rows > 0 for summary in sides)

    @property
    def _sides(self) -> tuple[Profile, Profile, Profile]:
        return self.slice, self.current, self.reference

    def comparisons(
        self, column: str, choice: BinChoice, metrics: Sequence[DriftMetric]
    ) -> Iterator[Comparison]:
        """The column in all rows, then in each segment but those that it makes itself."""
        if column not in self.bins.columns or not metrics:
            return
        for segment in (None, *segment_names(self.bins, self.segments)):
            before = summary_of(self.reference, column, segment)
            now = summary_of(self.current, column, segment)
            is_own = segment is not None and segment.partition("=")[0] == column
            if before is not None and now is not None and not is_own:
                yield Comparison(
                    column=column,
                    segment=segment,
                    bins=self.bins.columns[column],
                    reference=before,
                    current=now,
                    choice=choice,
                    metrics=metrics,
                    stays=self.stays and segment is None,
                )


def _chunks(columns: Sequence[str]) -> Iterator[Sequence[str]]:
    """A few columns at a time: memory grows with them, and what they share with their number."""
    return (columns[at : at + _TOGETHER] for at in range(0, len(columns), _TOGETHER))
