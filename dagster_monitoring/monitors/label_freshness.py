"""Label freshness: how late a slice's labels came, or how long they are overdue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.incidents import Cause
from dagster_monitoring.monitors._labels import due, is_due, no_predictions, rows_of
from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits, Threshold
from dagster_monitoring.profiles.delays import Bounds
from dagster_monitoring.profiles.performance_profile import PerformanceProfile

METRIC_NAME = "label_lateness_days"

_HOURS = 24
_JUST_BEYOND = timedelta(minutes=1)
"""A limit is still allowed: labels that are missing are beyond it a minute later."""


class LabelFreshnessMonitor(Monitor):
    """Watches that labels come in time; silent while they are not due, and then by days overdue.

    While labels are missing, the value is the largest limit that they are overdue by, so that the
    verdict changes at few moments, and is the same whenever it is asked for between them.
    """

    asset: ClassVar[MonitoredAsset] = "performance"
    cause: ClassVar[Cause] = Cause.LABELS

    type: Literal["label_freshness"] = "label_freshness"
    minimum_coverage: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="The share of the rows whose label must be here for the slice's labels to have "
        "come; some rows never get one. What is missing beyond it is label_coverage's matter.",
    )

    def measure(self, view: View) -> list[Measurement]:
        """Days from when the labels were due until they came, at least 0."""
        own = view.performance(self.window).profile
        blocked = no_predictions(view)
        if blocked is not None:
            return [_of(own, None, blocked.reason, expected=blocked.expected)]
        if not view.performance(1).profile.n:
            reason = f"the slice's {rows_of(view)} rows were not joined with labels yet; run it"
            return [_of(own, None, reason, expected=False)]
        if own.n_labelled >= self._wanted(own):
            return [_arrived(view, own, own.arrivals.ages.reached(self._wanted(own)))]
        here = f"{own.n_labelled} of {own.n} are here"
        if not is_due(view):
            return [_of(own, None, f"labels expected by {due(view)}; {here}", expected=True)]
        return [self._overdue(view, own)]

    def default_threshold(self, metric: str) -> Threshold:
        """WARN beyond a day, ERROR beyond three."""
        del metric
        return AbsoluteThreshold(warn=Limits(upper=1.0), error=Limits(upper=3.0), widen=False)

    def metric_names(self) -> tuple[str, ...]:
        """``label_lateness_days`` alone."""
        return (METRIC_NAME,)

    def changes_at(self, view: View) -> Sequence[datetime]:
        """When missing labels become due, and go beyond each limit."""
        own = view.performance(self.window).profile
        if view.labels_due is None or not own.n or own.n_labelled >= self._wanted(own):
            return ()
        beyond = [_beyond(view.labels_due, days) for days in self._limits()]
        return [view.labels_due, *beyond]

    def _overdue(self, view: View, own: PerformanceProfile) -> Measurement:
        missing = own.n - own.n_labelled
        state = (
            f"overdue since {due(view)}: {missing} of {own.n} due predictions "
            f"({missing / own.n:.0%}) have no label"
        )
        limits = self._limits()
        if view.labels_due is None or not limits:
            return _of(own, None, f"{state}; look at the ground truth's delivery", expected=False)
        passed = [days for days in limits if _beyond(view.labels_due, days) <= view.now]
        if not passed:
            return _of(own, None, f"{state}; a limit is at {limits[0]:g} days", expected=True)
        value = passed[-1] + _JUST_BEYOND / timedelta(days=1)
        return _of(own, value, state, expected=False)

    def _limits(self) -> list[float]:
        """Days overdue from which on the verdict is another one; none where limits are no days."""
        threshold = self.threshold_of(METRIC_NAME)
        if not isinstance(threshold, AbsoluteThreshold):
            return []
        levels = [level.upper for level in (threshold.warn, threshold.error) if level]
        return sorted({max(days, 0.0) for days in levels if days is not None})

    def _wanted(self, own: PerformanceProfile) -> float:
        return max(self.minimum_coverage * own.n, 1.0)


def _beyond(due_at: datetime, days: float) -> datetime:
    return due_at + timedelta(days=days) + _JUST_BEYOND


def _arrived(view: View, own: PerformanceProfile, came: Bounds | None) -> Measurement:
    if view.labels_due is None or came is None:
        return _of(own, None, "labels are here, but it is not known since when", expected=True)
    allowed = (view.labels_due - view.partitions.bounds(view.partition)[1]) / timedelta(hours=1)
    # The lower bound: nobody is blamed for the width of a bin.
    late = max((came.lower or 0.0) - allowed, 0.0) / _HOURS
    note = f"labels were due by {due(view)}, and came late" if late else None
    return _of(own, late, note, expected=False)


def _of(
    own: PerformanceProfile, value: float | None, reason: str | None, *, expected: bool
) -> Measurement:
    return Measurement(
        metric=METRIC_NAME,
        value=value,
        reason=reason,
        expected=expected,
        n=own.n,
        n_labelled=own.n_labelled,
        worse="upper",
        delays=own.delays,
    )
