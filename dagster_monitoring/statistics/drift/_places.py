"""How far the rows of a bin may lie from where they are taken to be."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._grid import Grid
from dagster_monitoring.statistics.drift._rows import Flags, Places
from dagster_monitoring.statistics.drift._side import Side
from dagster_monitoring.statistics.histogram import Floats


def reach(side: Side, grid: Grid, at: Places) -> Floats:
    """How far a row of each of these bins can be from the mean of its bin; 0 for a single value.

    Infinite for an open bin of which the smallest or largest value is not known.
    """
    low, high = _bounds(side, grid, at)
    middle = side.means[at] + side.centre[grid.numbers[at]]
    farthest = np.maximum(high - middle, middle - low)
    return np.where(_alone(side, grid, at), 0.0, farthest)


def scatter(side: Side, grid: Grid, at: Places) -> Floats:
    """The largest mean distance of a bin's rows from their mean: rows at both of its ends.

    0 where there is no row, or a single one. Infinite in an open bin of which the smallest or
    largest value is not known.
    """
    low, high = _bounds(side, grid, at)
    middle = np.clip(side.means[at] + side.centre[grid.numbers[at]], low, high)
    width = np.maximum(high - low, np.finfo(np.float64).tiny)
    spread = 2 * (middle - low) * ((high - middle) / width)
    spread = np.where(np.isfinite(width), spread, np.inf)
    return np.where(_alone(side, grid, at), 0.0, spread)


def most_scatter(side: Side, grid: Grid) -> Floats:
    """What :func:`scatter` is at most, on average over all rows; far less to compute."""
    found = grid.sum(side.shares * grid.half_widths)
    for end, known, outermost in (
        (grid.starts, grid.high, side.minimum),
        (grid.ends, grid.low, side.maximum),
    ):
        half = np.abs(known[end] - outermost) / 2
        half = np.where(np.isfinite(half), half, np.inf)
        found += np.where(side.counts[end] > 0, side.shares[end] * half, 0.0)
    return found


def _alone(side: Side, grid: Grid, at: Places) -> Flags:
    found: Flags = (side.counts[at] <= 1) | grid.single[at]
    return found


def _bounds(side: Side, grid: Grid, at: Places) -> tuple[Floats, Floats]:
    """Between which values the rows of each of these bins are."""
    numbers = grid.numbers[at]
    # Of a side whose smallest or largest value is not known, NaN: the edge it is.
    return np.fmax(grid.low[at], side.minimum[numbers]), np.fmin(
        grid.high[at], side.maximum[numbers]
    )
