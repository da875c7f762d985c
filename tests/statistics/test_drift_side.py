"""Histograms side by side: rows of unlike lengths, where bins lie, moments and quantiles."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dagster_monitoring.statistics.drift import Side
from dagster_monitoring.statistics.drift._grid import Grid
from dagster_monitoring.statistics.drift._rows import Rows
from dagster_monitoring.statistics.histogram import categorical_histogram, numeric_histogram
from dagster_monitoring.statistics.undefined import Undefined

ROWS = Rows(np.array([3, 1, 2]))
CELLS = np.array([2.0, 5.0, 5.0, -1.0, 0.5, 0.25])
VALUES = st.lists(st.integers(-80, 80).map(lambda i: i / 8), min_size=1, max_size=40)
EDGES = [-4.0, -1.0, 0.0, 0.125, 6.0]
GRIDS = [EDGES, [], [0.5]]


def test_rows_are_summed_and_compared_by_themselves():
    assert ROWS.sum(CELLS).tolist() == [12.0, -1.0, 0.75]
    assert ROWS.sum(np.stack((CELLS, 2 * CELLS))).tolist() == [[12, -1, 0.75], [24, -2, 1.5]]
    assert ROWS.largest(CELLS).tolist() == [5.0, -1.0, 0.5]
    assert ROWS.smallest(CELLS).tolist() == [2.0, -1.0, 0.25]
    assert ROWS.count(CELLS > 0.5).tolist() == [3, 0, 0]
    assert ROWS.at(np.array([0, 2, 5]), np.array([1.0, 2.0, 4.0])).tolist() == [3.0, 0.0, 4.0]
    assert ROWS.count(CELLS > 0.5).dtype == np.float64
    assert ROWS.each(np.array([7.0, 8.0, 9.0])).tolist() == [7, 7, 7, 8, 9, 9]
    assert ROWS.cells_of(np.array([True, False, True])).tolist() == [0, 1, 2, 4, 5]
    assert Rows(np.array([2, 1])).each(np.array([7.0, 8.0])).tolist() == [7, 7, 8]


def test_of_several_largest_cells_the_first_is_taken():
    assert ROWS.widest(CELLS).tolist() == [1, 3, 4]


def test_what_comes_before_a_cell_is_of_its_row_alone():
    """Neither an infinity nor a large number of one row is seen in the next."""
    cells = np.array([math.inf, 1e300, 1.0, 1e300, 0.1, 0.2])
    assert ROWS.sum_before(cells).tolist() == [0, math.inf, math.inf, 0, 0, 0.1]


def test_the_variance_of_a_row_is_that_of_its_weights():
    shares, weight = np.array([0.5, 0.25, 0.25, 1.0, 0.5, 0.5]), np.arange(6.0)
    assert ROWS.variance(shares, weight) == pytest.approx([0.6875, 0.0, 0.25])


def test_the_bins_of_a_grid_are_between_its_edges():
    one = np.array([1.0, np.nextafter(1.0, 2.0), 4.0])
    grid = Grid.of([one, np.array([])])
    assert grid.sizes.tolist() == [4, 1]
    assert grid.low.tolist() == [-math.inf, *one, -math.inf]
    assert grid.high.tolist() == [*one, math.inf, math.inf]
    assert grid.single.tolist() == [False, True, False, False, False]
    assert grid.half_widths.tolist() == [0.0, 0.0, (4.0 - one[1]) / 2, 0.0, 0.0]
    assert grid.places.tolist() == [1.0, 1.0, one[1], 4.0, 0.0]


def test_half_of_a_bin_is_a_number_also_where_the_whole_is_none():
    assert Grid.of([np.array([-1.5e308, 1.5e308])]).half_widths.tolist() == [0.0, 1.5e308, 0.0]


def test_the_same_edges_are_the_same_grid_and_equal_ones_are_not():
    edges = np.array(EDGES)
    assert Grid.of([edges]) is Grid.of([edges])
    assert Grid.of([edges]) is not Grid.of([edges.copy()])


@settings(max_examples=40, deadline=None)
@given(values=st.tuples(VALUES, VALUES, VALUES), centre=st.integers(-9, 9))
def test_each_histogram_has_the_moments_of_its_rows(values, centre):
    histograms = [
        numeric_histogram(rows, edges=sorted({*rows, *edges}), centre=centre)
        for rows, edges in zip(values, GRIDS, strict=True)
    ]
    side = Side.of(histograms)
    for place, (rows, own) in enumerate(zip(values, histograms, strict=True)):
        assert side.offset[place] + centre == pytest.approx(np.mean(rows), abs=1e-12)
        assert side.std[place] == pytest.approx(own.std, abs=1e-12)
        if own.std > 0.01:
            with np.errstate(all="ignore"):
                second, third, fourth = side.moments[:, place]
            assert second == pytest.approx(1)
            assert third == pytest.approx(stats.skew(rows), abs=1e-6)
            assert fourth == pytest.approx(stats.kurtosis(rows, fisher=False), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(values=st.tuples(VALUES, VALUES), share=st.floats(0, 1))
def test_each_quantile_is_in_its_bin(values, share):
    histograms = [numeric_histogram(rows, edges=EDGES) for rows in values]
    found = Side.of(histograms).bins_at(np.array([[share, 0.5]]))
    for place, rows in enumerate(values):
        ranks = [max(math.ceil(u * (len(rows) * (1 - 1e-12))), 1) for u in (share, 0.5)]
        exact = np.sort(rows)[np.array(ranks) - 1]
        bins = np.searchsorted(EDGES, exact, side="right") + place * (len(EDGES) + 1)
        assert found[place].tolist() == bins.tolist()


def test_a_constant_has_no_deviation_and_too_large_numbers_have_none_to_tell():
    huge = replace(numeric_histogram([1.0, 2.0], edges=[1.5]), sum_squares=math.inf)
    side = Side.of([numeric_histogram([3.0] * 4, edges=[1.5], centre=0.1), huge])
    assert isinstance(huge.std, Undefined)
    assert side.std[0] == 0.0
    assert math.isnan(side.std[1])


@pytest.mark.parametrize("centre", [-2.3, 0.0, 1e3])
def test_a_constant_whose_squares_are_rounded_has_no_deviation_either(centre):
    sides = [numeric_histogram([0.3] * rows, edges=[0.3], centre=centre) for rows in (3, 7)]
    assert any(own.sum_squares / own.n > (own.sums.sum() / own.n) ** 2 for own in sides)
    assert Side.of(sides).std.tolist() == [0.0, 0.0]


def test_a_histogram_without_a_bin_is_one_without_a_row():
    side = Side.of([categorical_histogram([]), categorical_histogram(["a", None])])
    assert (side.counts.tolist(), side.counts.dtype) == ([0, 1], np.int64)
    assert side.n.tolist() == [0, 1]
    assert side.all_rows.tolist() == [0, 2]
    assert side.n_missing.tolist() == [0, 1]


def test_names_follow_numbers_as_counts():
    numbers = Side.of([numeric_histogram([1.0, 2.0, np.nan], edges=[1.5], centre=0.5)])
    names = Side.of([categorical_histogram("aab"), categorical_histogram("c")])
    both = numbers.followed_by(names)
    assert both.counts.tolist() == [1, 1, 2, 1, 1]
    assert both.rows.sizes.tolist() == [2, 2, 1]
    assert (both.n.tolist(), both.all_rows.tolist()) == ([2, 3, 1], [3, 3, 1])
    assert both.n_missing.tolist() == [1, 0, 0]
    of_numbers = (both.centre, both.sum_squares, both.minimum, both.maximum)
    assert [own[0] for own in of_numbers] == [0.5, 2.5, 1.0, 2.0]
    assert [len(own) for own in of_numbers] == [3] * 4
    with pytest.raises(ValueError, match="names"):
        _ = both.means
    with pytest.raises(ValueError, match="names"):
        _ = both.offset
