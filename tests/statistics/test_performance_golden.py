"""Metrics of classifiers against scikit-learn on the raw rows, and numbers worked out by hand."""

import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import rankdata
from sklearn import exceptions as sk_exceptions
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from dagster_monitoring.statistics.performance import (
    binary_summary,
    multiclass_summary,
    performance_metric,
    performance_metrics,
)

CLASSES = ["fir", "ash", "oak", "elm"]
DEMO = Path(__file__).parents[2] / "dagster_monitoring" / "demo" / "data"


def _trapezia(label, score):
    precision, recall, _ = sk.precision_recall_curve(label, score)
    return sk.auc(recall, precision)


def _calibration(label, score, place):
    """The mean distance of a bin's mean score from its share of positives, by rows."""
    gaps = [
        (place == b).sum() * abs(score[place == b].mean() - label[place == b].mean())
        for b in np.unique(place)
    ]
    return sum(gaps) / len(score)


def _specificity(label, prediction):
    classes = sorted({*label.tolist(), *prediction.tolist()})
    return np.mean([sk.recall_score(label != c, prediction != c) for c in classes])


def _one_by_one(metric):
    """The mean over classes against the rest; the columns are in the order of ``CLASSES``."""
    return lambda y, _z, p: np.mean([metric(y == c, p[:, c]) for c in range(4)])


def _top(label, score, k):
    """Columns by name, since the class whose name sorts last wins a tie."""
    order = np.argsort(CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sk_exceptions.UndefinedMetricWarning)
        return sk.top_k_accuracy_score(np.argsort(order)[label], score[:, order], k=k)


BINARY = {
    "accuracy": lambda y, z, _p: sk.accuracy_score(y, z),
    "precision": lambda y, z, _p: sk.precision_score(y, z),
    "recall": lambda y, z, _p: sk.recall_score(y, z),
    "f1": lambda y, z, _p: sk.f1_score(y, z),
    "f2": lambda y, z, _p: sk.fbeta_score(y, z, beta=2),
    "roc_auc": lambda y, _z, p: sk.roc_auc_score(y, p),
    "average_precision": lambda y, _z, p: sk.average_precision_score(y, p),
    "log_loss": lambda y, _z, p: sk.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15)),
    "brier": lambda y, _z, p: sk.brier_score_loss(y, p),
    "specificity": lambda y, z, _p: sk.recall_score(~y, ~z),
    "balanced_accuracy": lambda y, z, _p: sk.balanced_accuracy_score(y, z),
    "mcc": lambda y, z, _p: sk.matthews_corrcoef(y, z),
    "cohen_kappa": lambda y, z, _p: sk.cohen_kappa_score(y, z),
    "pr_auc": lambda y, _z, p: _trapezia(y, p),
    "brier_skill": lambda y, _z, p: 1 - sk.brier_score_loss(y, p) / np.var(y),
    "ece": lambda y, _z, p: _calibration(y, p, np.digitize(p, np.arange(1, 10) / 10)),
    "ece_equal_mass": lambda y, _z, p: _calibration(
        y, p, ((rankdata(p) - 0.5) / len(p) * 10).astype(int)
    ),
}


