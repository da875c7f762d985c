"""One value and one verdict: what monitors give, the store keeps and alerts read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

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
# The two-sided 95 % quantile of the normal distribution, as everyone writes it.
_STANDARD_ERRORS = 1.96
_SMALLEST_PLAIN, _FOUR_DIGITS, _LARGEST_PLAIN = 1e-4, 1e3, 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One value and verdict of a monitor x column x segment x partition.

    ``value`` is ``None`` exactly when the status is NO_DATA and nothing could be computed; then
    ``reason`` says why and what to do. ``severity`` is ``None`` when HEALTHY, and for a NO_DATA
    that is expected (labels not due yet). ``standard_error`` is the value's own sampling error,
    in its unit and at least 0; ``None`` where it is not known. Window bounds are UTC, half open.
    ``declaration_version`` names the settings that judged; ``declared`` is ``"then"`` for those in
    force at the partition, and ``"now"`` when someone had it judged by newer ones.
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
    standard_error: float | None = None
    declaration_version: str | None = None
    declared: Literal["then", "now"] | None = None
    coverage: float | None = None
    label_delay_p50_hours: float | None = None
    label_delay_p90_hours: float | None = None

    def __post_init__(self) -> None:
        if self.value is not None and not abs(self.value) < float("inf"):
            raise MonitoringError(
                f"{self.monitor}/{self.metric} on {self.column}: a value is finite or None, "
                f"never {self.value}"
            )
        if self.standard_error is not None and not self._has_a_sound_error():
            raise MonitoringError(
                f"{self.monitor}/{self.metric} on {self.column}: a standard error is at least 0, "
                f"its interval finite, and None without a value, never {self.standard_error}"
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

    @property
    def half_width(self) -> float | None:
        """Half of the 95 % confidence interval: 1.96 standard errors; ``None`` if not known."""
        return half_width(self.standard_error)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The value's 95 % confidence interval, by the normal approximation.

        The value give or take :attr:`half_width`; ``None`` where the standard error is not known.
        It is not cut to the metric's range: below 0 it says that the value can't be told from 0.
        """
        half = self.half_width
        if self.value is None or half is None:
            return None
        return self.value - half, self.value + half

    def same_verdict_as(self, other: Evaluation) -> bool:
        """Whether only the run and the moment of computing differ."""
        return self == replace(other, evaluated_at=self.evaluated_at, run_id=self.run_id)

    def _has_a_sound_error(self) -> bool:
        error, half = self.standard_error, self.half_width
        if self.value is None or error is None or half is None:
            return False
        return error >= 0 and abs(self.value) + half < float("inf")


def half_width(standard_error: float | None) -> float | None:
    """Half of a 95 % confidence interval: 1.96 standard errors, ``None`` of none.

    Example:
        >>> half_width(0.25), half_width(None)
        (0.49, None)
    """
    return None if standard_error is None else _STANDARD_ERRORS * standard_error


def value_text(value: float, standard_error: float | None) -> str:
    """A value with half of its 95 % confidence interval, where that is known.

    Args:
        value: shown with four significant digits.
        standard_error: its sampling error, at least 0; the half width has two digits.

    Example:
        >>> value_text(0.13184, 0.0061), value_text(48_712.0, 660.0), value_text(3.0, None)
        ('0.1318 ± 0.012', '48,712 ± 1,300', '3')
    """
    half = half_width(standard_error)
    if half is None:
        return number(value)
    return f"{number(value)} ± {number(float(f'{half:.2g}'))}"


def number(value: float) -> str:
    """A number with at most four significant digits, thousands in groups.

    Example:
        >>> number(0.123456), number(1234567.0), number(3.0), number(0.00001234)
        ('0.1235', '1,234,567', '3', '1.234e-05')
    """
    if value and not _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN:
        return f"{value:.4g}"
    return f"{value:,.0f}" if abs(value) >= _FOUR_DIGITS else f"{value:.4g}"


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
