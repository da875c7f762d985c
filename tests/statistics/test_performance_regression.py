"""Sums of regression rows at their edges: zeros, rounding, overflow, smallest and largest."""

import math
from fractions import Fraction

import numpy as np
import pytest

from dagster_monitoring.statistics.performance import (
    ErrorCounts,
    RegressionRows,
    RegressionSummary,
    performance_metric,
    regression_summary,
)
from dagster_monitoring.statistics.performance._absolute_errors import error_cells
from dagster_monitoring.statistics.undefined import Undefined
from tests.statistics.labelled_rows import value

GROUPS = np.array([2, 0, 2, 0, 2])


def test_regression_by_group_are_the_summaries_of_their_rows():
    label = np.array([1.0, 2.0, 3.0, np.nan, 5.0])
    first, none, last = RegressionRows(label, label + 2.0 ** np.arange(5)).by_group(GROUPS, 3)
    assert (first.n_labelled, first.total("error"), first.total("label")) == (1, 2.0, 2.0)
    assert (none.n_labelled, none.total("error"), none.absolute_errors.n) == (0, 0.0, 0)
    assert (last.n_labelled, last.total("error"), last.total("squared_error")) == (3, 21.0, 273.0)
    assert last.absolute_errors.n == 3


def test_regression_rows_that_are_not_finite_are_left_out():
    rows = regression_summary(
        np.array([1.0, np.nan, 2.0, np.inf]), np.array([1.5, 1.0, np.inf, 1.0])
    )
    assert (rows.n_labelled, rows.total("error")) == (1, 0.5)


def test_every_moment_of_three_rows_by_hand():
    rows = regression_summary(np.array([2.0, -1.0, 0.0]), np.array([5.0, -3.0, 0.0]))
    expected = {
        "error": 3 - 2,
        "absolute_error": 3 + 2,
        "squared_error": 9 + 4,
        "squared_error_rest": 0,
        "squared_over": 9,
        "cubed_error": 27 - 8,
        "quartic_error": 81 + 16,
        "percentage_error": 1.5 + 2,
        "squared_percentage_error": 2.25 + 4,
        "symmetric_error": 6 / 7 + 1,
        "squared_symmetric_error": 36 / 49 + 1,
        "label": 1,
        "absolute_label": 3,
        "squared_label": 5,
        "squared_label_rest": 0,
        "cubed_label": 8 - 1,
        "quartic_label": 16 + 1,
        "absolute_error_label": 6 + 2,
        "error_label": 6 + 2,
        "error_squared_label": 12 - 2,
        "squared_error_label": 18 - 4,
        "squared_error_squared_label": 36 + 4,
    }
    for moment, total in expected.items():
        assert rows.total(moment) == pytest.approx(total), moment
    assert isinstance(rows.total("squared_log_error"), Undefined)


def test_a_label_of_zero_is_divided_by_the_step_at_one():
    rows = regression_summary(np.array([0.0, 4.0]), np.array([1.0, 5.0]))
    assert value("mape", rows) == pytest.approx((2.0**52 + 0.25) / 2, rel=1e-15)
    assert value("smape", rows) == pytest.approx((2 + 2 / 9) / 2)
    tiny = regression_summary(np.array([2.0**-60]), np.array([2.0**-59]))
    assert value("smape", tiny) == pytest.approx(2 / 3)


def test_a_sum_that_overflows_is_named_even_where_no_row_does():
    """Each row's error is finite, their sum is not; halves of it that cancel are."""
    rows = regression_summary(np.zeros(2), np.array([1.5e308, 1.5e308]))
    for found in (rows.total("error"), rows.mean("error"), value("bias", rows)):
        assert isinstance(found, Undefined)
        assert "too large" in found.reason
    opposite = regression_summary(np.zeros(2), np.array([1.5e308, -1.5e308]))
    assert value("bias", opposite) == 0.0
    below = regression_summary(np.zeros(2), np.array([-1.5e308, -1.5e308]))
    assert isinstance(below.total("error"), Undefined)


def test_a_part_that_overflows_makes_the_whole_undefined():
    fine = regression_summary(np.array([1.0]), np.array([2.0]))
    huge = regression_summary(np.array([-1e308]), np.array([1e308]))
    for total in (fine + huge, huge + fine):
        assert total.n_labelled == 2
        assert isinstance(value("mae", total), Undefined)
        assert total.total("label") == -1e308


def test_no_rows_have_no_mean():
    found = RegressionSummary().mean("error")
    assert isinstance(found, Undefined)
    assert "no labelled rows" in found.reason


@pytest.mark.parametrize("guess", [-1.0, -1.5])
def test_the_logarithm_needs_more_than_minus_one_of_both(guess):
    for pair in ((guess, 1.0), (1.0, guess)):
        rows = regression_summary(np.array([pair[0]]), np.array([pair[1]]))
        assert isinstance(value("rmsle", rows), Undefined)
    near = regression_summary(np.array([-0.5]), np.array([0.0]))
    assert value("rmsle", near) == pytest.approx(math.log(2))


def test_squares_keep_what_rounding_takes_from_each():
    """1 + 2^-30 squared has a last bit that a float does not hold."""
    label = np.array([1 + 2.0**-30, 1.0])
    rows = regression_summary(label, label)
    assert rows.total("squared_label_rest") == 2.0**-60
    error = regression_summary(np.zeros(1), np.array([1 + 2.0**-30]))
    assert error.total("squared_error_rest") == 2.0**-60
    assert error.mean_exact("squared_error") == Fraction(1 + 2.0**-30) ** 2


def test_errors_of_zero_and_of_one_cell_have_exact_quantiles():
    counts = regression_summary(np.zeros(4), np.array([0.0, 0.0, 1.0, -2.0])).absolute_errors
    assert counts.n == 4
    assert [counts.quantile(share) for share in (0.0, 0.25, 0.5)] == [0.0, 0.0, 0.0]
    assert counts.quantile(0.75) == 1 + 2.0**-7
    assert counts.quantile(0.625) == 1 + 2.0**-8
    assert counts.quantile(1.0) == 2 + 2.0**-6


def test_a_quantile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs rows"):
        ErrorCounts().quantile(0.5)


def test_error_counts_add_by_cell():
    one = ErrorCounts.of(error_cells(np.array([1.0, 3.0, 1.0])))
    other = ErrorCounts.of(error_cells(np.array([3.0, 0.0])))
    total = one + other
    assert total.cells.tolist() == error_cells(np.array([0.0, 1.0, 3.0])).tolist()
    assert total.counts.tolist() == [1, 2, 2]
    assert (total.n, one.n) == (5, 3)
    assert error_cells(np.array([-0.0])).tolist() == [0]


def test_a_quantile_lies_within_its_cell_by_the_rows_below_it():
    counts = regression_summary(np.zeros(4), np.ones(4)).absolute_errors
    assert [counts.quantile(share) for share in (0.0, 0.25, 1.0)] == [
        1.0,
        1 + 2.0**-9,
        1 + 2.0**-7,
    ]


def test_the_smallest_spread_that_labels_may_have():
    label = np.array([2.0**-511, -(2.0**-511)])
    assert value("r2", regression_summary(label, label)) == 1.0
    for rows in (label / 2, label[:1]):
        assert "all the same" in value("r2", regression_summary(rows, rows)).reason


def test_labels_that_are_all_0_have_no_share():
    rows = regression_summary(np.zeros(3), np.ones(3))
    for ask in (performance_metric("wape").compute, performance_metric("wape").standard_error):
        found = ask(rows)
        assert isinstance(found, Undefined)
        assert "labels are 0" in found.reason
