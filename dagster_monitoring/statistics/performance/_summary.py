"""Labelled rows as sums that add: every performance metric is arithmetic on one of these."""

from __future__ import annotations

from typing import TypeVar

from dagster_monitoring.statistics.performance._binary import BinarySummary
from dagster_monitoring.statistics.performance._multiclass import MulticlassSummary
from dagster_monitoring.statistics.performance._queries import RankingSummary
from dagster_monitoring.statistics.performance._regression import RegressionSummary
from dagster_monitoring.statistics.undefined import Undefined

Summary = BinarySummary | MulticlassSummary | RegressionSummary | RankingSummary

NO_LABELS = "no labelled rows"
NO_SCORES = "no labelled row has a score within 0..1"

AnySummary = TypeVar("AnySummary", bound=Summary)


def labelled(summary: Summary, kind: type[AnySummary]) -> AnySummary | Undefined:
    """The summary as one of a task, or ``Undefined`` when no row is labelled.

    Raises:
        TypeError: it is of another task.
    """
    if not isinstance(summary, kind):
        raise TypeError(f"this metric is defined for {kind.__name__}, not {type(summary).__name__}")
    return summary if summary.n_labelled else Undefined(NO_LABELS)


def classified(summary: Summary) -> BinarySummary | MulticlassSummary | Undefined:
    """The summary of a classifier, or ``Undefined`` when no row is labelled.

    Raises:
        TypeError: it is of another task.
    """
    if not isinstance(summary, BinarySummary | MulticlassSummary):
        raise TypeError(f"this metric is defined for classification, not {type(summary).__name__}")
    return summary if summary.n_labelled else Undefined(NO_LABELS)


def scored(summary: Summary) -> BinarySummary | MulticlassSummary | Undefined:
    """The summary of a classifier, or ``Undefined`` when no row is scored.

    Raises:
        TypeError: it is of another task.
    """
    found = classified(summary)
    return found if isinstance(found, Undefined) or found.n_scored else Undefined(NO_SCORES)
