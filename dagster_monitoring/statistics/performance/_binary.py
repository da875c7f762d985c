"""Labelled rows of a binary classifier as sums that add."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.performance._cumulative import log_losses
from dagster_monitoring.statistics.performance._groups import Groups, Places
from dagster_monitoring.statistics.performance._scores import (
    Bools,
    Counts,
    Floats,
    ScoreCounts,
    count_keys,
    score_keys,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Sums over scored rows, without rounding.

    Attributes:
        log_loss: of ``-ln(probability of the true class)``, clipped at 1e-15.
        squared_error: of ``(score - label) ** 2``.
    """

    log_loss: ExactSum = field(default_factory=ExactSum)
    squared_error: ExactSum = field(default_factory=ExactSum)

    def __add__(self, other: Losses) -> Losses:
        return Losses(
            log_loss=self.log_loss + other.log_loss,
            squared_error=self.squared_error + other.squared_error,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BinarySummary:
    """Labelled rows of a binary classifier; ``BinarySummary()`` is the identity of ``+``.

    Attributes:
        n_labelled: rows with a label and a predicted class.
        true_negative: and the other three cells of the confusion table: rows.
        n_scored: rows among them with a score within 0..1.
        score_counts: these rows by score.
        losses: sums over these rows. ``None`` while the scores are as they were given: sums
            follow from them then.
    """

    n_labelled: int = 0
    true_negative: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_positive: int = 0
    n_scored: int = 0
    score_counts: ScoreCounts = field(default_factory=ScoreCounts)
    losses: Losses | None = None

    def __add__(self, other: BinarySummary) -> BinarySummary:
        counts = self.score_counts + other.score_counts
        return BinarySummary(
            n_labelled=self.n_labelled + other.n_labelled,
            true_negative=self.true_negative + other.true_negative,
            false_positive=self.false_positive + other.false_positive,
            false_negative=self.false_negative + other.false_negative,
            true_positive=self.true_positive + other.true_positive,
            n_scored=self.n_scored + other.n_scored,
            score_counts=counts,
            losses=None if counts.exact else self.all_losses() + other.all_losses(),
        )

    def all_losses(self) -> Losses:
        """The sums over scored rows, whether they are kept or follow from the scores."""
        return self.losses or losses_of(self.score_counts)


def losses_of(counts: ScoreCounts) -> Losses:
    """The sums over rows whose scores are as they were given: those of one row at a time."""
    scores, negatives, positives = counts.scores, counts.negatives, counts.positives
    right, wrong = log_losses(scores)
    return Losses(
        log_loss=ExactSum.weighted(right, positives) + ExactSum.weighted(wrong, negatives),
        squared_error=ExactSum.weighted(np.square(scores - 1), positives)
        + ExactSum.weighted(np.square(scores), negatives),
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
        self._cell = 2 * label.astype(np.uint8) + prediction
        self._keys, self._usable = None, None
        if score is not None:
            usable = (score >= 0) & (score <= 1)
            if not usable.all():
                label, score, self._usable = label[usable], score[usable], usable
            self._keys = score_keys(np.asarray(score, dtype=np.float64), label)

    def by_group(self, group: Places, size: int) -> list[BinarySummary]:
        """The summary of each of ``size`` groups of rows, from each row's group."""
        cell = self._cell if size == 1 else 4 * group + self._cell
        cells = np.bincount(cell, minlength=4 * size).reshape(size, 4)
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
        if self._keys is None:
            return tables
        groups = Groups(group if self._usable is None else group[self._usable], size)
        keys = groups.ordered(self._keys)
        return [_scored(table, keys[own]) for table, own in zip(tables, groups.parts, strict=True)]


def _scored(table: BinarySummary, keys: Counts) -> BinarySummary:
    """The summary with what the scores say of its rows."""
    counts = count_keys(keys)
    kept = counts.within_the_cap()
    losses = None if kept.exact else losses_of(counts)
    return replace(table, n_scored=len(keys), score_counts=kept, losses=losses)
