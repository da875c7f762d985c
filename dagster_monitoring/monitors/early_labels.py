"""Early labels: whether those that come first are like those that come later."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause
from dagster_monitoring.monitors._early import (
    ALPHA,
    LEAST,
    MEANS,
    PAST,
    SHARES,
    compare_early,
    is_numeric,
)
from dagster_monitoring.monitors._labels import due, is_due, no_predictions
from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors._slices import slices_note
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits, Threshold
from dagster_monitoring.partitions import MOST_SLICES, ByLength
from dagster_monitoring.statistics.undefined import Undefined


class EarlyLabelsMonitor(Monitor):
    """Compares the first half of the labels to come with all of them, once they are due.

    Where they differ, performance that is judged before labels are due misleads: raise
    ``minimum_coverage`` of the performance monitor, or wait.
    """

    asset: ClassVar[MonitoredAsset] = "performance"
    cause: ClassVar[Cause] = Cause.LABELS
    by_length: ClassVar[ByLength] = {"window": PAST}

    type: Literal["early_labels"] = "early_labels"
    window: int = Field(
        default=14,
        ge=1,
        le=MOST_SLICES,
        description="How many slices, up to the judged one, are put together. Default: two weeks "
        "of hours or days, or 4 weeks.",
    )
    severity: Severity = Field(
        default=Severity.WARN, description="The most that this monitor can say: WARN or ERROR."
    )
    alpha: float = Field(
        default=ALPHA,
        gt=0,
        lt=1,
        description="The chance at which labels of one kind are taken to differ at all; limits "
        "widen by what chance alone exceeds so seldom.",
    )

    def measure(self, view: View) -> list[Measurement]:
        """How far the first half of the labels is from all of them."""
        blocked = no_predictions(view)
        if blocked is not None:
            return [self._none(view, blocked.reason, expected=blocked.expected)]
        if not is_due(view):
            return [self._none(view, f"labels expected by {due(view)}", expected=True)]
        window = view.performance(self.window)
        own = window.profile
        found = compare_early(own.arrivals.labels, view.task, alpha=self.alpha)
        if isinstance(found, Undefined):
            return [self._none(view, found.reason, expected=True)]
        note = slices_note(window.partitions, window.missing, self.window)
        words = found.text(f"{view.partitions.every}s")
        return [
            Measurement(
                metric=found.metric,
                value=found.value,
                reason=f"{words}; {note}" if note else words,
                n=own.n,
                n_labelled=own.n_labelled,
                noise=found.noise,
                worse="upper",
                delays=own.delays,
            )
        ]

    def default_threshold(self, metric: str) -> Threshold:
        """WARN beyond 5 points of a share, or 0.2 standard deviations of a label."""
        return AbsoluteThreshold(warn=Limits(upper=LEAST.get(metric, LEAST[SHARES])))

    def metric_names(self) -> tuple[str, ...]:
        """Of classes, and of numbers."""
        return (SHARES, MEANS)

    def _none(self, view: View, reason: str, *, expected: bool) -> Measurement:
        own = view.performance(self.window).profile
        return Measurement(
            metric=MEANS if is_numeric(view.task) else SHARES,
            value=None,
            reason=reason,
            expected=expected,
            n=own.n,
            n_labelled=own.n_labelled,
            worse="upper",
            delays=own.delays,
        )
