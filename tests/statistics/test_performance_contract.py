"""What every performance metric owes, whichever it is."""

import functools
import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.performance import (
    binary_summary,
    multiclass_summary,
    performance_metric,
    performance_metrics,
)
from dagster_monitoring.statistics.undefined import Undefined
from tests.statistics.labelled_rows import (
    CLASSES,
    EMPTY,
    EVERY,
    ROWS,
    drawn_apart,
    quick,
    summarise,
)


@pytest.mark.parametrize(("metric", "task"), EVERY)
@quick
@given(data=st.data())
def test_a_metric_is_a_finite_float_within_its_bounds_and_that_of_added_parts(metric, task, data):
    parts = drawn_apart(data, task, data.draw(st.integers(1, 3)))
    apart = metric.compute(
        functools.reduce(operator.add, (summarise(task, part) for part in parts))
    )
    value = metric.compute(summarise(task, [row for part in parts for row in part]))
    assert apart == value
    if isinstance(value, Undefined):
        assert value.reason
        return
    low, high = metric.bounds
    assert type(value) is float
    assert math.isfinite(value)
    assert low <= value <= high


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_no_labels_are_undefined_and_never_zero(metric, task):
    assert isinstance(metric.compute(EMPTY[task]), Undefined)


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_a_metric_refuses_the_summary_of_another_task(metric, task):
    other = "regression" if task != "regression" else "binary_classification"
    with pytest.raises(TypeError, match=f"defined for .*, not {type(EMPTY[other]).__name__}$"):
        metric.compute(EMPTY[other])


@pytest.mark.parametrize(("metric", "task"), [p for p in EVERY if p.values[0].needs_score])
def test_without_scores_what_needs_them_is_undefined(metric, task):
    label = np.array([0, 1, 1])
    rows = (
        binary_summary(label == 1, label == 1, None)
        if task == "binary_classification"
        else multiclass_summary(label, label, classes=CLASSES)
    )
    value = metric.compute(rows)
    assert isinstance(value, Undefined)
    assert "score" in value.reason


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_its_declaration_is_complete(metric, task):
    assert task in EMPTY
    assert metric.title
    assert metric.source
    assert metric.bounds[0] < metric.bounds[1]
    assert performance_metric(metric.name) is metric


def test_each_file_is_an_entry_under_its_own_name():
    assert all(name == metric.name for name, metric in performance_metrics().items())


def test_an_unknown_metric_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="'precision'"):
        performance_metric("precison")


NUDGES = {
    "binary_classification": lambda row: (row[0], row[0], 1.0 if row[0] else 0.0),
    "multiclass_classification": lambda row: (
        row[0],
        row[0],
        tuple(float(i == row[0]) for i in range(3)),
    ),
    "regression": lambda row: (row[0], row[0]),
}


# Of these one row put right can be a loss: the others' calibration, the shared error, a curve
# whose straight lines flatter, chance agreement among several classes, a mean that loses a class
# with a good value when no row is taken for it any more.
NOT_MONOTONE = {"ece", "ece_equal_mass", "explained_variance", "pr_auc", "bias"}
NOT_MONOTONE_OF_SEVERAL = {"mcc", "cohen_kappa", "specificity"}


@pytest.mark.parametrize(("metric", "task"), [p for p in EVERY if p.values[1] in NUDGES])
@quick
@given(data=st.data())
def test_putting_one_row_right_never_makes_it_worse(metric, task, data):
    several = task == "multiclass_classification"
    if metric.name in NOT_MONOTONE or (several and metric.name in NOT_MONOTONE_OF_SEVERAL):
        return
    rows = data.draw(ROWS[task].filter(bool))
    at = data.draw(st.integers(0, len(rows) - 1))
    if task != "regression" and np.isnan(rows[at][2]).any():
        return
    better = [NUDGES[task](row) if i == at else row for i, row in enumerate(rows)]
    before, after = (metric.compute(summarise(task, given)) for given in (rows, better))
    if isinstance(before, Undefined) or isinstance(after, Undefined):
        return
    sign = 1 if metric.higher_is_better else -1
    assert sign * (after - before) >= -1e-12 * max(abs(before), 1)


@pytest.mark.parametrize(("metric", "task"), EVERY)
@quick
@given(data=st.data())
def test_a_sampling_error_is_not_negative_or_a_reason_and_shrinks_with_rows(metric, task, data):
    rows = data.draw(ROWS[task])
    one = metric.standard_error(summarise(task, rows))
    apart = [summarise(task, rows)] * 4
    four = metric.standard_error(functools.reduce(operator.add, apart))
    if isinstance(metric.compute(apart[0]), Undefined):
        assert isinstance(one, Undefined)
        return
    assert type(four) is float
    assert math.isfinite(four)
    if isinstance(one, Undefined):
        assert "needs two" in one.reason
        return
    assert type(one) is float
    assert 0 <= four <= one * 1.001 + 1e-7


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_no_rows_have_no_sampling_error(metric, task):
    assert isinstance(metric.standard_error(EMPTY[task]), Undefined)
    other = "regression" if task != "regression" else "binary_classification"
    with pytest.raises(TypeError, match="defined for"):
        metric.standard_error(EMPTY[other])


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_one_row_gives_a_value_only_where_it_says_so(metric, task):
    single = {
        "binary_classification": [(True, True, 0.5), (False, True, 0.5)],
        "multiclass_classification": [(0, 0, (0.5, 0.25, 0.25)), (0, 1, (0.5, 0.25, 0.25))],
        "regression": [(1.0, 2.0)],
        "ranking": [(0, 1, 1)],
    }
    values = [metric.compute(summarise(task, [row])) for row in single[task]]
    undefined = all(isinstance(value, Undefined) for value in values)
    assert undefined == (metric.minimum_n > 1)


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_it_says_how_its_error_is_got_and_what_one_sided_input_gives(metric, task):
    assert metric.error_method
    assert task in metric.tasks
    assert "undefined" in metric.degenerate
    assert metric.minimum_n >= 1
    assert metric.ratio is None or metric.by_class
