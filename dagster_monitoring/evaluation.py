"""One value and one verdict: what monitors give, the store keeps and alerts read."""

from __future__ import annotations

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
