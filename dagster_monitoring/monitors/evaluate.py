"""From measurements to verdicts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.monitors._monitor import Measurement, Monitor, View


class Overall(NamedTuple):
    """One verdict for all evaluations of a monitor at a partition.

    ``passed`` is what a check says: true when HEALTHY, and when the only thing missing is not
    due yet.
    """

    status: Status
    severity: Severity | None
    description: str

    @property
    def passed(self) -> bool:
        """Whether nothing needs a person."""
        return self.severity is None


def past_partitions(
    monitor: Monitor, view: View, *, excluded: Collection[str] = ()
) -> tuple[str, ...]:
    """The partitions whose measurements the monitor's learned thresholds look at, oldest first."""
    raise NotImplementedError


def evaluate(
    monitor: Monitor,
    view: View,
    past: Sequence[Sequence[Measurement]],
    *,
    run_id: str | None,
    now: datetime,
) -> list[Evaluation]:
    """A verdict on every measurement of a monitor at the view's partition."""
    raise NotImplementedError


def overall(evaluations: Sequence[Evaluation]) -> Overall:
    """The verdict of one check: the worst of its evaluations, and a text that says so."""
    raise NotImplementedError
