"""One value and one verdict: what monitors give, the store keeps and alerts read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dagster_monitoring.errors import MonitoringError


class Status(StrEnum):
    """The verdict of an evaluation."""

    HEALTHY = "HEALTHY"
    TRIGGERED = "TRIGGERED"
    NO_DATA = "NO_DATA"


class Severity(StrEnum):
    """How bad a triggered evaluation, or an overdue NO_DATA, is."""

    WARN = "WARN"
    ERROR = "ERROR"


_SEVERITY_RANK = {None: 0, Severity.WARN: 1, Severity.ERROR: 2}
_STATUS_RANK = {Status.HEALTHY: 0, Status.NO_DATA: 1, Status.TRIGGERED: 2}
# A limit of 0 has no size to count in; nor should one close to it make all else look small.
_LEAST_UNIT = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One value and verdict of a monitor x column x segment x partition.

    ``value`` is ``None`` exactly when the status is NO_DATA and nothing could be computed; then
    ``reason`` says why and what to do. ``severity`` is ``None`` when HEALTHY, and for a NO_DATA
    that is expected (labels not due yet). Window bounds are UTC, half open.
    """

    model: str
    monitor: str
    monitor_kind: str
    metric: str
    column: str | None
    segment: str | None
    baseline_kind: str | None
    baseline_version: str | None
    partition: str
    window_start: datetime
    window_end: datetime
    value: float | None
    lower: float | None
    upper: float | None
    status: Status
    severity: Severity | None
    reason: str | None
    n: int
    n_labelled: int | None
    model_version: str | None
    evaluated_at: datetime
    run_id: str | None

    def __post_init__(self) -> None:
        if self.value is not None and not abs(self.value) < float("inf"):
            raise MonitoringError(
                f"{self.monitor}/{self.metric} on {self.column}: a value is finite or None, "
                f"never {self.value}"
            )
        if self.status is Status.TRIGGERED and self.severity is None:
            raise MonitoringError(f"{self.monitor}: a triggered evaluation has a severity")
        if self.status is Status.HEALTHY and (self.value is None or self.severity is not None):
            raise MonitoringError(
                f"{self.monitor}: a healthy evaluation has a value and no severity"
            )
        if self.status is Status.NO_DATA and not self.reason:
            raise MonitoringError(f"{self.monitor}: NO_DATA says its reason")

    @property
    def key(self) -> tuple[str, str, str, str | None, str | None, str | None, str]:
        """What identifies an evaluation across recomputations."""
        return (
            self.model,
            self.monitor,
            self.metric,
            self.column,
            self.segment,
            self.baseline_kind,
            self.partition,
        )

    def same_verdict_as(self, other: Evaluation) -> bool:
        """Whether only the run and the moment of computing differ."""
        return self == replace(other, evaluated_at=self.evaluated_at, run_id=self.run_id)


def excess(evaluation: Evaluation) -> float:
    """How far a value lies outside its limits, in units of the limit; 0 within them, or without.

    Example:
        A value of 0.5 against an upper limit of 0.25 has an excess of 1. The unit of a limit of 0
        is 0.001.
    """
    return max(_beyond(evaluation), 0.0)


def worst_first(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Evaluations by severity, then each monitor's worst before any monitor's second worst.

    So that a monitor with a hundred red columns does not hide the others. Within a monitor and
    severity: triggered before undefined before healthy, then the farthest beyond its limit, or
    the closest to it.
    """
    by_excess = sorted(evaluations, key=_order)
    seen: Counter[tuple[str, Severity | None]] = Counter()
    ranked = []
    for evaluation in by_excess:
        group = (evaluation.monitor, evaluation.severity)
        ranked.append((-_SEVERITY_RANK[evaluation.severity], seen[group], evaluation))
        seen[group] += 1
    ranked.sort(key=lambda entry: entry[:2])  # stable: by excess within a round
    return tuple(evaluation for _, _, evaluation in ranked)


def _order(evaluation: Evaluation) -> tuple[int, int, float, tuple[str, ...]]:
    return (
        -_SEVERITY_RANK[evaluation.severity],
        -_STATUS_RANK[evaluation.status],
        -_beyond(evaluation),
        (
            evaluation.monitor,
            evaluation.column or "",
            evaluation.metric,
            evaluation.segment or "",
            evaluation.baseline_kind or "",
        ),
    )


def _beyond(evaluation: Evaluation) -> float:
    """As :func:`excess`, and below 0 within the limits; minus infinity without value or limit."""
    value, lower, upper = evaluation.value, evaluation.lower, evaluation.upper
    beyond = [-float("inf")]
    if value is not None and upper is not None:
        beyond.append(_in_units(value - upper, upper))
    if value is not None and lower is not None:
        beyond.append(_in_units(lower - value, lower))
    return max(beyond)


def _in_units(distance: float, limit: float) -> float:
    if not distance and not limit:
        return -1.0  # nothing there, where nothing may be: as far from trouble as 0 from any limit
    return distance / max(abs(limit), _LEAST_UNIT)
