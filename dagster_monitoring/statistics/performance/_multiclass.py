"""Labelled rows of a classifier of several classes as sums that add."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.performance._binary import BinarySummary
from dagster_monitoring.statistics.performance._cumulative import LOG_LOSS_CLIP
from dagster_monitoring.statistics.performance._groups import Groups, Places
from dagster_monitoring.statistics.performance._scores import (
    Counts,
    Floats,
    ScoreCounts,
    count_keys,
    score_keys,
)

MAX_CLASSES = 200
"""Classes that are kept apart; of more, those with the smallest hashes, as names come from data."""

OTHER_CLASSES = "<other>"

MAX_RANK = 10
"""Ranks of the true class that are counted one by one."""

_SUM_IS_ONE = 2.0**-40
"""A row of class scores whose sum is off by no more is a rounded 1, and stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MulticlassSummary:
    """Labelled rows of a classifier of several classes; classes are united when added.

    Beyond ``MAX_CLASSES`` classes the rest are one, ``"<other>"``. A class that is among those
    kept of a whole is among those kept of each part, so that adding stays associative.

    Attributes:
        classes: names, sorted.
        confusion: rows by true class (first axis) and predicted class, shape ``(K, K)``.
        n_correct: rows whose predicted class is the true one.
        n_scored: rows whose scores are all within 0..1 and include the true class; what follows
            is over these.
        rank_counts: rows by the place of the true class's score among all, highest first, shape
            ``(10,)``; of equal scores that of the class whose name sorts last comes first.
        log_loss_sum: sum of ``-ln(probability of the true class)``, clipped, rows summing to 1.
        log_loss_square_sum: sum of its square.
        squared_error_sum: sum over rows and classes of ``(score - truth) ** 2``.
        squared_error_square_sum: sum over rows of the square of that of the row.
        per_class: rows by score, each class against the rest, aligned to ``classes``; empty
            counts for a class that has no score; ``()`` when no row is scored.
    """

    classes: tuple[str, ...] = ()
    confusion: Counts = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    n_correct: int = 0
    n_scored: int = 0
    rank_counts: Counts = field(default_factory=lambda: np.zeros(MAX_RANK, dtype=np.int64))
    log_loss_sum: ExactSum = field(default_factory=ExactSum)
    log_loss_square_sum: ExactSum = field(default_factory=ExactSum)
    squared_error_sum: ExactSum = field(default_factory=ExactSum)
    squared_error_square_sum: ExactSum = field(default_factory=ExactSum)
    per_class: tuple[ScoreCounts, ...] = ()

    @property
    def n_labelled(self) -> int:
        """Rows with a label and a predicted class."""
        return int(self.confusion.sum())

    def __add__(self, other: MulticlassSummary) -> MulticlassSummary:
        union = kept_classes({*self.classes, *other.classes})
        confusion, own = self._on_classes(union)
        more, others = other._on_classes(union)
        return MulticlassSummary(
            classes=union,
            confusion=confusion + more,
            n_correct=self.n_correct + other.n_correct,
            n_scored=self.n_scored + other.n_scored,
            rank_counts=self.rank_counts + other.rank_counts,
            log_loss_sum=self.log_loss_sum + other.log_loss_sum,
            log_loss_square_sum=self.log_loss_square_sum + other.log_loss_square_sum,
            squared_error_sum=self.squared_error_sum + other.squared_error_sum,
            squared_error_square_sum=self.squared_error_square_sum + other.squared_error_square_sum,
            per_class=tuple(a + b for a, b in zip(own, others, strict=True))
            if own and others
            else own or others,
        )

    def against_rest(self, name: str) -> BinarySummary:
        """One class as the positive one; no rows when no row is of it. Without the two losses."""
        if name not in self.classes:
            return BinarySummary()
        at = self.classes.index(name)
        hits = int(self.confusion[at, at])
        missed = int(self.confusion[at].sum()) - hits
        wrong = int(self.confusion[:, at].sum()) - hits
        counts = self.per_class[at] if self.per_class else ScoreCounts()
        return BinarySummary(
            n_labelled=self.n_labelled,
            true_negative=self.n_labelled - hits - missed - wrong,
            false_positive=wrong,
            false_negative=missed,
            true_positive=hits,
            n_scored=counts.n,
            score_counts=counts,
        )

    def _on_classes(self, classes: tuple[str, ...]) -> tuple[Counts, tuple[ScoreCounts, ...]]:
        """The table and the rows by score of those classes instead."""
        if classes == self.classes:
            return self.confusion, self.per_class
        at = _places(self.classes, classes)
        confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
        np.add.at(confusion, np.ix_(at, at), self.confusion)
        own = dict(zip(self.classes, self.per_class, strict=False))
        return confusion, tuple(own.get(name, ScoreCounts()) for name in classes) if own else ()


