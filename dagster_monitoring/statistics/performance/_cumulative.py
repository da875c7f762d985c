"""Rows by score as floats, and their sums up to and from each score."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from dagster_monitoring.statistics.performance._scores import Floats, ScoreCounts

LOG_LOSS_CLIP = 1e-15
"""Probabilities are kept this far from 0 and 1 in a logarithm."""


class Cumulative:
    """What metrics of one summary share; each is computed when it is first asked for.

    All are by rising score, shape ``(k,)``; sums of rows are whole numbers or their halves, which
    floats hold exactly.

    Attributes:
        positives: positive rows a score.
        negatives: negative rows a score.
        n_positive: positive rows.
        n_negative: negative rows.
    """

    def __init__(self, counts: ScoreCounts) -> None:
        self._counts = counts
        self.positives = counts.positives.astype(np.float64)
        self.negatives = counts.negatives.astype(np.float64)
        self.n_positive = float(self.positives.sum())
        self.n_negative = float(self.negatives.sum())

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.n_positive + self.n_negative)

    @cached_property
    def positives_below(self) -> Floats:
        """Positive rows below each score, with half of those that tie."""
        return np.cumsum(self._counts.positives) - self.positives / 2

    @cached_property
    def negatives_below(self) -> Floats:
        """Negative rows below each score, with half of those that tie."""
        return np.cumsum(self._counts.negatives) - self.negatives / 2

    @cached_property
    def found(self) -> Floats:
        """Positive rows at each score and above."""
        return self.n_positive - self.positives_below + self.positives / 2

    @cached_property
    def rows(self) -> Floats:
        """Rows at each score and above."""
        return self.found + (self.n_negative - self.negatives_below + self.negatives / 2)

    @cached_property
    def precision(self) -> Floats:
        """The share of positives among the rows at each score and above."""
        return self.found / self.rows

    @cached_property
    def middle(self) -> Floats:
        """The place of the middle one of a score's rows among all, from 0 to ``n``."""
        return self.positives_below + self.negatives_below

    @cached_property
    def log_losses(self) -> tuple[Floats, Floats]:
        """What a positive and what a negative row of each score loses, in nats."""
        return log_losses(self._counts.scores)


@lru_cache(maxsize=1)
def cumulative(counts: ScoreCounts) -> Cumulative:
    """The sums of counts, kept until those of others are asked for.

    A window's metrics, each a value and its error, are computed one after another, whereas
    windows that were judged are many.
    """
    return Cumulative(counts)


def weighed(values: Floats, rows: Floats) -> float:
    """The sum of values, each as often as it has rows.

    No ``np.dot``: its last digits depend on the number of processors, which it also keeps busy.
    """
    return float((values * rows).sum())


def log_losses(scores: Floats) -> tuple[Floats, Floats]:
    """What a positive and what a negative row of each score loses, in nats."""
    clipped = np.clip(scores, LOG_LOSS_CLIP, 1 - LOG_LOSS_CLIP)
    return -np.log(clipped), -np.log(1 - clipped)
