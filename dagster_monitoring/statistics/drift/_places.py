"""Where the rows of a bin may lie, and the quantiles that follow from counts and sums."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.histogram import Floats, Histogram

Indices = npt.NDArray[np.int64]


def quantile_bins(histogram: Histogram, shares: Floats) -> Indices:
    """The bins that hold the quantiles of these shares.

    The quantile of a share ``u`` is the smallest value with ``F >= u``, as
    ``numpy.quantile(method="inverted_cdf")``: the row of rank ``ceil(u n)``.
    """
    # A hair less, so that rounding in 0.05 * 20 does not ask for one more row.
    ranks = np.minimum(np.maximum(np.ceil(shares * (histogram.n * (1 - 1e-12))), 1), histogram.n)
    return np.searchsorted(histogram.cumulated, ranks.astype(np.int64))


def quantiles(histogram: Histogram, shares: Floats) -> Floats:
    """Quantiles less the histogram's centre: each bin's rows stand at their mean."""
    at = quantile_bins(histogram, shares)
    return means(histogram, at)


def means(histogram: Histogram, at: Indices) -> Floats:
    """The exact mean of each of these bins, which are not empty, less the centre."""
    if histogram.sums is None:
        raise ValueError("names have no places on a line")
    return histogram.sums[at] / histogram.counts[at]


def farthest(histogram: Histogram, at: Indices) -> Floats:
    """How far a row of these bins can be from the mean of its bin; 0 for a single value.

    Infinite for an open bin of which the smallest or largest value is not known.
    """
    low, high = _bounds(histogram, at)
    middle = means(histogram, at) + histogram.centre
    reach = np.maximum(high - middle, middle - low)
    return np.where(_single(histogram, at), 0.0, np.maximum(reach, 0.0))


def scatter(histogram: Histogram, at: Indices) -> Floats:
    """The largest mean distance of a bin's rows from their mean: rows at both of its ends."""
    low, high = _bounds(histogram, at)
    middle = np.clip(means(histogram, at) + histogram.centre, low, high)
    width = np.maximum(high - low, np.finfo(np.float64).tiny)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = 2 * (middle - low) * ((high - middle) / width)
    spread = np.where(np.isfinite(width), spread, np.inf)
    return np.where(_single(histogram, at), 0.0, spread)


def _single(histogram: Histogram, at: Indices) -> npt.NDArray[np.bool_]:
    alone: npt.NDArray[np.bool_] = histogram.counts[at] == 1
    return alone | histogram.single(at)


def _bounds(histogram: Histogram, at: Indices) -> tuple[Floats, Floats]:
    if histogram.edges is None:
        raise ValueError("names have no places on a line")
    smallest = -np.inf if histogram.minimum is None else histogram.minimum
    largest = np.inf if histogram.maximum is None else histogram.maximum
    edges, last = histogram.edges, len(histogram.edges)
    if not last:
        return np.full(len(at), smallest), np.full(len(at), largest)
    low = np.where(at > 0, edges[at - 1], -np.inf)
    high = np.where(at < last, edges[np.minimum(at, last - 1)], np.inf)
    return np.maximum(low, smallest), np.minimum(high, largest)
