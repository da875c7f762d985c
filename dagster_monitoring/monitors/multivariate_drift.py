"""Multivariate drift: columns that no longer go together as they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.monitors._columns import why_empty
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
from dagster_monitoring.monitors.drift import Rolling
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.threshold import (
    AbsoluteThreshold,
    Limits,
    Threshold,
)
from dagster_monitoring.partitions import MOST_SLICES, ByLength
from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.sample import RowSample
from dagster_monitoring.schema import Columns
from dagster_monitoring.statistics.multivariate import (
    MultivariateMetric,
    ReconstructionErrors,
    SampledRows,
    multivariate_metric,
)
from dagster_monitoring.statistics.undefined import Undefined

_DEFAULT = "pca_reconstruction_error"

# Limits move out by what sampling alone exceeds once in a hundred.
_NOISE_ALPHA = 0.01


class MultivariateDriftMonitor(Monitor):
    """Compares rows, and not columns one by one, with a baseline's.

    A change of how columns go together may show in none of them. What it takes is kept from the
    baseline on: after this monitor was declared, a new baseline has to be built.
    """

    asset: ClassVar[MonitoredAsset] = "drift"
    by_length: ClassVar[ByLength] = {"window": WINDOW}

    type: Literal["multivariate_drift"] = "multivariate_drift"
    window: int = Field(
        default=3,
        ge=1,
        le=MOST_SLICES,
        description="How many slices, up to the judged one, are put together. Default: 72 hours, "
        "that is 72 hours, 3 days, or 1 week.",
    )
    columns: Literal["features"] | tuple[str, ...] = Field(
        default="features",
        description="features, or names of features, predictions and scores.",
    )
    metrics: tuple[str, ...] = Field(
        default=(_DEFAULT,),
        min_length=1,
        description="pca_reconstruction_error, or domain_classifier.",
    )
    baseline: Literal["training"] | Rolling = Field(
        default="training",
        description="training, or the slices before: {rolling: 14}. Principal components are "
        "always those of training.",
    )

    @model_validator(mode="after")
    def _can_be_measured(self) -> Self:
        known_names(self.metrics, self.thresholds, multivariate_metric)
        if self.segments:
            raise ValueError(
                "segments: rows are not kept by segment. Leave segments out; a monitor of type "
                "drift judges the columns of each segment"
            )
        trained = [name for name in self.metrics if multivariate_metric(name).is_trained]
        learned = [name for name in self.metrics if self.threshold_of(name).past_slices()]
        if trained and learned:
            raise ValueError(_too_dear(trained[0], learned))
        return self

    def measure(self, view: View) -> list[Measurement]:
        """One value a metric, of all columns together."""
        rolling = None if self.baseline == "training" else self.baseline.rolling
        reference = reference_of(view, rolling=rolling, window=self.window)
        if isinstance(reference, Measurement):
            return [reference._replace(metric=name) for name in self.metrics]
        current = view.window(self.window)
        lacking = slices_note(current.partitions, current.missing, self.window)
        scene = _Scene(
            model=view.model,
            bins=view.baseline.bins,
            columns=self.columns_of(view.columns),
            slice=view.window(1).profile,
            current=current.profile,
            reference=reference.profile,
            note="; ".join(note for note in (lacking, reference.note) if note) or None,
        )
        return [scene.measure(multivariate_metric(name)) for name in self.metrics]

    def columns_of(self, columns: Columns) -> tuple[str, ...]:
        """The columns that are watched together."""
        return columns.features if self.columns == "features" else self.columns

    def projected_columns(self, columns: Columns) -> tuple[str, ...]:
        """What the baseline has to project rows of."""
        return self._needing("projection", columns)

    def sampled_columns(self, columns: Columns) -> tuple[str, ...]:
        """What a sample of rows has to hold."""
        return self._needing("sample", columns)

    def _needing(self, what: Literal["projection", "sample"], columns: Columns) -> tuple[str, ...]:
        is_needed = any(multivariate_metric(name).needs == what for name in self.metrics)
        return self.columns_of(columns) if is_needed else ()

    def default_threshold(self, metric: str) -> Threshold:
        """Limits by convention, or learned ones where there are none."""
        limits = multivariate_metric(metric).conventional_limits
        if limits is None:
            return LearnedThreshold()
        warn, error = limits
        return AbsoluteThreshold(warn=Limits(upper=warn), error=Limits(upper=error))

    def warm_up_slices(self) -> int:
        """Slices until the rolling baseline and the learned limits have all they look at."""
        own = self.past_slices() + self.window
        return own if self.baseline == "training" else own + self.baseline.rolling

    def default_name(self) -> str:
        """``multivariate_drift``, or the first metric's name; ``_rolling_14`` after it."""
        what = self.kind if self.metrics[0] == _DEFAULT else self.metrics[0]
        rolling = f"_rolling_{self.baseline.rolling}" if self.baseline != "training" else ""
        return f"{what}{rolling}"

    def baseline_kind(self) -> str | None:
        """``"training"`` or ``"rolling"``."""
        return "training" if self.baseline == "training" else "rolling"

    def metric_names(self) -> tuple[str, ...]:
        """The declared metrics."""
        return self.metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What is compared: the slice, the window that ends with it, and the baseline."""

    model: str
    bins: BinSet
    columns: tuple[str, ...]
    slice: Profile
    current: Profile
    reference: Profile
    note: str | None

    def measure(self, metric: MultivariateMetric) -> Measurement:
        """The metric's value with its noise and error, or why there is none."""
        pair = self._pair(metric)
        value = pair if isinstance(pair, Undefined) else metric.compute(*pair)
        if isinstance(pair, Undefined) or isinstance(value, Undefined):
            reason = value.reason if isinstance(value, Undefined) else None
            return Measurement(metric=metric.name, value=None, reason=reason, n=0)
        reference, current = pair
        unchanged = metric.unchanged(reference)
        return Measurement(
            metric=metric.name,
            value=value,
            reason="; ".join(filter(None, (self.note, self._left_out(metric)))) or None,
            n=current.n,
            reference=None if isinstance(unchanged, Undefined) else unchanged,
            noise=metric.null_quantile(reference, current, _NOISE_ALPHA),
            standard_error=metric.standard_error(value, reference, current),
            worse=metric.worse,
        )

    def _pair(
        self, metric: MultivariateMetric
    ) -> (
        tuple[ReconstructionErrors, ReconstructionErrors]
        | tuple[SampledRows, SampledRows]
        | Undefined
    ):
        for profile, what in ((self.slice, "the slice"), (self.current, "the window")):
            if profile.is_empty:
                return Undefined(why_empty(profile, what))
        lacking = self._lacking()
        if lacking is not None:
            return lacking
        return self._errors() if metric.needs == "projection" else self._samples()

    def _lacking(self) -> Undefined | None:
        """A window does not hide a slice that lacks a column."""
        for name in self.columns:
            summary = self.slice.columns.get(name)
            if name in self.slice.missing_columns or summary is None or summary.rows == 0:
                return Undefined(f"column {name!r} is not in the slice; write it again")
            if name in self.slice.type_faults:
                found = self.slice.type_faults[name]
                return Undefined(
                    f"column {name!r} of the slice holds {found}; write it as declared"
                )
        return None

    def _errors(self) -> tuple[ReconstructionErrors, ReconstructionErrors] | Undefined:
        found = [p for p in self.bins.projections if p.columns == self.columns]
        if not found:
            return self._not_kept("projection")
        if not found[0].is_usable:
            return Undefined(
                "fewer than two of these columns vary in the baseline, so that there is nothing "
                "to project; watch other columns"
            )
        key, none = found[0].key, ReconstructionErrors()
        return self.reference.errors.get(key, none), self.current.errors.get(key, none)

    def _samples(self) -> tuple[SampledRows, SampledRows] | Undefined:
        plan = self.bins.sample
        if plan is None or not set(self.columns) <= set(plan.columns):
            return self._not_kept("sample")
        before, now = (
            (p.sample or RowSample.empty(plan)).rows(self.columns, self.bins.columns)
            for p in (self.reference, self.current)
        )
        return before, now

    def _left_out(self, metric: MultivariateMetric) -> str | None:
        """How many rows of the window's slices say nothing here."""
        if metric.needs == "projection":
            (key,) = (p.key for p in self.bins.projections if p.columns == self.columns)
            rows = self.current.errors[key].n_left_out
        else:
            rows = self.current.sample.n_left_out if self.current.sample else 0
        return f"{rows} rows of the window lack an id or a column" if rows else None

    def _not_kept(self, what: str) -> Undefined:
        return Undefined(
            f"the baseline has no {what} of these columns: it was built before they were asked "
            f"for. Build a new one (job {self.model}_setup)"
        )


def _too_dear(trained: str, learned: list[str]) -> str:
    if trained in learned:
        return (
            f"{trained} trains models for each value, and learned limits ask for the values of "
            f"weeks. Give it absolute limits, for instance thresholds: {{{trained}: {{type: "
            f"absolute, warn: {{upper: 0.65}}}}}}"
        )
    return (
        f"{trained} trains models for each value, and {learned[0]} learns its limits from weeks of "
        f"values of this monitor. Declare {trained} in a monitor of its own"
    )
