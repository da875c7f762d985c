"""The Brier score of two classes, which the skill score is made of too."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.performance._binary import BinarySummary
from dagster_monitoring.statistics.performance._scores import Floats, ScoreCounts
from dagster_monitoring.statistics.performance._spread import mean_by_score


def mean_square(summary: BinarySummary) -> float:
    """The mean of ``(score - label) ** 2`` over scored rows, of which there is one at least."""
    if summary.losses is not None:
        return float(summary.losses.squared_error) / summary.n_scored
    return mean_by_score(summary.score_counts, *squares_by_score(summary.score_counts))


def squares_by_score(counts: ScoreCounts) -> tuple[Floats, Floats]:
    """What a positive and what a negative row of each score counts."""
    return np.square(1 - counts.scores), np.square(counts.scores)
