"""How many negatives and positives had each score: all that a ranking metric needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

MAX_EXACT_SCORES = 2**20
"""Distinct scores that are kept apart; when there are more, all are rounded."""

SIGNIFICANT_BITS = 13
"""What a rounded score keeps of itself or, from one half on, of its distance to 1. Equal cells
over 0..1 would put all the scores of a rare event, or of a very sure model, into a few of them."""

_SMALLEST = 2.0**-39
"""Below it a score is rounded to 0, so that 1 less the rounded distance is still exact."""


def _no_counts() -> Counts:
    return np.zeros(0, dtype=np.int64)


def _no_scores() -> Floats:
    return np.zeros(0, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreCounts:
    """Labelled rows by score; ``+`` adds them, the empty one changes nothing.

    Exact while there are at most ``MAX_EXACT_SCORES`` distinct scores; beyond it every score is
    rounded to 13 significant bits, which leaves at most 320,000 of them, in their order. Which of
    the two a sum is depends on its parts together and not on their order, so adding is
    associative.

    Attributes:
        scores: distinct scores, increasing, shape ``(k,)``.
        negatives: negative rows a score, shape ``(k,)``.
        positives: positive rows a score, shape ``(k,)``.
        exact: whether the scores are as they were given.
    """

    scores: Floats = field(default_factory=_no_scores)
    negatives: Counts = field(default_factory=_no_counts)
    positives: Counts = field(default_factory=_no_counts)
    exact: bool = True

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.negatives.sum() + self.positives.sum())

    def __add__(self, other: ScoreCounts) -> ScoreCounts:
        if not len(other.scores) and other.exact:
            return self
        if not len(self.scores) and self.exact:
            return other
        exact = self.exact and other.exact
        left, right = (self, other) if exact else (self._rounded(), other._rounded())
        merged = _tally(
            np.concatenate((left.scores, right.scores)),
            np.concatenate((left.negatives, right.negatives)),
            np.concatenate((left.positives, right.positives)),
            exact=exact,
        )
        return merged.within_the_cap()

    def within_the_cap(self) -> ScoreCounts:
        """The same, rounded if there are more distinct scores than are kept apart."""
        return self if len(self.scores) <= MAX_EXACT_SCORES else self._rounded()

    def _rounded(self) -> ScoreCounts:
        if not self.exact:
            return self
        side = np.minimum(self.scores, 1 - self.scores)
        mantissa, exponent = np.frexp(side)
        whole = np.floor(np.ldexp(mantissa, SIGNIFICANT_BITS))
        kept = np.ldexp(whole, exponent - SIGNIFICANT_BITS)
        kept = np.where(kept < _SMALLEST, 0.0, kept)
        rounded = np.where(self.scores < 0.5, kept, 1 - kept)  # noqa: PLR2004 - half of 0..1
        return _tally(rounded, self.negatives, self.positives, exact=False)


def count_scores(score: Floats, positive: Bools) -> ScoreCounts:
    """Counts of raw rows.

    Args:
        score: shape ``(n,)``, each within 0..1.
        positive: shape ``(n,)``, whether the row's label is the positive class.

    Example:
        >>> counts = count_scores(np.array([0.2, 0.9, 0.2]), np.array([False, True, True]))
        >>> counts.scores.tolist(), counts.negatives.tolist(), counts.positives.tolist()
        ([0.2, 0.9], [1, 0], [1, 1])
    """
    return count_keys(score_keys(score, positive)).within_the_cap()


def score_keys(score: Floats, positive: Bools) -> Counts:
    """One whole number a row that sorts by score: the float's bits, and the label as the last.

    Floats from 0 on are ordered as their bits are, and those up to 1 leave the top two unused:
    the first of them falls off, so that minus zero becomes zero. Whole numbers are sorted in place
    and without an index, several times faster.
    """
    return (score.view(np.int64) << 1) | positive


def count_keys(keys: Counts) -> ScoreCounts:
    """Counts of what :func:`score_keys` gave, in any order, however many scores there are."""
    if not len(keys):
        return ScoreCounts()
    ordered = np.sort(keys)
    bits = ordered >> 1
    ends = _ends(bits)
    found = ordered & 1
    rows = np.ones_like(found)
    # Where no two rows have a score in common, each row is a run.
    if len(ends) < len(bits):
        rows, found = _steps(ends + 1), _steps(np.cumsum(found)[ends])
    return ScoreCounts(scores=bits[ends].view(np.float64), negatives=rows - found, positives=found)


def _tally(scores: Floats, negatives: Counts, positives: Counts, *, exact: bool) -> ScoreCounts:
    if not len(scores):
        return ScoreCounts(exact=exact)
    # Of two runs that are in order already, the stable sort is a merge.
    order = np.argsort(scores, kind="stable")
    scores = scores[order]
    ends = _ends(scores)
    return ScoreCounts(
        scores=scores[ends].astype(np.float64),
        negatives=_steps(np.cumsum(negatives[order])[ends]),
        positives=_steps(np.cumsum(positives[order])[ends]),
        exact=exact,
    )


def _ends(ordered: Counts | Floats) -> Places:
    """Where each run of equal values ends: the place of its last one."""
    last = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=last[:-1])
    return np.flatnonzero(last)


def _steps(reached: Counts) -> Counts:
    """What each adds to the one before it."""
    steps = reached.copy()
    steps[1:] -= reached[:-1]
    return steps
