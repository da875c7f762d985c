"""Labelled rows as sums that add: every performance metric is arithmetic on one of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.performance._scores import (
    Counts,
    Floats,
    ScoreCounts,
    count_scores,
)

Bools = npt.NDArray[np.bool_]

LOG_LOSS_CLIP = 1e-15
"""Probabilities are kept this far from 0 and 1 in a logarithm."""

_SUM_IS_ONE = 1e-12
"""A row of class scores whose sum is off by no more is a rounded 1, and stays as it is."""


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
    log_loss_sum: float = 0.0
    squared_error_sum: float = 0.0
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MulticlassSummary:
    """Labelled rows of a classifier of several classes; classes are united when added.

    Attributes:
        classes: names, sorted.
        confusion: rows by true class (first axis) and predicted class, shape ``(K, K)``.
        n_scored: rows whose scores are all within 0..1 and include the true class.
        log_loss_sum: sum of ``-ln(probability of the true class)``, clipped, rows summing to 1.
        squared_error_sum: sum over rows and classes of ``(score - truth) ** 2``.
        per_class: rows by score, each class against the rest, aligned to ``classes``; empty
            counts for a class that has no score; ``()`` when no row is scored.
    """

    classes: tuple[str, ...] = ()
    confusion: Counts = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    n_scored: int = 0
    log_loss_sum: float = 0.0
    squared_error_sum: float = 0.0
    per_class: tuple[ScoreCounts, ...] = ()

    @property
    def n_labelled(self) -> int:
        """Rows with a label and a predicted class."""
        return int(self.confusion.sum())

    def __add__(self, other: MulticlassSummary) -> MulticlassSummary:
        union = tuple(sorted({*self.classes, *other.classes}))
        left, right = self._on_classes(union), other._on_classes(union)
        return MulticlassSummary(
            classes=union,
            confusion=left.confusion + right.confusion,
            n_scored=left.n_scored + right.n_scored,
            log_loss_sum=left.log_loss_sum + right.log_loss_sum,
            squared_error_sum=left.squared_error_sum + right.squared_error_sum,
            per_class=tuple(a + b for a, b in zip(left.per_class, right.per_class, strict=True))
            if left.per_class and right.per_class
            else left.per_class or right.per_class,
        )

    def _on_classes(self, classes: tuple[str, ...]) -> MulticlassSummary:
        if classes == self.classes:
            return self
        at = np.array([classes.index(name) for name in self.classes], dtype=np.int64)
        confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
        confusion[np.ix_(at, at)] = self.confusion
        own = dict(zip(self.classes, self.per_class, strict=False))
        per_class = tuple(own.get(name, ScoreCounts()) for name in classes) if own else ()
        return replace(self, classes=classes, confusion=confusion, per_class=per_class)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegressionSummary:
    """Labelled rows of a regression; ``RegressionSummary()`` is the identity of ``+``.

    Attributes:
        n_labelled: rows with a finite label and prediction.
        error_sum: sum of ``prediction - label``.
        absolute_error_sum: sum of ``|prediction - label|``.
        squared_error_sum: sum of ``(prediction - label) ** 2``.
        absolute_percentage_error_sum: sum of ``|prediction - label| / max(|label|, eps)``.
        centre: what the two label sums are centred on; a sum takes its left part's.
        label_sum: sum of ``label - centre``.
        label_square_sum: sum of ``(label - centre) ** 2``.
    """

    n_labelled: int = 0
    error_sum: float = 0.0
    absolute_error_sum: float = 0.0
    squared_error_sum: float = 0.0
    absolute_percentage_error_sum: float = 0.0
    centre: float = 0.0
    label_sum: float = 0.0
    label_square_sum: float = 0.0

    def __add__(self, other: RegressionSummary) -> RegressionSummary:
        if not other.n_labelled:
            return self
        if not self.n_labelled:
            return other
        moved = other._centred_on(self.centre)
        return RegressionSummary(
            n_labelled=self.n_labelled + moved.n_labelled,
            error_sum=self.error_sum + moved.error_sum,
            absolute_error_sum=self.absolute_error_sum + moved.absolute_error_sum,
            squared_error_sum=self.squared_error_sum + moved.squared_error_sum,
            absolute_percentage_error_sum=self.absolute_percentage_error_sum
            + moved.absolute_percentage_error_sum,
            centre=self.centre,
            label_sum=self.label_sum + moved.label_sum,
            label_square_sum=self.label_square_sum + moved.label_square_sum,
        )

    def _centred_on(self, centre: float) -> RegressionSummary:
        step = self.centre - centre
        return replace(
            self,
            centre=centre,
            label_sum=self.label_sum + self.n_labelled * step,
            label_square_sum=self.label_square_sum
            + 2 * step * self.label_sum
            + self.n_labelled * step * step,
        )


Summary = BinarySummary | MulticlassSummary | RegressionSummary


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
    cells = np.bincount(2 * label.astype(np.int64) + prediction, minlength=4).tolist()
    table = BinarySummary(
        n_labelled=len(label),
        true_negative=cells[0],
        false_positive=cells[1],
        false_negative=cells[2],
        true_positive=cells[3],
    )
    if score is None:
        return table
    usable = (score >= 0) & (score <= 1)
    truth, given = label[usable], score[usable]
    clipped = np.clip(given, LOG_LOSS_CLIP, 1 - LOG_LOSS_CLIP)
    return replace(
        table,
        n_scored=len(given),
        log_loss_sum=float(-np.log(np.where(truth, clipped, 1 - clipped)).sum()),
        squared_error_sum=float(np.square(given - truth).sum()),
        score_counts=count_scores(given, truth),
    )


def multiclass_summary(
    label: Counts,
    prediction: Counts,
    *,
    classes: Sequence[str],
    scores: Mapping[str, Floats] | None = None,
) -> MulticlassSummary:
    """The summary of raw rows of a classifier of several classes.

    Args:
        label: shape ``(n,)``, the true class's place in ``classes``.
        prediction: shape ``(n,)``, the predicted class's place in ``classes``.
        classes: distinct names, in any order; the summary sorts them.
        scores: class to its probabilities, shape ``(n,)`` each; every key is one of ``classes``.

    Example:
        >>> rows = multiclass_summary(np.array([0, 1]), np.array([0, 0]), classes=["b", "a"])
        >>> rows.classes, rows.confusion.tolist()
        (('a', 'b'), [[0, 1], [0, 1]])
    """
    names = tuple(sorted(classes))
    place = np.array([names.index(name) for name in classes], dtype=np.int64)
    truth, guess = place[label], place[prediction]
    size = len(names)
    confusion = np.bincount(truth * size + guess, minlength=size * size).reshape(size, size)
    table = MulticlassSummary(classes=names, confusion=confusion.astype(np.int64))
    return _with_scores(table, truth, scores) if scores else table


def regression_summary(label: Floats, prediction: Floats, *, centre: float) -> RegressionSummary:
    """The summary of raw rows of a regression.

    Args:
        label: shape ``(n,)``; rows where it or the prediction is not finite are left out.
        prediction: shape ``(n,)``.
        centre: what label sums are centred on; the mean of the training labels serves well.
    """
    usable = np.isfinite(label) & np.isfinite(prediction)
    truth, guess = label[usable].astype(np.float64), prediction[usable].astype(np.float64)
    # What overflows becomes infinite here, and Undefined in the metrics that read it.
    with np.errstate(over="ignore"):
        error, offset = guess - truth, truth - centre
        size = np.abs(error)
        ratio = size / np.maximum(np.abs(truth), np.finfo(np.float64).eps)
        return RegressionSummary(
            n_labelled=len(truth),
            error_sum=float(error.sum()),
            absolute_error_sum=float(size.sum()),
            squared_error_sum=float(np.square(error).sum()),
            absolute_percentage_error_sum=float(ratio.sum()),
            centre=centre,
            label_sum=float(offset.sum()),
            label_square_sum=float(np.square(offset).sum()),
        )


def _with_scores(
    table: MulticlassSummary, truth: Counts, scores: Mapping[str, Floats]
) -> MulticlassSummary:
    column = {name: i for i, name in enumerate(scores)}
    given = np.column_stack([np.asarray(v, dtype=np.float64) for v in scores.values()])
    own = np.array([column.get(name, -1) for name in table.classes], dtype=np.int64)[truth]
    usable = ((given >= 0) & (given <= 1)).all(axis=1) & (own >= 0) & (given.sum(axis=1) > 0)
    given, own = given[usable], own[usable]
    rows = np.arange(len(own))
    hits = np.zeros(given.shape, dtype=bool)
    hits[rows, own] = True
    total = given.sum(axis=1, keepdims=True)
    unit = np.where(np.abs(total - 1) > _SUM_IS_ONE, given / total, given)
    clipped = np.clip(unit, LOG_LOSS_CLIP, 1 - LOG_LOSS_CLIP)
    return replace(
        table,
        n_scored=len(own),
        log_loss_sum=float(-np.log(clipped[rows, own]).sum()),
        squared_error_sum=float(np.square(unit - hits).sum()),
        per_class=tuple(
            count_scores(given[:, column[name]], hits[:, column[name]])
            if name in column
            else ScoreCounts()
            for name in table.classes
        )
        if len(own)
        else (),
    )