MULTICLASS = {
    "accuracy": lambda y, z, _p: sk.accuracy_score(y, z),
    "precision": lambda y, z, _p: sk.precision_score(y, z, average="macro", zero_division=0),
    "recall": lambda y, z, _p: sk.recall_score(y, z, average="macro", zero_division=0),
    "f1": lambda y, z, _p: sk.f1_score(y, z, average="macro", zero_division=0),
    "f2": lambda y, z, _p: sk.fbeta_score(y, z, beta=2, average="macro", zero_division=0),
    "roc_auc": lambda y, _z, p: sk.roc_auc_score(y, p, multi_class="ovr", average="macro"),
    "average_precision": lambda y, _z, p: sk.average_precision_score(
        label_binarize(y, classes=range(4)), p, average="macro"
    ),
    "log_loss": lambda y, _z, p: sk.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15)),
    "brier": lambda y, _z, p: np.mean(np.sum((p - np.eye(4)[y]) ** 2, axis=1)),
    "specificity": lambda y, z, _p: _specificity(y, z),
    "balanced_accuracy": lambda y, z, _p: sk.balanced_accuracy_score(y, z),
    "mcc": lambda y, z, _p: sk.matthews_corrcoef(y, z),
    "cohen_kappa": lambda y, z, _p: sk.cohen_kappa_score(y, z),
    "pr_auc": _one_by_one(_trapezia),
    "top_2_accuracy": lambda y, _z, p: _top(y, p, 2),
    "top_3_accuracy": lambda y, _z, p: _top(y, p, 3),
    "top_5_accuracy": lambda y, _z, p: _top(y, p, 5),
}


def test_no_metric_of_a_classifier_is_without_a_golden_value():
    for task, table in (("binary", BINARY), ("multiclass", MULTICLASS)):
        named = {n for n, m in performance_metrics().items() if f"{task}_classification" in m.tasks}
        assert named == set(table)


