"""How far scores are from the shares they foretell, by bins of scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dagster_monitoring.statistics.performance._binary import BinarySummary
from dagster_monitoring.statistics.performance._groups import Places
from dagster_monitoring.statistics.performance._scores import Floats, ScoreCounts
from dagster_monitoring.statistics.performance._spread import error_by_score
from dagster_monitoring.statistics.performance._summary import NO_SCORES, Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined

BINS = 10

Binning = Callable[[ScoreCounts], Places]


def equal_width(counts: ScoreCounts) -> Places:
    """The bin of each score: tenths of 0..1, an edge belongs to the bin above it."""
    return np.minimum((counts.scores * BINS).astype(np.intp), BINS - 1)


def equal_mass(counts: ScoreCounts) -> Places:
    """The bin of each score: tenths of the rows, by the middle one of its rows."""
    rows = counts.negatives + counts.positives
    middle = np.cumsum(rows) - rows / 2
    return np.minimum((middle / counts.n * BINS).astype(np.intp), BINS - 1)


def calibration_error(summary: Summary, binning: Binning) -> float | Undefined:
    """The mean over rows of the distance between a bin's mean score and share of positives.

    Raises:
        TypeError: the summary of another task.
    """
    counts = _scores(summary)
    if isinstance(counts, Undefined):
        return counts
    return min(float(np.abs(_excess(counts, binning(counts))).sum()) / counts.n, 1.0)


def calibration_spread(summary: Summary, binning: Binning) -> float | Undefined:
    """The standard error of :func:`calibration_error`, bins and signs taken as known."""
    counts = _scores(summary)
    if isinstance(counts, Undefined):
        return counts
    place = binning(counts)
    sign = np.sign(_excess(counts, place))[place]
    return error_by_score(counts, sign * (counts.scores - 1), sign * counts.scores)


def _excess(counts: ScoreCounts, place: Places) -> Floats:
    """Scores less positives, summed over each bin."""
    rows = counts.negatives + counts.positives
    excess = counts.scores * rows - counts.positives
    return np.bincount(place, weights=excess, minlength=BINS).astype(np.float64)


def _scores(summary: Summary) -> ScoreCounts | Undefined:
    found = labelled(summary, BinarySummary)
    if isinstance(found, Undefined):
        return found
    return found.score_counts if found.n_scored else Undefined(NO_SCORES)
