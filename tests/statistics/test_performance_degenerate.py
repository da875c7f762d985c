"""What metrics say of rows that are one-sided, constant or too large: a reason, or the limit."""

import numpy as np
import pytest

from dagster_monitoring.statistics.performance import (
    BinarySummary,
    MulticlassSummary,
    ScoreCounts,
    binary_summary,
    multiclass_summary,
    performance_metric,
    regression_summary,
)
from dagster_monitoring.statistics.undefined import Undefined
from tests.statistics.labelled_rows import summarise, value

NO, YES = [False] * 4, [True] * 4


@pytest.mark.parametrize(
    ("name", "label", "prediction", "reason"),
    [
        ("precision", [True, *NO], [False, *NO], "predicted positive"),
        ("recall", NO, YES, "no positive label"),
        ("f1", NO, NO, "no positive label and none predicted"),
        ("f2", NO, NO, "no positive label and none predicted"),
        ("roc_auc", NO, NO, "no positive label"),
        ("roc_auc", YES, NO, "no negative label"),
        ("average_precision", NO, NO, "no positive label"),
        ("average_precision", YES, YES, "no negative label"),
        ("pr_auc", NO, NO, "no positive label"),
        ("specificity", YES, NO, "no negative label"),
        ("balanced_accuracy", YES, NO, "labels of one class only"),
        ("mcc", [True, *NO], [False] * 5, "all predictions, are of one class"),
        ("cohen_kappa", NO, NO, "all predictions are of one class"),
        ("brier_skill", YES, NO, "all labels are the same"),
    ],
)
def test_a_day_of_one_class_gives_a_reason(name, label, prediction, reason):
    truth = np.array(label)
    rows = binary_summary(truth, np.array(prediction), np.linspace(0, 1, len(truth)))
    value = performance_metric(name).compute(rows)
    assert isinstance(value, Undefined)
    assert reason in value.reason


@pytest.mark.parametrize("name", ["recall", "f1", "f2"])
def test_positives_that_are_all_missed_are_a_zero(name):
    rows = binary_summary(np.array(YES), np.array(NO), None)
    assert performance_metric(name).compute(rows) == 0.0


def test_one_class_against_the_rest_without_rows_is_named():
    rows = summarise(
        "multiclass_classification", [(0, 0, (0.5, 0.3, 0.2)), (1, 1, (0.2, 0.6, 0.2))]
    )
    value = performance_metric("roc_auc").compute(rows)
    assert isinstance(value, Undefined)
    assert "'oak'" in value.reason


@pytest.mark.parametrize(
    "label", [[5.0], [5.0, 5.0, 5.0], [0.1, 0.1], [1.9491197979935774e-155] * 4]
)
def test_equal_labels_have_no_r2(label):
    truth = np.array(label)
    rows = regression_summary(truth, truth + 1)
    for name in ("r2", "explained_variance"):
        assert isinstance(performance_metric(name).compute(rows), Undefined)


def test_labels_of_no_judged_class_leave_an_average_by_labels_no_weight():
    rows = binary_summary(np.array(NO), np.array(YES), None)
    ratio = performance_metric("precision").ratio
    assert ratio.value(rows) == 0.0
    for ask in (ratio.value, ratio.error):
        found = ask(rows, "weighted")
        assert isinstance(found, Undefined)
        assert "class that is judged" in found.reason


@pytest.mark.parametrize("name", ["mae", "mse", "rmse", "bias", "r2"])
def test_numbers_that_overflow_give_a_reason_and_no_infinity(name):
    rows = regression_summary(np.array([1.7e308, 1e308]), np.array([-1.7e308, 0.0]))
    value = performance_metric(name).compute(rows)
    assert isinstance(value, Undefined)
    assert "too large" in value.reason


