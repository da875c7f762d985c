"""One verdict for all evaluations of a monitor at a partition, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dagster_monitoring.evaluation import Evaluation, Severity, Status, excess

_NAMED = 3


class Overall(NamedTuple):
    """The verdict of one check: a status, how bad it is, and a sentence or two."""

    status: Status
    severity: Severity | None
    description: str

    @property
    def passed(self) -> bool:
        """Whether nothing needs a person: HEALTHY, or all that is missing is not due yet."""
        return self.severity is None


def overall(evaluations: Sequence[Evaluation]) -> Overall:
    """The worst of a monitor's evaluations: ERROR, WARN, overdue NO_DATA, then HEALTHY.

    A NO_DATA that is expected weighs nothing beside other evaluations; alone it is the verdict.
    No evaluations at all are a NO_DATA that is nobody's expectation.

    Example:
        >>> overall([])
        Overall(status=<Status.NO_DATA: 'NO_DATA'>, severity=<Severity.WARN: 'WARN'>, \
description='No data: nothing was evaluated. Run the partition again.')
    """
    triggered = [e for e in evaluations if e.status is Status.TRIGGERED]
    missing = [e for e in evaluations if e.status is Status.NO_DATA]
    overdue = [e for e in missing if e.severity is not None]
    if not evaluations:
        text = "No data: nothing was evaluated. Run the partition again."
        return Overall(Status.NO_DATA, Severity.WARN, text)
    if triggered:
        return _triggered(triggered, overdue, len(evaluations))
    if overdue:
        text = _reasons(overdue, len(evaluations))
        return Overall(Status.NO_DATA, Severity.WARN, text)
    if len(missing) == len(evaluations):
        return Overall(Status.NO_DATA, None, _reasons(missing, len(evaluations)))
    healthy = len(evaluations) - len(missing)
    text = f"Healthy: {_count(healthy, 'value')} within limits."
    return Overall(Status.HEALTHY, None, f"{text} {_reasons(missing, len(evaluations))}".strip())


def subject(evaluation: Evaluation) -> str:
    """What an evaluation is of, short: column, metric and segment."""
    column = f"{evaluation.column} " if evaluation.column else ""
    segment = f" ({evaluation.segment})" if evaluation.segment else ""
    return f"{column}{evaluation.metric}{segment}"


def _triggered(
    triggered: Sequence[Evaluation], overdue: Sequence[Evaluation], total: int
) -> Overall:
    errors = [e for e in triggered if e.severity is Severity.ERROR]
    severity = Severity.ERROR if errors else Severity.WARN
    worst = sorted(errors or triggered, key=lambda e: (-excess(e), subject(e)))
    named = "; ".join(f"{subject(e)} {e.reason}" for e in worst[:_NAMED])
    more = f"; and {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
    warns = len(triggered) - len(errors) if errors else 0
    also = f" {warns} more at WARN." if warns else ""
    head = f"{severity}: {len(worst)} of {_count(total, 'value')} outside limits"
    tail = f" {_reasons(overdue, total)}" if overdue else ""
    return Overall(Status.TRIGGERED, severity, f"{head}: {named}{more}.{also}{tail}")


def _reasons(missing: Sequence[Evaluation], total: int) -> str:
    """The distinct reasons, the most frequent first, with how many values each is about."""
    counts: dict[str, int] = {}
    for evaluation in missing:
        reason = evaluation.reason or ""
        counts[reason] = counts.get(reason, 0) + 1
    ranked = sorted(counts, key=lambda r: (-counts[r], r))
    parts = [
        reason if counts[reason] == total else f"{reason} ({counts[reason]} of {total} values)"
        for reason in ranked[:_NAMED]
    ]
    more = f"; and {len(ranked) - _NAMED} more reasons" if len(ranked) > _NAMED else ""
    return "; ".join(parts) + more


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
