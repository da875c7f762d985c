"""How a model's budget of false pages is shared among its monitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import AlertPolicy
from dagster_monitoring.monitors._monitor import Monitor
from dagster_monitoring.monitors.threshold import Share
from dagster_monitoring.partitions import Every

_MONTH_DAYS = 365.25 / 12

PARTITIONS_A_MONTH: Mapping[Every, float] = {
    "hour": 24 * _MONTH_DAYS,
    "day": _MONTH_DAYS,
    "week": _MONTH_DAYS / 7,
}
"""How many slices of a length a month has, on average."""


def with_shares(
    monitors: Sequence[Monitor], policy: AlertPolicy, *, every: Every
) -> tuple[Monitor, ...]:
    """The same monitors, each with its part of the budget.

    Monitors that may say ERROR, which makes a page, have equal parts; the others have none.

    Args:
        monitors: all of the model's.
        policy: its budget, and its ``for``.
        every: how long a slice is.

    Example:
        >>> from dagster_monitoring.monitors.drift import DriftMonitor
        >>> from dagster_monitoring.monitors.performance import PerformanceMonitor
        >>> both = with_shares([DriftMonitor(), PerformanceMonitor()], AlertPolicy(), every="day")
        >>> round(both[0].share.pages * 365.25 / 12, 3)
        0.5
    """
    paging = sum(monitor.severity is Severity.ERROR for monitor in monitors)
    if policy.false_pages_per_month is None:
        return tuple(monitor.with_share(None) for monitor in monitors)
    pages = policy.false_pages_per_month / PARTITIONS_A_MONTH[every] / max(paging, 1)
    return tuple(
        monitor.with_share(
            Share(pages=pages, in_a_row=monitor.for_ or policy.for_)
            if monitor.severity is Severity.ERROR
            else None
        )
        for monitor in monitors
    )
