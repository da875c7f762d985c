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
    RankingSummary,
    RegressionSummary,
    _multiclass,
    _scores,
    binary_summary,
    multiclass_summary,
    performance_metric,
    performance_metrics,
    ranking_summary,
    regression_summary,
    two_classes,
)
from dagster_monitoring.statistics.undefined import Undefined

EMPTY = {
    "binary_classification": BinarySummary(),
    "multiclass_classification": MulticlassSummary(),
    "regression": RegressionSummary(),
    "ranking": RankingSummary(),
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
    "ranking": st.lists(
        st.tuples(
            st.integers(0, 4), st.one_of(st.integers(-1, 3), st.just(math.nan)), st.integers(0, 3)
        ),
        max_size=25,
    ),
}
EVERY = [
    pytest.param(metric, task, id=f"{name}-{task}")
    for name, metric in performance_metrics().items()
    for task in sorted(metric.tasks)
]
TASKS = pytest.mark.parametrize("task", sorted(ROWS))
quick = settings(max_examples=8, deadline=None)


def summarise(task, rows):
    if task == "regression":
        pairs = np.array(rows, dtype=float).reshape(-1, 2)
        return regression_summary(pairs[:, 0], pairs[:, 1])
    if task == "ranking":
        table = np.array(rows, dtype=float).reshape(-1, 3)
        return ranking_summary(table[:, 0].astype(np.int64), table[:, 1], table[:, 2], k=3)
    first, second, scores = zip(*rows, strict=True) if rows else ((), (), ())
    if task == "binary_classification":
        labels, predictions = (np.array(part, dtype=bool) for part in (first, second))
        return binary_summary(labels, predictions, np.array(scores, dtype=float))
    labels, predictions = (np.array(part, dtype=np.int64) for part in (first, second))
    columns = np.array(scores, dtype=float).reshape(-1, 3).T
    return multiclass_summary(
        labels, predictions, classes=CLASSES, scores=dict(zip(CLASSES, columns, strict=True))
    )


def drawn_apart(data, task, parts):
    """Rows of several parts; a query never lies in two of them."""
    drawn = [data.draw(ROWS[task]) for _ in range(parts)]
    if task != "ranking":
        return drawn
    return [[(q + 10 * i, y, s) for q, y, s in part] for i, part in enumerate(drawn)]


def plain(value):
    """All that a summary holds, in a form that compares exactly."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if hasattr(value, "items"):
        return {name: plain(part) for name, part in value.items()}
    return value


def same(left, right):
    """Equal to the last bit."""
    assert type(left) is type(right)
    assert plain(left) == plain(right)
    return True


@TASKS
@pytest.mark.parametrize("exact_scores", [2**20, 5])
@quick
@given(data=st.data())
def test_parts_add_up_to_the_whole_in_any_grouping(task, exact_scores, data):
    parts = drawn_apart(data, task, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scores, "MAX_EXACT_SCORES", exact_scores)
        a, b, c = (summarise(task, part) for part in parts)
        rows = [row for part in parts for row in part]
        whole = summarise(task, data.draw(st.permutations(rows)))
        assert same((a + b) + c, whole)
        assert same(a + (b + c), whole)


@TASKS
@quick
@given(data=st.data())
def test_addition_commutes_and_the_empty_summary_changes_nothing(task, data):
    a, b = (summarise(task, part) for part in drawn_apart(data, task, 2))
    assert same(a + b, b + a)
    assert same(a + EMPTY[task], a)
    assert same(EMPTY[task] + a, a)
    assert (a + b).n_labelled == a.n_labelled + b.n_labelled


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
        np.array([1.0, np.nan, 2.0, np.inf]), np.array([1.5, 1.0, np.inf, 1.0])
    )
    assert (rows.n_labelled, rows.total("error")) == (1, 0.5)


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


@pytest.mark.parametrize("name", ["mae", "mse", "rmse", "bias", "r2"])
def test_numbers_that_overflow_give_a_reason_and_no_infinity(name):
    rows = regression_summary(np.array([1.7e308, 1e308]), np.array([-1.7e308, 0.0]))
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
# whose straight lines flatter, chance agreement among several classes.
NOT_MONOTONE = {"ece", "ece_equal_mass", "explained_variance", "pr_auc", "bias"}
NOT_MONOTONE_OF_SEVERAL = {"mcc", "cohen_kappa"}


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


@pytest.mark.parametrize("name", ["ndcg", "mrr", "precision_at_k", "map"])
@quick
@given(data=st.data())
def test_raising_the_most_relevant_row_of_a_query_never_makes_it_worse(name, data):
    rows = data.draw(ROWS["ranking"].filter(lambda rows: any(y > 0 for _, y, _ in rows)))
    best = max((i for i in range(len(rows)) if rows[i][1] > 0), key=lambda i: rows[i][1])
    own = [y for q, y, _ in rows if q == rows[best][0] and not math.isnan(y)]
    if rows[best][1] < max(own):
        return
    raised = [(q, y, 9) if i == best else (q, y, s) for i, (q, y, s) in enumerate(rows)]
    before, after = (
        performance_metric(name).compute(summarise("ranking", given)) for given in (rows, raised)
    )
    assert after >= before - 1e-12


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


def test_a_million_class_names_take_bounded_room_and_add_in_any_order():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_multiclass, "MAX_CLASSES", 20)
        parts = []
        for start in (0, 40, 10):
            names = [f"c{i}" for i in range(start, start + 60)]
            at = np.arange(60)
            parts.append(multiclass_summary(at, np.roll(at, start), classes=names))
        a, b, c = parts
        assert same((a + b) + c, a + (b + c))
        assert same((a + b) + c, c + (a + b))
        total = (a + b) + c
    assert len(total.classes) == 20
    assert "<other>" in total.classes
    assert (total.n_labelled, total.n_correct) == (180, 60)
    assert performance_metric("accuracy").compute(total) == pytest.approx(1 / 3)


def test_a_query_without_a_relevant_row_is_counted_and_left_out():
    rows = summarise("ranking", [(0, 0, 1), (0, 0, 2), (1, 2, 1)])
    assert (rows.n_queries, rows.n_queries_without) == (1, 1)
    value = performance_metric("ndcg").compute(summarise("ranking", [(0, 0, 1)]))
    assert "none of 1 queries" in value.reason


def test_two_classes_have_their_table_by_truth_and_guess():
    rows = binary_summary(np.array([True, True, False]), np.array([True, False, True]), None)
    assert two_classes(rows).tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize(("metric", "task"), EVERY)
def test_it_says_how_its_error_is_got_and_what_one_sided_input_gives(metric, task):
    assert metric.error_method
    assert task in metric.tasks
    assert "undefined" in metric.degenerate
    assert metric.minimum_n >= 1
    assert metric.ratio is None or metric.by_class
