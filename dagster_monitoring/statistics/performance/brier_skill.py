"""Brier skill score."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._binary import BinarySummary
from dagster_monitoring.statistics.performance._brier import mean_square, squares_by_score
from dagster_monitoring.statistics.performance._cumulative import cumulative
from dagster_monitoring.statistics.performance._metric import BINARY, PerformanceMetric
from dagster_monitoring.statistics.performance._scores import ScoreCounts
from dagster_monitoring.statistics.performance._spread import error_by_score
from dagster_monitoring.statistics.performance._summary import NO_SCORES, Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """``1 - Brier score / (p (1 - p))``: what the scores win over always saying ``p``.

    ``p`` is the share of positives among the judged rows themselves, not the training's: the
    score of whoever knew the window's base rate and nothing else.

    Returns:
        Up to 1, 0 for scores no better than the base rate, below for worse; ``Undefined`` when
        no row is scored, or all labels are the same.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import binary_summary
        >>> label = np.array([False, True, False, True])
        >>> rows = binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))
        >>> round(compute(rows), 4)
        0.43
    """
    found = _rates(summary)
    if isinstance(found, Undefined):
        return found
    brier, share, _ = found
    return 1 - brier / (share * (1 - share))


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`, of the base rate too: the delta method."""
    found = _rates(summary)
    if isinstance(found, Undefined):
        return found
    brier, share, counts = found
    reference = share * (1 - share)
    by_share = brier * (1 - 2 * share) / reference**2
    positive, negative = squares_by_score(counts)
    return error_by_score(counts, by_share - positive / reference, -negative / reference)


def _rates(summary: Summary) -> tuple[float, float, ScoreCounts] | Undefined:
    """The Brier score, the positives' share, and the rows by score."""
    found = labelled(summary, BinarySummary)
    if isinstance(found, Undefined):
        return found
    if not found.n_scored:
        return Undefined(NO_SCORES)
    positives = int(cumulative(found.score_counts).n_positive)
    if positives in (0, found.n_scored):
        return Undefined("all labels are the same, so that their share foretells them")
    return mean_square(found), positives / found.n_scored, found.score_counts


METRIC = PerformanceMetric(
    name="brier_skill",
    title="Brier skill score",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method",
    tasks=BINARY,
    bounds=(float("-inf"), 1.0),
    higher_is_better=True,
    symmetric=False,
    unit="",
    needs_score=True,
    minimum_n=2,
    degenerate="undefined when no row has a score, or all labels are the same",
    source="sklearn.metrics.d2_brier_score; Murphy (1973)",
)
