"""Histograms: exact moments, regrouping, alignment."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.statistics.histogram import (
    Histogram,
    align,
    categorical_histogram,
    has_edges,
    numeric_histogram,
    same_bins,
)
from dagster_monitoring.statistics.undefined import Undefined

VALUES = st.lists(st.integers(-80, 80).map(lambda i: i / 8), max_size=40)
EDGES = [-4.0, -1.0, 0.0, 0.125, 6.0]


def test_bins_are_open_on_the_right_and_the_outer_ones_reach_to_infinity():
    found = numeric_histogram([-1e300, 0.99, 1.0, 1.99, 2.0, 1e300], edges=[1.0, 2.0])
    assert found.counts.tolist() == [2, 2, 2]
    assert found.n == 6


def test_missing_and_infinite_values_are_counted_apart():
    found = numeric_histogram([np.nan, np.inf, -np.inf, 3.0], edges=[1.0])
    assert (found.n, found.n_missing, found.n_nonfinite) == (1, 1, 2)
    assert (found.minimum, found.maximum) == (3.0, 3.0)
    names = categorical_histogram(["a", None, "a"])
    assert (names.n, names.n_missing, names.categories) == (2, 1, ("a",))


@settings(max_examples=50, deadline=None)
@given(values=VALUES.filter(bool), centre=st.integers(-9, 9))
def test_mean_and_standard_deviation_are_those_of_the_rows(values, centre):
    found = numeric_histogram(values, edges=EDGES, centre=centre)
    exact = [Fraction(v) for v in values]
    mean = sum(exact) / len(exact)
    variance = sum((v - mean) ** 2 for v in exact) / len(exact)
    assert found.mean == pytest.approx(float(mean), abs=1e-12)
    assert found.std == pytest.approx(float(variance) ** 0.5, abs=1e-6)


def test_the_standard_deviation_survives_large_values():
    values = 1e9 + np.array([0.0, 1e-3, 2e-3, 3e-3])
    found = numeric_histogram(values, edges=[1e9], centre=1e9)
    assert found.std == pytest.approx(np.std(values - 1e9), rel=1e-9)


def test_moments_of_nothing_and_of_names_are_undefined():
    empty = numeric_histogram([], edges=[0.0])
    assert isinstance(empty.mean, Undefined)
    assert isinstance(empty.std, Undefined)
    names = categorical_histogram("ab")
    assert isinstance(names.mean, Undefined)
    assert isinstance(names.std, Undefined)


@settings(max_examples=50, deadline=None)
@given(values=VALUES, keep=st.sets(st.sampled_from(EDGES)))
def test_regrouping_equals_counting_on_the_coarser_edges(values, keep):
    edges = np.array(sorted(keep))
    regrouped = numeric_histogram(values, edges=EDGES, centre=0.5).regroup(edges)
    direct = numeric_histogram(values, edges=edges, centre=0.5)
    assert regrouped.counts.tolist() == direct.counts.tolist()
    assert regrouped.sums == pytest.approx(direct.sums)
    assert regrouped.sum_squares == direct.sum_squares
    assert regrouped.minimum == direct.minimum


@pytest.mark.parametrize("edge", [-5.0, 0.5, 7.0])
def test_regrouping_on_an_edge_that_is_not_there_is_refused(edge):
    with pytest.raises(ValueError, match="not an edge"):
        numeric_histogram([1.0], edges=EDGES).regroup(np.array([edge]))


def test_names_cannot_be_regrouped():
    with pytest.raises(ValueError, match="categorical"):
        categorical_histogram("ab").regroup(np.array([1.0]))


def test_alignment_keeps_the_reference_order_and_sorts_the_unseen():
    reference = Histogram(counts=np.array([5, 6]), categories=("z", "b"))
    current = Histogram(counts=np.array([1, 2, 3]), categories=("y", "b", "c"))
    left, right = align(reference, current)
    assert left.categories == right.categories == ("z", "b", "c", "y")
    assert left.counts.tolist() == [5, 6, 0, 0]
    assert right.counts.tolist() == [0, 2, 3, 1]
    assert left.counts.dtype == right.counts.dtype == np.int64


def test_alignment_refuses_what_cannot_be_compared():
    numbers = numeric_histogram([1.0], edges=[0.0])
    with pytest.raises(ValueError, match="different edges"):
        align(numbers, numeric_histogram([1.0], edges=[0.5]))
    with pytest.raises(ValueError, match="cannot be compared"):
        align(numbers, categorical_histogram("a"))
    assert align(numbers, numbers) == (numbers, numbers)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "either edges or categories"),
        ({"categories": ("a", "b"), "edges": np.array([1.0])}, "either edges or categories"),
        ({"categories": ("a",)}, "1 categories for 2 counts"),
        ({"edges": np.array([1.0, 2.0]), "sums": np.zeros(2)}, "2 interior edges for 2 counts"),
        ({"edges": np.array([1.0])}, "one sum a bin"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Histogram(counts=np.array([1, 2]), **fields)


def test_a_histogram_on_its_own_edges_is_itself():
    found = numeric_histogram([1.0], edges=EDGES)
    assert found.regroup(found.edges) is found


def test_the_first_five_edges_that_are_not_there_are_told():
    with pytest.raises(ValueError, match=r"histogram: \[10\.0, 11\.0, 12\.0, 13\.0, 14\.0\]$"):
        numeric_histogram([1.0], edges=EDGES).regroup(np.array([6.0, *range(10, 17)]))


@pytest.mark.parametrize(
    ("edges", "wanted", "expected"),
    [
        ([], [], True),
        ([], [1.0], False),
        ([1.0], [], True),
        ([1.0, 2.0], [2.0], True),
        ([1.0, 2.0], [1.0, 1.5], False),
        ([1.0, 2.0], [2.0, 3.0], False),
    ],
)
def test_edges_are_among_others_or_not(edges, wanted, expected):
    assert has_edges(np.array(edges), np.array(wanted)) is expected


def test_counts_are_whole_numbers_and_sums_are_floats():
    for values in ([], [1, 2]):
        found = numeric_histogram(values, edges=[1])
        assert (found.counts.dtype, found.sums.dtype) == (np.int64, np.float64)
    assert categorical_histogram("ab").counts.dtype == np.int64
    assert categorical_histogram("ab").n_missing == 0


def test_regrouping_changes_nothing_but_bins():
    fine = numeric_histogram([1.0, 2.5, np.nan, np.inf, np.inf], edges=EDGES, centre=0.5)
    coarse = fine.regroup(np.array([0.0]))
    assert (coarse.centre, coarse.minimum, coarse.maximum) == (0.5, 1.0, 2.5)
    assert (coarse.n_missing, coarse.n_nonfinite) == (1, 2)


def test_bins_are_the_same_when_their_edges_or_names_are():
    one, other = (Histogram(counts=np.array([1, 2]), categories=("a", x)) for x in "bc")
    low, again, high = (numeric_histogram([1.0], edges=[edge]) for edge in (0.5, 0.5, 0.75))
    assert same_bins(low, again)
    assert same_bins(one, replace(one, counts=np.array([7, 8])))
    for left, right in [(low, high), (one, other), (one, low), (low, one)]:
        assert not same_bins(left, right)


def test_counts_of_no_names_are_whole_numbers_too():
    assert categorical_histogram([]).counts.dtype == np.int64
