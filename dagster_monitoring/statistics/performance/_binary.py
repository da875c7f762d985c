"""Labelled rows of a binary classifier as sums that add."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.performance._groups import Groups, Places
from dagster_monitoring.statistics.performance._scores import (
    Bools,
    Floats,
    ScoreCounts,
    count_keys,
    score_keys,
)

LOG_LOSS_CLIP = 1e-15
"""Probabilities are kept this far from 0 and 1 in a logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BinarySummary:
    """Labelled rows of a binary classifier; ``BinarySummary()`` is the identity of ``+``.

    Attributes:
        n_labelled: rows with a label and a predicted class.
        true_negative: and the other three cells of the confusion table: rows.
        n_scored: rows among them with a score within 0..1; the sums below are over these.
        log_loss_sum: sum of ``-ln(probability of the true class)``, clipped at 1e-15.
        squared_error_sum: sum of ``(score - label) ** 2``.
        score_counts: the rows by score.
    """

    n_labelled: int = 0
    true_negative: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_positive: int = 0
    n_scored: int = 0
    log_loss_sum: ExactSum = field(default_factory=ExactSum)
    squared_error_sum: ExactSum = field(default_factory=ExactSum)
    score_counts: ScoreCounts = field(default_factory=ScoreCounts)

    def __add__(self, other: BinarySummary) -> BinarySummary:
        return BinarySummary(
            n_labelled=self.n_labelled + other.n_labelled,
            true_negative=self.true_negative + other.true_negative,
            false_positive=self.false_positive + other.false_positive,
            false_negative=self.false_negative + other.false_negative,
            true_positive=self.true_positive + other.true_positive,
            n_scored=self.n_scored + other.n_scored,
            log_loss_sum=self.log_loss_sum + other.log_loss_sum,
            squared_error_sum=self.squared_error_sum + other.squared_error_sum,
            score_counts=self.score_counts + other.score_counts,
        )


def binary_summary(label: Bools, prediction: Bools, score: Floats | None) -> BinarySummary:
    """The summary of raw rows of a binary classifier.

    Args:
        label: shape ``(n,)``, whether the true class is the positive one.
        prediction: shape ``(n,)``, whether the predicted class is the positive one.
        score: shape ``(n,)``, the positive class's probability, or ``None``; a row whose score
            is missing or outside 0..1 counts as not scored.

    Example:
        >>> rows = binary_summary(np.array([True, False]), np.array([True, True]), None)
        >>> rows.true_positive, rows.false_positive, rows.n_scored
        (1, 1, 0)
    """
    everyone = np.zeros(len(label), dtype=np.intp)
    return BinaryRows(label, prediction, score).by_group(everyone, 1)[0]


class BinaryRows:
    """Raw rows of a binary classifier; arguments as of :func:`binary_summary`."""

    def __init__(self, label: Bools, prediction: Bools, score: Floats | None) -> None:
        self._cell = 2 * label.astype(np.intp) + prediction
        self._scored = None if score is None else _Scored(label, score)

    def by_group(self, group: Places, size: int) -> list[BinarySummary]:
        """The summary of each of ``size`` groups of rows, from each row's group."""
        cells = np.bincount(4 * group + self._cell, minlength=4 * size).reshape(size, 4)
        tables = [
            BinarySummary(
                n_labelled=sum(row),
                true_negative=row[0],
                false_positive=row[1],
                false_negative=row[2],
                true_positive=row[3],
            )
            for row in cells.tolist()
        ]
        return tables if self._scored is None else self._scored.complete(tables, group)


class _Scored:
    """The rows among them that have a score."""

    def __init__(self, label: Bools, score: Floats) -> None:
        self._usable = (score >= 0) & (score <= 1)
        truth, given = label[self._usable], score[self._usable].astype(np.float64)
        clipped = np.clip(given, LOG_LOSS_CLIP, 1 - LOG_LOSS_CLIP)
        self._losses = -np.log(np.where(truth, clipped, 1 - clipped))
        self._squares = np.square(given - truth)
        self._keys = score_keys(given, truth)

    def complete(self, tables: list[BinarySummary], group: Places) -> list[BinarySummary]:
        """The summaries with what the scores say of their rows."""
        groups = Groups(group[self._usable], len(tables))
        keys, losses, squares = map(groups.ordered, (self._keys, self._losses, self._squares))
        return [
            replace(
                table,
                n_scored=len(keys[own]),
                log_loss_sum=ExactSum.of(losses[own]),
                squared_error_sum=ExactSum.of(squares[own]),
                score_counts=count_keys(keys[own]),
            )
            if own.start < own.stop
            else table
            for table, own in zip(tables, groups.parts, strict=True)
        ]
