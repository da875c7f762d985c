"""Drift: how far the distribution of a column went from the baseline's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.monitors._columns import all_columns, prediction_columns
from dagster_monitoring.monitors._comparison import BinChoice
from dagster_monitoring.monitors._monitor import (
    WINDOW,
    Measurement,
    Monitor,
    MonitoredAsset,
    View,
)
from dagster_monitoring.monitors._names import known_names
from dagster_monitoring.monitors._reference import reference_of
from dagster_monitoring.monitors._scene import Scene
from dagster_monitoring.monitors._slices import slices_note
from dagster_monitoring.monitors._together import Together
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
from dagster_monitoring.statistics.drift import DriftMetric, Kind, drift_metric


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
        (found,) = self.measure_each([view])
        return found

    def measure_each(self, views: Iterable[View]) -> Iterator[list[Measurement]]:
        """As :meth:`measure`; what comparisons of several slices share is computed once."""
        together, begun = Together(), list[_Begun]()
        for view in views:
            begun.append((view, self._begin(view, together)))
            together.end_slice()
            if not together.is_waiting:
                yield from map(self._end, begun)
                begun = []
        together.finish()
        yield from map(self._end, begun)

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

    def _begin(self, view: View, together: Together) -> list[list[Measurement]]:
        """Measurements by column, some of which are there once all are measured together."""
        scene, bins = self._scene(view), view.baseline.bins
        found: list[list[Measurement]] = []
        for column in self.columns_of(view):
            metrics = self._metrics_for(bins, column)
            if isinstance(scene, Measurement):
                found.append([scene._replace(metric=m.name, column=column) for m in metrics])
                continue
            reason, usable = scene.why_not(column), metrics
            if reason is not None:
                has = scene.has(column)
                usable = tuple(m for m in metrics if has and m.of_missing)
                lacking = (m.name for m in metrics if m not in usable)
                found.append([_without(name, column, reason) for name in lacking])
            found += map(together.add, scene.comparisons(column, self._choice, usable))
        return found

    def _end(self, begun: _Begun) -> list[Measurement]:
        view, parts = begun
        found = [measurement for own in parts for measurement in own]
        return weighed(found, view, window=self.window) if self.impact else found

    def _scene(self, view: View) -> Scene | Measurement:
        """What is compared; a measurement that says why there is no baseline."""
        rolling = None if self.baseline == "training" else self.baseline.rolling
        reference = reference_of(view, rolling=rolling, window=self.window)
        if isinstance(reference, Measurement):
            return reference
        current = view.window(self.window)
        own = current.profile if self.window == 1 else view.window(1).profile
        lacking = slices_note(current.partitions, current.missing, self.window)
        return Scene(
            bins=view.baseline.bins,
            segments=view.segments if self.segments else (),
            slice=own,
            current=current.profile,
            reference=reference.profile,
            note="; ".join(note for note in (lacking, reference.note) if note) or None,
            stays=self.baseline == "training",
        )

    @property
    def _choice(self) -> BinChoice:
        return self.bins.equal_width if isinstance(self.bins, EqualWidth) else self.bins

    def _metrics_for(self, baseline: BinSet, column: str) -> tuple[DriftMetric, ...]:
        """The declared metrics that are defined for the column; all, when its kind is unknown."""
        bins = baseline.columns.get(column)
        if bins is None:
            return _metrics(self.metrics, None)
        kind: Kind = "numeric" if isinstance(bins, NumericBins) else "categorical"
        return _metrics(self.metrics, kind)

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


_Begun = tuple[View, list[list[Measurement]]]
"""A slice, and its measurements by comparison."""


@cache
def _metrics(names: tuple[str, ...], kind: Kind | None) -> tuple[DriftMetric, ...]:
    known = (drift_metric(name) for name in names)
    return tuple(metric for metric in known if kind is None or kind in metric.kinds)


def _without(metric: str, column: str, reason: str) -> Measurement:
    return Measurement(metric=metric, column=column, value=None, reason=reason, n=0)
