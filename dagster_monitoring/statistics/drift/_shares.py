"""From counts to shares: the first step of every metric on bins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dagster_monitoring.statistics.histogram import Counts, Floats, Histogram
from dagster_monitoring.statistics.undefined import Undefined

FLOOR = 1e-4
"""The least share in a logarithm: one row in ten thousand."""


def shares(reference: Histogram, current: Histogram) -> tuple[Floats, Floats] | Undefined:
    """Shares a bin, of the reference and of the current rows; or which of them is empty."""
    pair = aligned_counts(reference, current)
    if isinstance(pair, Undefined):
        return pair
    left, right = pair
    return left / left.sum(), right / right.sum()


def aligned_counts(reference: Histogram, current: Histogram) -> tuple[Counts, Counts] | Undefined:
    """Counts a bin, of the reference and of the current rows; or which of them is empty.

    Raises:
        ValueError: the histograms are not on the same bins.
    """
    same = (
        reference.categories == current.categories
        if reference.edges is None or current.edges is None
        else np.array_equal(reference.edges, current.edges)
    )
    if not same:
        raise ValueError("align the histograms first: their bins differ")
    for histogram, side in ((reference, "baseline"), (current, "window")):
        if not histogram.n:
            return Undefined(
                f"the {side} has no values to compare (missing: {histogram.n_missing})"
            )
    return reference.counts, current.counts


class Numeric(NamedTuple):
    """What is left of a numeric histogram once it is known to have sums and rows."""

    counts: Counts
    sums: Floats
    n: int


def numeric_pair(reference: Histogram, current: Histogram) -> tuple[Numeric, Numeric] | Undefined:
    """Both sides with their sums; or which of them is empty.

    Raises:
        ValueError: the histograms are not on the same bins, or are categorical.
    """
    pair = aligned_counts(reference, current)
    if reference.sums is None or current.sums is None:
        raise ValueError("this metric is defined on numeric columns only")
    if isinstance(pair, Undefined):
        return pair
    return (
        Numeric(reference.counts, reference.sums, reference.n),
        Numeric(current.counts, current.sums, current.n),
    )


def spread(reference: Histogram) -> float | Undefined:
    """The reference's standard deviation, as a unit; a constant has none."""
    std = reference.std
    if isinstance(std, Undefined):
        return std
    return std or Undefined(
        "the baseline's column is constant, so a shift has no scale: "
        "monitor it by psi or wasserstein"
    )
