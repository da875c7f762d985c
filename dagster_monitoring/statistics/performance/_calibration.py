"""How far scores are from the shares they foretell, by bins of scores."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from dagster_monitoring.statistics.performance._binary import BinarySummary
from dagster_monitoring.statistics.performance._cumulative import cumulative
from dagster_monitoring.statistics.performance._groups import Places
from dagster_monitoring.statistics.performance._scores import Floats, ScoreCounts
from dagster_monitoring.statistics.performance._spread import error_by_score
from dagster_monitoring.statistics.performance._summary import NO_SCORES, Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined

BINS = 10

Binning = Callable[[ScoreCounts], Places]
"""Where each bin begins among the scores, and where the last one ends, shape ``(11,)``."""


def equal_width(counts: ScoreCounts) -> Places:
    """Tenths of 0..1; an edge belongs to the bin above it."""
    return _edges(counts.scores * BINS)


def equal_mass(counts: ScoreCounts) -> Places:
    """Tenths of the rows, a score by the middle one of its rows."""
    sums = cumulative(counts)
    return _edges(sums.middle / sums.n * BINS)


def calibration_error(summary: Summary, binning: Binning) -> float | Undefined:
    """The mean over rows of the distance between a bin's mean score and share of positives.

    Raises:
        TypeError: the summary of another task.
    """
    counts = _scores(summary)
    if isinstance(counts, Undefined):
        return counts
    excess = _excess(counts, binning(counts))
    return sum(map(abs, excess)) / cumulative(counts).n


def calibration_spread(summary: Summary, binning: Binning) -> float | Undefined:
    """The standard error of :func:`calibration_error`, bins and signs taken as known."""
    counts = _scores(summary)
    if isinstance(counts, Undefined):
        return counts
    edges = binning(counts)
    sign = np.repeat(np.sign(_excess(counts, edges)), np.diff(edges))
    return error_by_score(counts, sign * (counts.scores - 1), sign * counts.scores)


def _edges(rising: Floats) -> Places:
    """Where numbers from 0 to ``BINS`` first reach each whole one below it."""
    inner = np.searchsorted(rising, np.arange(1, BINS), side="left")
    return np.concatenate(([0], inner, [len(rising)])).astype(np.intp)


def _excess(counts: ScoreCounts, edges: Places) -> list[float]:
    """Scores less positives, summed over each bin."""
    sums = cumulative(counts)
    excess = counts.scores * (sums.positives + sums.negatives) - sums.positives
    return [float(excess[a:b].sum()) for a, b in itertools.pairwise(edges.tolist())]


def _scores(summary: Summary) -> ScoreCounts | Undefined:
    found = labelled(summary, BinarySummary)
    if isinstance(found, Undefined):
        return found
    return found.score_counts if found.n_scored else Undefined(NO_SCORES)