@pytest.mark.parametrize(
    ("name", "expected"), [("roc_auc", 0.5), ("average_precision", 0.3), ("brier_skill", 0.0)]
)
def test_constant_scores_tell_nothing(name, expected):
    label = np.arange(100) % 10 < 3
    rows = binary_summary(label, label, np.full(100, 0.3))
    assert performance_metric(name).compute(rows) == pytest.approx(expected)


def test_logarithms_of_what_is_below_minus_one_are_refused():
    rows = regression_summary(np.array([1.0, -1.0]), np.array([1.0, 2.0]))
    for ask in (performance_metric("rmsle").compute, performance_metric("rmsle").standard_error):
        value = ask(rows)
        assert isinstance(value, Undefined)
    assert "-1 or below" in performance_metric("rmsle").compute(rows).reason


def test_one_huge_label_leaves_what_does_not_overflow():
    rows = regression_summary(np.array([1e200, 1.0]), np.array([0.0, 1.0]))
    assert performance_metric("mae").compute(rows) == 5e199
    assert isinstance(performance_metric("mse").compute(rows), Undefined)


@pytest.mark.parametrize("name", ["r2", "explained_variance"])
def test_labels_that_hardly_differ_have_a_sampling_error(name):
    rows = regression_summary(np.array([0.0, 5e-135] * 2), np.array([0.0, 1.0] * 2))
    metric = performance_metric(name)
    assert metric.compute(rows) < -1e266
    assert 0 <= metric.standard_error(rows) < float("inf")


@pytest.mark.parametrize("name", ["r2", "explained_variance"])
def test_labels_that_differ_by_less_than_a_ratio_can_say_have_a_reason(name):
    rows = regression_summary(np.array([0.0, 6.9e-154] * 2), np.array([0.0, 70.0] * 2))
    metric = performance_metric(name)
    assert isinstance(metric.compute(rows), Undefined)
    assert isinstance(metric.standard_error(rows), Undefined)


def test_scores_of_classes_that_are_not_kept_have_no_curve():
    rows = MulticlassSummary(
        classes=("a",), confusion=np.array([[3]]), n_scored=3, per_class=(ScoreCounts(),)
    )
    found = value("roc_auc", rows)
    assert isinstance(found, Undefined)
    assert "kept apart" in found.reason


def test_no_scores_of_two_classes_are_said_as_such():
    rows = BinarySummary(n_labelled=1, true_positive=1)
    for name in ("ece", "brier_skill", "roc_auc"):
        for ask in (performance_metric(name).compute, performance_metric(name).standard_error):
            assert "score within 0..1" in ask(rows).reason


def test_a_class_that_is_predicted_alone_has_no_recall():
    rows = multiclass_summary(np.array([0, 0, 1]), np.array([0, 2, 1]), classes=["a", "b", "c"])
    assert value("balanced_accuracy", rows) == 0.75


def test_one_positive_of_three_is_enough_for_a_skill():
    label = np.array([True, False, False])
    rows = binary_summary(label, label, np.array([0.5, 0.5, 0.0]))
    assert value("brier_skill", rows) == pytest.approx(1 - (0.5 / 3) / (2 / 9))


def test_one_row_that_is_wrong_agrees_by_nothing():
    rows = binary_summary(np.array([True]), np.array([False]), None)
    assert value("cohen_kappa", rows) == 0.0
    assert isinstance(value("mcc", rows), Undefined)
    two = binary_summary(np.array([True, False]), np.array([False, True]), None)
    assert (value("mcc", two), value("cohen_kappa", two)) == (-1.0, -1.0)


@pytest.mark.parametrize(
    ("label", "guess"),
    [([0, 0, 0], [0, 1, 1]), ([0, 1, 1], [0, 0, 0]), ([1, 1, 1], [1, 1, 1])],
)
def test_no_correlation_with_what_is_all_of_one_class(label, guess):
    rows = binary_summary(np.array(label) == 1, np.array(guess) == 1, None)
    for ask in (performance_metric("mcc").compute, performance_metric("mcc").standard_error):
        found = ask(rows)
        assert isinstance(found, Undefined)
        assert "one class" in found.reason
