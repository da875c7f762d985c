"""What every summary and every performance metric owes, whichever it is."""

import functools
import math
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.performance import (
    BinarySummary,
    MulticlassSummary,
    RegressionSummary,
    _scores,
    binary_summary,
    multiclass_summary,
    performance_metric,
    performance_metrics,
    regression_summary,
)
from dagster_monitoring.statistics.undefined import Undefined

EMPTY = {
    "binary_classification": BinarySummary(),
    "multiclass_classification": MulticlassSummary(),
    "regression": RegressionSummary(),
}
CLASSES = ("ash", "elm", "oak")
SCORE = st.one_of(st.integers(0, 16).map(lambda i: i / 16), st.floats(0, 1), st.just(math.nan))
CLASS = st.integers(0, 2)
NUMBER = st.floats(-1e3, 1e3, allow_subnormal=False)
ROWS = {
    "binary_classification": st.lists(st.tuples(st.booleans(), st.booleans(), SCORE), max_size=25),
    "multiclass_classification": st.lists(
        st.tuples(CLASS, CLASS, st.tuples(SCORE, SCORE, SCORE)), max_size=25
    ),
    "regression": st.lists(st.tuples(NUMBER, NUMBER), max_size=25),
}
EVERY = [
    pytest.param(metric, task, id=f"{name}-{task}")
    for name, metric in performance_metrics().items()
    for task in sorted(metric.tasks)
]
TASKS = pytest.mark.parametrize("task", sorted(ROWS))
quick = settings(max_examples=12, deadline=None)


def summarise(task, rows, centre=3.0):
    if task == "regression":
        pairs = np.array(rows, dtype=float).reshape(-1, 2)
        return regression_summary(pairs[:, 0], pairs[:, 1], centre=centre)
    first, second, scores = zip(*rows, strict=True) if rows else ((), (), ())
    if task == "binary_classification":
        labels, predictions = (np.array(part, dtype=bool) for part in (first, second))
        return binary_summary(labels, predictions, np.array(scores, dtype=float))
    labels, predictions = (np.array(part, dtype=np.int64) for part in (first, second))
    columns = np.array(scores, dtype=float).reshape(-1, 3).T
    return multiclass_summary(
        labels, predictions, classes=CLASSES, scores=dict(zip(CLASSES, columns, strict=True))
    )


def same(left, right):
    """Field by field: counts equal, sums up to rounding."""
    assert type(left) is type(right)
    for name in left.__dataclass_fields__:
        one, other = getattr(left, name), getattr(right, name)
        if hasattr(one, "__dataclass_fields__"):
            same(one, other)
        elif isinstance(one, tuple) and one and hasattr(one[0], "__dataclass_fields__"):
            for a, b in zip(one, other, strict=True):
                same(a, b)
        elif isinstance(one, np.ndarray):
            assert one.tolist() == other.tolist()
        elif isinstance(one, float):
            assert one == pytest.approx(other, rel=1e-9, abs=1e-6)
        else:
            assert one == other
    return True