def kept_classes(names: Collection[str]) -> tuple[str, ...]:
    """The classes that are kept apart, sorted, with ``"<other>"`` among them when not all are."""
    if len(names) <= MAX_CLASSES:
        return tuple(sorted(names))
    kept = sorted({*names} - {OTHER_CLASSES}, key=_hash)[: MAX_CLASSES - 1]
    return tuple(sorted([*kept, OTHER_CLASSES]))


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
    everyone = np.zeros(len(label), dtype=np.intp)
    rows = MulticlassRows(label, prediction, classes=classes, scores=scores)
    return rows.by_group(everyone, 1)[0]


class MulticlassRows:
    """Raw rows of a classifier of several classes; arguments as of :func:`multiclass_summary`."""

    def __init__(
        self,
        label: Counts,
        prediction: Counts,
        *,
        classes: Sequence[str],
        scores: Mapping[str, Floats] | None = None,
    ) -> None:
        self._classes = kept_classes(classes)
        place = _places(classes, self._classes)
        self._truth, self._correct = place[label], label == prediction
        self._cell = self._truth * len(self._classes) + place[prediction]
        # A row's true class is looked for among all classes, also those that are not kept.
        self._scored = _Scored(label, classes, scores) if scores else None

    def by_group(self, group: Places, size: int) -> list[MulticlassSummary]:
        """The summary of each of ``size`` groups of rows, from each row's group."""
        groups = Groups(group, size)
        cell, correct = groups.ordered(self._cell), groups.ordered(self._correct)
        k = len(self._classes)
        tables = [
            MulticlassSummary(
                classes=self._classes,
                confusion=np.bincount(cell[own], minlength=k * k).reshape(k, k),
                n_correct=int(correct[own].sum()),
            )
            for own in groups.parts
        ]
        return tables if self._scored is None else self._scored.complete(tables, group)


class _Scored:
    """The rows among them whose scores are all there."""

    def __init__(self, label: Counts, classes: Sequence[str], scores: Mapping[str, Floats]) -> None:
        names = tuple(sorted(scores))
        given = np.column_stack([np.asarray(scores[name], dtype=np.float64) for name in names])
        at = {name: i for i, name in enumerate(names)}
        # A class without a score of its own stands after those that have one.
        own = np.array([at.get(name, len(at)) for name in classes], dtype=np.intp)[label]
        self._usable = (
            ((given >= 0) & (given <= 1)).all(axis=1) & (own < len(at)) & (given.sum(axis=1) > 0)
        )
        given, own = given[self._usable], own[self._usable]
        rows = np.arange(len(own))
        hits = own[:, None] == np.arange(len(names))
        total = given.sum(axis=1, keepdims=True)
        unit = np.where(np.abs(total - 1) > _SUM_IS_ONE, given / total, given)
        self._losses = -np.log(np.clip(unit[rows, own], LOG_LOSS_CLIP, 1 - LOG_LOSS_CLIP))
        self._squares = np.square(unit - hits).sum(axis=1)
        self._ranks = _ranks(given, own)
        self._keys = {
            name: score_keys(np.ascontiguousarray(given[:, i]), hits[:, i])
            for i, name in enumerate(names)
        }

    def complete(self, tables: list[MulticlassSummary], group: Places) -> list[MulticlassSummary]:
        """The summaries with what the scores say of their rows."""
        groups = Groups(group[self._usable], len(tables))
        ranks, losses, squares = map(groups.ordered, (self._ranks, self._losses, self._squares))
        keys = {name: groups.ordered(own) for name, own in self._keys.items()}
        return [
            replace(
                table,
                n_scored=own.stop - own.start,
                rank_counts=np.bincount(ranks[own], minlength=MAX_RANK)[:MAX_RANK],
                log_loss_sum=ExactSum.of(losses[own]),
                log_loss_square_sum=ExactSum.of(np.square(losses[own])),
                squared_error_sum=ExactSum.of(squares[own]),
                squared_error_square_sum=ExactSum.of(np.square(squares[own])),
                per_class=tuple(
                    count_keys(keys[name][own]).within_the_cap() if name in keys else ScoreCounts()
                    for name in table.classes
                ),
            )
            if own.start < own.stop
            else table
            for table, own in zip(tables, groups.parts, strict=True)
        ]


def _ranks(given: Floats, own: Places) -> Places:
    """How many classes come before the true one, at most ``MAX_RANK``."""
    score = given[np.arange(len(own)), own][:, None]
    later = np.arange(given.shape[1]) > own[:, None]
    before = (given > score) | ((given == score) & later)
    ranks: Places = np.minimum(before.sum(axis=1), MAX_RANK)
    return ranks


def _places(names: Sequence[str], kept: Sequence[str]) -> Places:
    """Where each name stands among those kept; one that is not kept is ``"<other>"``."""
    at = {name: i for i, name in enumerate(kept)}
    return np.array([at[name if name in at else OTHER_CLASSES] for name in names], dtype=np.intp)


def _hash(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
