"""How far rows may lie from their bin's mean, bin by bin in plain arithmetic."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dagster_monitoring.statistics.drift import Side
from dagster_monitoring.statistics.drift._grid import Grid
from dagster_monitoring.statistics.drift._places import most_scatter, reach, scatter
from dagster_monitoring.statistics.histogram import numeric_histogram

NEXT = math.nextafter(2.0, 3.0)
EDGES = [[-3.0, 0.5, 2.0, NEXT, 6.0], [10.0, 12.0, 20.0]]
ROWS = [
    [-7.0, -4.0, -3.5, -1.0, 0.0, 2.0, 2.0, 3.0, 5.0, 5.5, 8.0],
    [10.0, 11.5, 11.5, 12.0, 30.0, 21.0],
]
CENTRES = [4.0, -1.5]
"""Between the edges: three rows, two, none, two of the one value with room, three, one; and none,
three, one, two."""


def side_of(histograms):
    grid = Grid.of([h.edges for h in histograms])
    return Side.of(histograms, grid), grid


def both():
    return [
        numeric_histogram(rows, edges=edges, centre=centre)
        for rows, edges, centre in zip(ROWS, EDGES, CENTRES, strict=True)
    ]


def by_bin(of):
    """``of(rows, low, high)`` of each bin of several rows that has room for several values."""
    found = []
    for rows, edges in zip(ROWS, EDGES, strict=True):
        for low, high in zip([-math.inf, *edges], [*edges, math.inf], strict=True):
            own = [x for x in rows if low <= x < high]
            is_alone = len(own) < 2 or high == math.nextafter(low, math.inf)
            found.append(
                0.0 if is_alone else of(np.array(own), max(low, min(rows)), min(high, max(rows)))
            )
    return found


def rows_at_the_ends(rows, low, high):
    """Their mean distance from their mean, as many at either end as the mean asks for."""
    at_high = (rows.mean() - low) / (high - low)
    return at_high * (high - rows.mean()) + (1 - at_high) * (rows.mean() - low)


def test_a_row_reaches_no_further_than_the_farther_end_of_its_bin():
    side, grid = side_of(both())
    expected = by_bin(lambda rows, low, high: max(high - rows.mean(), rows.mean() - low))
    found = reach(side, grid, np.arange(len(expected)))
    assert found == pytest.approx(expected, rel=1e-12)
    # Their means are -29 / 6 and 4.5.
    assert found[[0, 4]].tolist() == pytest.approx([13 / 6, 4.5 - NEXT])
    assert reach(side, grid, np.array([[4, 0], [9, 7]])).shape == (2, 2)


def test_rows_are_scattered_most_at_both_ends():
    side, grid = side_of(both())
    expected = by_bin(rows_at_the_ends)
    assert scatter(side, grid, np.arange(len(expected))) == pytest.approx(expected, rel=1e-12)


def test_on_average_that_is_no_more_than_half_of_each_bin():
    side, grid = side_of(both())
    widths = [
        [-3.0 - -7.0, 3.5, 1.5, 0.0, 6.0 - NEXT, 8.0 - 6.0],
        [0.0, 2.0, 8.0, 30.0 - 20.0],
    ]
    counts = [[3, 2, 0, 2, 3, 1], [0, 3, 1, 2]]
    expected = [np.dot(c, w) / sum(c) / 2 for c, w in zip(counts, widths, strict=True)]
    assert most_scatter(side, grid) == pytest.approx(expected, rel=1e-12)
    each = scatter(side, grid, np.arange(len(grid.numbers)))
    assert (grid.sum(side.shares * each) <= expected).all()


@np.errstate(invalid="ignore")
def test_unknown_ends_matter_where_there_are_rows():
    known = numeric_histogram([1.5, 2.5, 2.75], edges=[1.0, 2.0, 3.0])
    side, grid = side_of([replace(known, minimum=None, maximum=None)])
    at = np.arange(4)
    assert reach(side, grid, at).tolist() == [0.0, 0.0, 0.625, 0.0]
    assert most_scatter(side, grid).tolist() == [0.5]
    beyond = numeric_histogram([0.5, 0.75, 2.5], edges=[1.0, 2.0, 3.0])
    side, grid = side_of([replace(beyond, minimum=None, maximum=None)])
    assert reach(side, grid, at).tolist() == [math.inf, 0.0, 0.0, 0.0]
    assert scatter(side, grid, at).tolist() == [math.inf, 0.0, 0.0, 0.0]
    assert most_scatter(side, grid).tolist() == [math.inf]


def test_in_one_bin_without_an_end_rows_are_anywhere_between_the_smallest_and_the_largest():
    side, grid = side_of([numeric_histogram([1.0, 5.0, 9.0], edges=[])])
    assert reach(side, grid, np.array([0])).tolist() == [4.0]
    assert scatter(side, grid, np.array([0])).tolist() == [4.0]
    assert most_scatter(side, grid).tolist() == [math.inf]
