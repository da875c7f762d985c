"""Label coverage: the share of predictions whose label has arrived."""

from __future__ import annotations

from typing import ClassVar, Literal

from dagster_monitoring.incidents import Cause
from dagster_monitoring.monitors._columns import segment_names
from dagster_monitoring.monitors._labels import due, is_due, no_predictions, rows_of
from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors._slices import slices_note
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits, Threshold
from dagster_monitoring.profiles.performance_profile import PerformanceProfile, SegmentPerformance

Rows = PerformanceProfile | SegmentPerformance

METRIC_NAME = "label_coverage"
_FEWEST_ROWS = 30


class LabelCoverageMonitor(Monitor):
    """Watches that labels come; judged from the moment on at which they are due."""

    asset: ClassVar[MonitoredAsset] = "performance"
    cause: ClassVar[Cause] = Cause.LABELS

    type: Literal["label_coverage"] = "label_coverage"

    def measure(self, view: View) -> list[Measurement]:
        """The share of labelled rows, 0..1, of all rows and of each segment."""
        blocked = no_predictions(view)
        if blocked is not None:
            return [_coverage(None, None, reason=blocked.reason, expected=blocked.expected)]
        window = view.performance(self.window)
        total = window.profile
        if not view.performance(1).profile.n:
            reason = f"the slice's {rows_of(view)} rows were not joined with labels yet; run it"
            return [_coverage(None, total, reason=reason, expected=False)]
        if not is_due(view) and total.n_labelled < total.n:
            reason = f"labels expected by {due(view)}; {total.n_labelled} of {total.n} are here"
            return [_coverage(None, total, reason=reason, expected=True)]
        note = slices_note(window.partitions, window.missing, self.window)
        named = segment_names(view.baseline.bins, view.segments) if self.segments else []
        parts = [(name, total.segments[name]) for name in named if name in total.segments]
        return [_judged(None, total, note), *(_judged(name, part, note) for name, part in parts)]

    def default_threshold(self, metric: str) -> Threshold:
        """WARN below 0.7, ERROR below 0.3."""
        del metric
        return AbsoluteThreshold(warn=Limits(lower=0.7), error=Limits(lower=0.3), widen=False)

    def metric_names(self) -> tuple[str, ...]:
        """``label_coverage`` alone."""
        return (METRIC_NAME,)


def _judged(segment: str | None, rows: Rows, note: str | None) -> Measurement:
    if segment is not None and rows.n < _FEWEST_ROWS:
        reason = f"{rows.n} rows of this segment, and {_FEWEST_ROWS} are needed"
        return _coverage(segment, rows, reason=reason, expected=True)
    found = _coverage(segment, rows, reason=note, expected=False)
    return found._replace(value=rows.n_labelled / rows.n)


def _coverage(
    segment: str | None, rows: Rows | None, *, reason: str | None, expected: bool
) -> Measurement:
    return Measurement(
        metric=METRIC_NAME,
        segment=segment,
        value=None,
        reason=reason,
        expected=expected,
        n=rows.n if rows else 0,
        n_labelled=rows.n_labelled if rows else 0,
        worse="lower",
        delays=rows.delays if rows else None,
    )