def _binary_rows(seed, rows=2000):
    """Scores with ties, zeros and ones; the classes are unbalanced."""
    generator = np.random.default_rng(seed)
    score = np.clip(np.round(generator.beta(1, 3, rows) * 1.1 - 0.02, 2 + seed), 0, 1)
    label = generator.random(rows) < 0.1 + 0.6 * score
    return label, score > 0.35, score


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", sorted(BINARY))
def test_two_classes_equal_scikit_learn(name, seed):
    label, prediction, score = _binary_rows(seed)
    found = performance_metric(name).compute(binary_summary(label, prediction, score))
    assert found == pytest.approx(BINARY[name](label, prediction, score), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", sorted(MULTICLASS))
def test_several_classes_equal_scikit_learn(name, seed):
    """One class is never predicted."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, 4, 900)
    score = generator.dirichlet([2, 1, 1, 0.5], 900) * 0.7
    score[np.arange(900), label] += 0.3
    prediction = score[:, :3].argmax(axis=1)
    rows = multiclass_summary(
        label,
        prediction,
        classes=CLASSES,
        scores=dict(zip(CLASSES, score.T, strict=True)),
    )
    expected = MULTICLASS[name](label, prediction, score)
    assert performance_metric(name).compute(rows) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["precision", "recall", "f1", "f2", "accuracy"])
def test_a_class_that_no_row_has_is_not_averaged(name):
    label, prediction = np.array([0, 0, 1, 1, 1, 3]), np.array([0, 1, 1, 1, 0, 0])
    rows = multiclass_summary(label, prediction, classes=CLASSES)
    expected = MULTICLASS[name](label, prediction, None)
    assert performance_metric(name).compute(rows) == pytest.approx(expected, rel=1e-9)


def test_rounded_class_scores_are_rescaled_for_the_log_loss():
    generator = np.random.default_rng(4)
    label = generator.integers(0, 4, 300)
    score = np.round(generator.dirichlet([1, 1, 1, 1], 300), 2)
    rows = multiclass_summary(
        label, label, classes=CLASSES, scores=dict(zip(CLASSES, score.T, strict=True))
    )
    unit = np.clip(score / score.sum(axis=1, keepdims=True), 1e-15, 1)
    expected = sk.log_loss(label, unit / unit.sum(axis=1, keepdims=True))
    assert performance_metric("log_loss").compute(rows) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", sorted(BINARY))
def test_the_demos_flights_equal_scikit_learn(name):
    table = pq.read_table(DEMO / "baseline.parquet")
    label = table["delayed15"].to_numpy() == 1
    prediction = table["delay15_pred"].to_numpy() == 1
    score = table["delay15_proba"].to_numpy().astype(float)
    found = performance_metric(name).compute(binary_summary(label, prediction, score))
    assert found == pytest.approx(BINARY[name](label, prediction, score), rel=1e-9)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize(
    ("name", "scorer"),
    [
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("f1", sk.f1_score),
        ("f2", lambda y, z, **how: sk.fbeta_score(y, z, beta=2, **how)),
    ],
)
def test_averages_over_classes_are_scikit_learns(name, scorer, average):
    generator = np.random.default_rng(11)
    label = generator.choice(4, 500, p=[0.6, 0.2, 0.15, 0.05])
    prediction = np.where(generator.random(500) < 0.6, label, generator.integers(0, 3, 500))
    rows = multiclass_summary(label, prediction, classes=CLASSES)
    found = performance_metric(name).ratio.value(rows, average)
    expected = scorer(label, prediction, average=average, zero_division=0)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_class_without_scores_is_left_out_of_a_mean_over_curves(name):
    generator = np.random.default_rng(14)
    label = generator.choice([0, 2], 200)
    score = np.where(label[:, None] == [0, 2], generator.random((200, 2)) ** [0.8, 0.3], 0.5)
    rows = multiclass_summary(
        label, label, classes=["ash", "elm", "oak"], scores={"ash": score[:, 0], "oak": score[:, 1]}
    )
    apart = [BINARY[name](label == c, None, score[:, i]) for i, c in enumerate((0, 2))]
    assert apart[0] != pytest.approx(apart[1], rel=0.01)
    assert performance_metric(name).compute(rows) == pytest.approx(np.mean(apart), rel=1e-9)


@pytest.mark.parametrize("name", ["precision", "recall", "f1", "roc_auc", "average_precision"])
def test_one_class_against_the_rest_equals_scikit_learn(name):
    generator = np.random.default_rng(12)
    label = generator.integers(0, 4, 400)
    score = generator.dirichlet([1, 1, 1, 1], 400)
    prediction = score.argmax(axis=1)
    rows = multiclass_summary(
        label, prediction, classes=CLASSES, scores=dict(zip(CLASSES, score.T, strict=True))
    )
    for at, cls in enumerate(CLASSES):
        found = performance_metric(name).compute(rows.against_rest(cls))
        expected = BINARY[name](label == at, prediction == at, score[:, at])
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", 5 / 8),
        ("precision", 2 / 3),
        ("recall", 2 / 4),
        ("f1", 4 / 7),
        ("f2", 10 / 19),
        ("roc_auc", (4 + 3 + 1.5 + 0.5) / 16),
        ("brier", (0.01 + 0.16 + 0.64 + 0.81 + 0.49 + 0.16 + 0.04 + 0.01) / 8),
    ],
)
def test_eight_rows_by_hand(name, expected):
    """Positives score .9 .6 .2 .1, negatives .7 .4 .2 .1; a pair won counts 1, a tie one half.

    Won: .9 beats 4; .6 beats 3; .2 beats 1 and ties 1; .1 ties 1.
    """
    label = np.array([True] * 4 + [False] * 4)
    score = np.array([0.9, 0.6, 0.2, 0.1, 0.7, 0.4, 0.2, 0.1])
    found = performance_metric(name).compute(binary_summary(label, score > 0.5, score))
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_sure_and_wrong_score_costs_a_finite_log_loss():
    rows = binary_summary(np.array([True]), np.array([False]), np.array([0.0]))
    assert performance_metric("log_loss").compute(rows) == pytest.approx(-np.log(1e-15))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_more_scores_than_are_kept_apart_change_a_ranking_by_little(name):
    """A million scores and more, most of them near 0 as for a rare event."""
    generator = np.random.default_rng(9)
    score = generator.random(1_100_000) ** 4
    label = generator.random(len(score)) < score
    rows = binary_summary(label, label, score)
    assert not rows.score_counts.exact
    expected = BINARY[name](label, label, score)
    assert performance_metric(name).compute(rows) == pytest.approx(expected, abs=2e-5)
