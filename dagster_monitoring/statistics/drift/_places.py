"""Where the rows of a bin may lie, and the quantiles that follow from counts and sums."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.histogram import Floats, Histogram

Indices = npt.NDArray[np.int64]


def quantile_bin(histogram: Histogram, share: float) -> int:
    """The bin that holds the quantile of a share.

    The quantile of a share ``u`` is the smallest value with ``F >= u``, as
    ``numpy.quantile(method="inverted_cdf")``: the row of rank ``ceil(u n)``.
    """
    # A hair less, so that rounding in 0.05 * 20 does not ask for one more row.
    rank = min(max(math.ceil(share * (histogram.n * (1 - 1e-12))), 1), histogram.n)
    return int(histogram.cumulated.searchsorted(rank))


def quantile(histogram: Histogram, share: float) -> float:
    """A quantile less the histogram's centre: each bin's rows stand at their mean."""
    return float(histogram.means[histogram.once(quantile_bin, share)])


def quantiles(histogram: Histogram, shares: Floats) -> Floats:
    """Quantiles of many shares, as :func:`quantile`."""
    ranks = np.ceil(shares * (histogram.n * (1 - 1e-12)))
    ranks = np.minimum(np.maximum(ranks, 1), histogram.n).astype(np.int64)
    return histogram.means[histogram.cumulated.searchsorted(ranks)]


def farthest(histogram: Histogram, at: int) -> float:
    """How far a row of this bin can be from the mean of its bin; 0 for a single value.

    Infinite for an open bin of which the smallest or largest value is not known.
    """
    edges = histogram.edges
    if edges is None:
        raise ValueError("names have no places on a line")
    low = float(edges[at - 1]) if at > 0 else -math.inf
    high = float(edges[at]) if at < len(edges) else math.inf
    if histogram.counts[at] == 1 or math.nextafter(low, math.inf) == high:
        return 0.0
    low = low if histogram.minimum is None else max(low, histogram.minimum)
    high = high if histogram.maximum is None else min(high, histogram.maximum)
    middle = float(histogram.means[at]) + histogram.centre
    return max(high - middle, middle - low, 0.0)


def most_scatter(histogram: Histogram, widths: Floats) -> float:
    """What :func:`scatter` is at most, on average over all rows; far less to compute.

    Args:
        histogram: numeric, with rows.
        widths: :func:`half_widths` of its edges.
    """
    edges, found = histogram.edges, float(np.dot(histogram.shares, widths))
    if edges is None or not len(edges):
        return math.inf
    first, last = float(histogram.shares[0]), float(histogram.shares[-1])
    if first:
        found += first * _reach_of(float(edges[0]), histogram.minimum)
    if last:
        found += last * _reach_of(float(edges[-1]), histogram.maximum)
    return found


def _reach_of(edge: float, outermost: float | None) -> float:
    return math.inf if outermost is None else abs(edge - outermost) / 2


def half_widths(histogram: Histogram) -> Floats:
    """Half of each bin's width; 0 for single values, and for the outer two bins."""
    if histogram.edges is None:
        raise ValueError("names have no places on a line")
    found = np.zeros(len(histogram.counts))
    low, high = histogram.edges[:-1], histogram.edges[1:]
    with np.errstate(over="ignore"):
        found[1:-1] = np.where(np.nextafter(low, np.inf) == high, 0.0, (high - low) / 2)
    return found


def scatter(histogram: Histogram, at: Indices) -> Floats:
    """The largest mean distance of a bin's rows from their mean: rows at both of its ends.

    0 where there is no row, or a single one. Infinite in an open bin of which the smallest or
    largest value is not known.
    """
    low, high = _bounds(histogram, at)
    middle = np.clip(histogram.means[at] + histogram.centre, low, high)
    width = np.maximum(high - low, np.finfo(np.float64).tiny)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = 2 * (middle - low) * ((high - middle) / width)
    spread = np.where(np.isfinite(width), spread, np.inf)
    return np.where(_single(histogram, at), 0.0, spread)


def _single(histogram: Histogram, at: Indices) -> npt.NDArray[np.bool_]:
    alone: npt.NDArray[np.bool_] = histogram.counts[at] <= 1
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
