"""What metrics on the order of scores have in common."""

from __future__ import annotations

from collections.abc import Callable

from dagster_monitoring.statistics.performance._scores import ScoreCounts
from dagster_monitoring.statistics.performance._summary import (
    BinarySummary,
    MulticlassSummary,
    Summary,
)
from dagster_monitoring.statistics.undefined import Undefined


def macro_ranking(summary: Summary, of_one: Callable[[ScoreCounts], float]) -> float | Undefined:
    """A ranking metric of two classes; of several, the mean of each against the rest.

    ``of_one`` is called with counts that hold positives and negatives. When one class of the
    scored ones has only one of the two, so that it has no curve, the mean has no value either.

    Raises:
        TypeError: the summary of a regression.
    """
    if not isinstance(summary, BinarySummary | MulticlassSummary):
        raise TypeError("this metric is defined for classification")
    if not summary.n_scored:
        return Undefined("no labelled row has a score within 0..1")
    if isinstance(summary, BinarySummary):
        lacking = _lacking(summary.score_counts)
        return Undefined(f"no {lacking} label") if lacking else of_one(summary.score_counts)
    values = []
    for name, counts in zip(summary.classes, summary.per_class, strict=True):
        if not counts.n:
            continue
        lacking = _lacking(counts)
        if lacking:
            return Undefined(f"class {name!r} against the rest: no {lacking} label")
        values.append(of_one(counts))
    return sum(values) / len(values)


def _lacking(counts: ScoreCounts) -> str:
    if not counts.positives.any():
        return "positive"
    return "" if counts.negatives.any() else "negative"
