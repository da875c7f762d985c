"""Performance metrics against scikit-learn on the raw rows, and numbers worked out by hand."""

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from dagster_monitoring.statistics.performance import (
    binary_summary,
    multiclass_summary,
    performance_metric,
    performance_metrics,
    regression_summary,
)

CLASSES = ["fir", "ash", "oak", "elm"]
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
}
REGRESSION = {
    "mae": sk.mean_absolute_error,
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mape": sk.mean_absolute_percentage_error,
    "r2": sk.r2_score,
    "bias": lambda y, z: np.mean(z) - np.mean(y),
}


def test_no_metric_is_without_a_golden_value_for_each_of_its_tasks():
    golden = {
        "binary_classification": BINARY,
        "multiclass_classification": MULTICLASS,
        "regression": REGRESSION,
    }
    for task, table in golden.items():
        named = {name for name, m in performance_metrics().items() if task in m.tasks}
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


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", sorted(REGRESSION))
def test_regression_equals_scikit_learn(name, seed):
    generator = np.random.default_rng(seed)
    label = generator.normal(40, 15, 700)
    label[: 3 * seed] = 0.0
    prediction = label + generator.normal(2, 8, 700)
    rows = regression_summary(label, prediction, centre=37.0)
    expected = REGRESSION[name](label, prediction)
    assert performance_metric(name).compute(rows) == pytest.approx(expected, rel=1e-9)


def test_r2_survives_labels_far_from_zero():
    generator = np.random.default_rng(6)
    label = 2.0**33 + np.round(generator.normal(0, 1, 500), 3)
    prediction = label + np.round(generator.normal(0, 0.3, 500), 3)
    rows = regression_summary(label, prediction, centre=2.0**33)
    exact = sk.r2_score(label - 2.0**33, prediction - 2.0**33)
    assert performance_metric("r2").compute(rows) == pytest.approx(exact, rel=1e-9)


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