@TASKS
@pytest.mark.parametrize("exact_scores", [2**20, 5])
@quick
@given(data=st.data())
def test_parts_add_up_to_the_whole_in_any_grouping(task, exact_scores, data):
    parts = [data.draw(ROWS[task]) for _ in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", exact_scores)
        a, b, c = (summarise(task, part) for part in parts)
        whole = summarise(task, [row for part in parts for row in part])
        assert same((a + b) + c, whole)
        assert same(a + (b + c), whole)


@TASKS
@quick
@given(data=st.data())
def test_addition_commutes_and_the_empty_summary_changes_nothing(task, data):
    a, b = (summarise(task, data.draw(ROWS[task])) for _ in range(2))
    assert same(a + b, b + a)
    assert same(a + EMPTY[task], a + summarise(task, []))
    if a.n_labelled:
        assert same(EMPTY[task] + a, a)
    assert (a + b).n_labelled == a.n_labelled + b.n_labelled


@quick
@given(left=ROWS["regression"].filter(bool), right=ROWS["regression"], centre=NUMBER)
def test_summaries_on_other_centres_add_to_the_same_metrics(left, right, centre):
    moved = summarise("regression", left) + summarise("regression", right, centre=centre)
    assert same(moved, summarise("regression", left + right))


def test_classes_are_united_when_added():
    one = multiclass_summary(np.array([0]), np.array([1]), classes=["b", "a"])
    other = multiclass_summary(np.array([0]), np.array([0]), classes=["c"])
    total = one + other
    assert total.classes == ("a", "b", "c")
    assert total.confusion.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_scores_of_one_part_survive_a_part_without_scores():
    scored = summarise("multiclass_classification", [(0, 1, (0.5, 0.25, 0.25))])
    bare = multiclass_summary(np.array([0]), np.array([0]), classes=["yew"])
    for total in (scored + bare, bare + scored):
        assert total.n_labelled == 2
        assert total.n_scored == 1
        assert [counts.n for counts in total.per_class] == [1, 1, 1, 0]


def test_a_row_whose_true_class_has_no_score_is_not_scored():
    rows = multiclass_summary(
        np.array([0, 1]), np.array([0, 0]), classes=["a", "b"], scores={"a": np.array([0.5, 0.5])}
    )
    assert (rows.n_labelled, rows.n_scored) == (2, 1)


def test_a_score_that_is_missing_or_no_probability_is_not_scored():
    label = np.array([True, False, True, False])
    rows = binary_summary(label, label, np.array([0.5, np.nan, 1.5, -0.1]))
    assert (rows.n_labelled, rows.n_scored) == (4, 1)


def test_regression_rows_that_are_not_finite_are_left_out():
    rows = regression_summary(
        np.array([1.0, np.nan, 2.0, np.inf]), np.array([1.5, 1.0, np.inf, 1.0]), centre=0.0
    )
    assert (rows.n_labelled, rows.error_sum) == (1, 0.5)


@pytest.mark.parametrize(("metric", "task"), EVERY)
@quick
@given(data=st.data())
def test_a_metric_is_a_finite_float_within_its_bounds_or_a_reason(metric, task, data):
    value = metric.compute(summarise(task, data.draw(ROWS[task])))
    if isinstance(value, Undefined):
        assert value.reason
        return
    low, high = metric.bounds
    assert type(value) is float
    assert math.isfinite(value)
    assert low <= value <= high


@pytest.mark.parametrize(("metric", "task"), EVERY)
@quick
@given(data=st.data())
def test_a_metric_of_added_parts_is_that_of_all_rows(metric, task, data):
    parts = data.draw(st.lists(ROWS[task], min_size=1, max_size=4))
    added = functools.reduce(operator.add, (summarise(task, part) for part in parts))
    apart = metric.compute(added)
    whole = metric.compute(summarise(task, [row for part in parts for row in part]))
    if isinstance(whole, Undefined):
        assert apart == whole
    else:
        assert apart == pytest.approx(whole, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_no_labels_are_undefined_and_never_zero(metric, task):
    assert isinstance(metric.compute(EMPTY[task]), Undefined)


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_a_metric_refuses_the_summary_of_another_task(metric, task):
    other = "regression" if task != "regression" else "binary_classification"
    with pytest.raises(TypeError, match="defined for"):
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


@pytest.mark.parametrize("label", [[5.0], [5.0, 5.0, 5.0], [0.1, 0.1]])
def test_equal_labels_have_no_r2(label):
    truth = np.array(label)
    for centre in (0.0, 1 / 3, truth[0]):
        rows = regression_summary(truth, truth + 1, centre=centre)
        assert isinstance(performance_metric("r2").compute(rows), Undefined)


@pytest.mark.parametrize("name", ["mae", "mse", "rmse", "bias", "r2"])
def test_numbers_that_overflow_give_a_reason_and_no_infinity(name):
    rows = regression_summary(np.array([1.7e308, 1e308]), np.array([-1.7e308, 0.0]), centre=0.0)
    value = performance_metric(name).compute(rows)
    assert isinstance(value, Undefined)
    assert "too large" in value.reason


def test_scores_beyond_the_cap_are_rounded_in_their_order():
    """Rare events and very sure models keep their resolution: near 0 and near 1."""
    generator = np.random.default_rng(2)
    tiny = 10 ** generator.uniform(-8, -1, 400)
    scores = np.concatenate((tiny, 1 - tiny, [0.0, 1.0, 0.5]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", 10)
        counts = _scores.count_scores(np.sort(scores), np.zeros(len(scores), dtype=bool))
    assert not counts.exact
    assert counts.n == len(scores)
    assert len(counts.scores) > 0.97 * len(scores)
    placed = np.repeat(counts.scores, counts.negatives)
    side = np.minimum(np.sort(scores), 1 - np.sort(scores))
    assert (np.abs(placed - np.sort(scores)) <= side * 2.0**-12).all()


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
