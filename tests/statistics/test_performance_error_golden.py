"""Standard errors against slow ones: of raw rows, or from a slope at each weight."""

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from dagster_monitoring.statistics.performance import (
    BinarySummary,
    binary_summary,
    multiclass_summary,
    performance_metric,
    ranking_summary,
)
from tests.statistics.slow_errors import found, of_mean, of_rows, slopes

CLASSES = ["ash", "elm", "oak"]
TABLE = np.array([[31.0, 9.0], [7.0, 13.0]])
TABLE_OF_THREE = np.array([[40.0, 6.0, 0.0], [9.0, 20.0, 5.0], [2.0, 1.0, 11.0]])


def of_table(metric, table):
    """The error of a metric of a table with four rows more, by the delta method."""
    cells = (table + 4 / table.size).ravel()
    truth, guess = np.divmod(np.arange(table.size), len(table))
    gradient = slopes(lambda weights: metric(truth, guess, sample_weight=weights), cells)
    return math.sqrt((cells * gradient**2).sum())


def agresti(hits, n):
    """The error of a share with two rows more on each side."""
    share = (hits + 2) / (n + 4)
    return math.sqrt(share * (1 - share) / (n + 4))


def two_classes():
    return BinarySummary(
        n_labelled=60, true_negative=31, false_positive=9, false_negative=7, true_positive=13
    )


def rows_of(table):
    truth, guess = np.divmod(np.arange(table.size), len(table))
    times = table.ravel().astype(int)
    return np.repeat(truth, times), np.repeat(guess, times)


def three_classes():
    return multiclass_summary(*rows_of(TABLE_OF_THREE), classes=CLASSES)


def _f2(truth, guess, **how):
    return sk.fbeta_score(truth, guess, beta=2, **how)


RATIOS = {
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
    "f2": _f2,
}


@pytest.mark.parametrize("name", sorted(RATIOS))
def test_the_error_of_a_ratio_of_two_classes_is_by_the_delta_method(name):
    assert found(name, two_classes()) == pytest.approx(of_table(RATIOS[name], TABLE), rel=1e-6)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", sorted(RATIOS))
def test_the_error_of_an_average_is_by_the_delta_method(name, average):
    def metric(truth, guess, *, sample_weight):
        return RATIOS[name](truth, guess, average=average, sample_weight=sample_weight)

    error = performance_metric(name).ratio.error(three_classes(), average)
    assert error == pytest.approx(of_table(metric, TABLE_OF_THREE), rel=1e-6)


def _specificity(truth, guess, *, sample_weight):
    rest = [
        sk.recall_score(truth != c, guess != c, sample_weight=sample_weight)
        for c in range(max(truth) + 1)
    ]
    return np.mean(rest)


def test_the_error_of_the_specificity_is_by_the_delta_method():
    def of_two(truth, guess, *, sample_weight):
        return sk.recall_score(truth, guess, pos_label=0, sample_weight=sample_weight)

    expected = of_table(_specificity, TABLE_OF_THREE)
    assert found("specificity", two_classes()) == pytest.approx(of_table(of_two, TABLE), rel=1e-6)
    assert found("specificity", three_classes()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("name", "metric"), [("mcc", sk.matthews_corrcoef), ("cohen_kappa", sk.cohen_kappa_score)]
)
def test_the_error_of_an_agreement_is_by_the_delta_method(name, metric, several):
    table = TABLE_OF_THREE if several else TABLE
    rows = three_classes() if several else two_classes()
    assert found(name, rows) == pytest.approx(of_table(metric, table), rel=1e-6)


def test_the_errors_of_shares_are_of_shares_with_four_rows_more():
    assert found("accuracy", two_classes()) == pytest.approx(agresti(44, 60))
    assert found("accuracy", three_classes()) == pytest.approx(agresti(71, 94))
    two = math.hypot(agresti(31, 40), agresti(13, 20)) / 2
    three = math.sqrt(agresti(40, 46) ** 2 + agresti(20, 34) ** 2 + agresti(11, 14) ** 2) / 3
    assert found("balanced_accuracy", two_classes()) == pytest.approx(two)
    assert found("balanced_accuracy", three_classes()) == pytest.approx(three)


def scored_rows():
    """Scores with ties, a 0 and a 1."""
    generator = np.random.default_rng(21)
    score = np.round(generator.beta(1, 2, 40), 1)
    score[:2] = (0.0, 1.0)
    label = generator.random(40) < 0.1 + 0.7 * score
    label[:2] = (True, False)
    return label, score


def _trapezia(label, score, weights):
    precision, recall, _ = sk.precision_recall_curve(label, score, sample_weight=weights)
    return sk.auc(recall, precision)


def _delong(label, score):
    """The error of the ROC area from each row's share of the other class that it beats."""
    pairs = np.sign(score[label][:, None] - score[~label][None, :]) / 2 + 0.5
    return math.hypot(of_mean(pairs.mean(axis=1)), of_mean(pairs.mean(axis=0)))


CURVES = {
    "roc_auc": _delong,
    "average_precision": lambda y, p: of_rows(
        lambda w: sk.average_precision_score(y, p, sample_weight=w), len(y)
    ),
    "pr_auc": lambda y, p: of_rows(lambda w: _trapezia(y, p, w), len(y)),
}


@pytest.mark.parametrize("name", sorted(CURVES))
def test_the_error_of_a_curve_is_by_the_weight_of_each_row(name):
    label, score = scored_rows()
    error = found(name, binary_summary(label, label, score))
    assert error == pytest.approx(CURVES[name](label, score), rel=1e-6)


def three_scores():
    generator = np.random.default_rng(22)
    label = generator.integers(0, 3, 30)
    score = generator.dirichlet([1, 1, 1], 30)
    rows = multiclass_summary(
        label, label, classes=CLASSES, scores=dict(zip(CLASSES, score.T, strict=True))
    )
    return label, score, rows


@pytest.mark.parametrize("name", sorted(CURVES))
def test_the_errors_of_several_curves_add_as_of_independent_ones(name):
    label, score, rows = three_scores()
    apart = [CURVES[name](label == c, score[:, c]) for c in range(3)]
    assert found(name, rows) == pytest.approx(np.linalg.norm(apart) / 3, rel=1e-6)


def test_the_errors_of_losses_are_those_of_means():
    label, score = scored_rows()
    rows = binary_summary(label, label, score)
    kept = np.clip(score, 1e-15, 1 - 1e-15)
    loss = -np.log(np.where(label, kept, 1 - kept))
    assert found("log_loss", rows) == pytest.approx(of_mean(loss))
    assert found("brier", rows) == pytest.approx(of_mean((score - label) ** 2))
    label, score, rows = three_scores()
    loss = -np.log(score[np.arange(30), label])
    assert found("log_loss", rows) == pytest.approx(of_mean(loss))
    assert found("brier", rows) == pytest.approx(of_mean(((score - np.eye(3)[label]) ** 2).sum(1)))


def test_the_error_of_the_brier_skill_is_by_the_weight_of_each_row():
    label, score = scored_rows()

    def skill(weights):
        share = np.average(label, weights=weights)
        return 1 - np.average((score - label) ** 2, weights=weights) / (share * (1 - share))

    expected = of_rows(skill, 40) * math.sqrt(40 / 39)
    assert found("brier_skill", binary_summary(label, label, score)) == pytest.approx(
        expected, rel=1e-6
    )


def test_the_error_of_a_calibration_takes_the_side_of_each_bin_as_known():
    """Scores of one bin are too high by 0.05, those of the other too low by 0.25."""
    score = np.repeat([0.15, 0.65], 10)
    label = np.array(([True] + [False] * 9) + ([True] * 9 + [False]))
    signed = np.repeat([1, -1], 10) * (score - label)
    for name in ("ece", "ece_equal_mass"):
        rows = binary_summary(label, label, score)
        assert performance_metric(name).compute(rows) == pytest.approx(0.5 * 0.05 + 0.5 * 0.25)
        assert found(name, rows) == pytest.approx(of_mean(signed))


def test_the_errors_of_rankings_are_those_of_means_over_queries():
    generator = np.random.default_rng(24)
    query = np.repeat(np.arange(30), 5)
    label = generator.choice([0.0, 0.0, 1.0, 3.0], 150)
    label[::5] = 1.0
    score = generator.permutation(150).astype(float)
    whole = ranking_summary(query, label, score, k=3)
    apart = [
        ranking_summary(query[at], label[at], score[at], k=3)
        for at in np.arange(150).reshape(30, 5)
    ]
    for name in ("ndcg", "mrr", "precision_at_k", "map"):
        values = [performance_metric(name).compute(rows) for rows in apart]
        assert found(name, whole) == pytest.approx(of_mean(values))


def test_the_error_of_the_first_places_is_of_a_share_with_four_rows_more():
    names = list("abcdef")
    columns = dict(zip(names, np.array([[0.3, 0.25, 0.2, 0.13, 0.07, 0.05]] * 4).T, strict=True))
    label = np.array([0, 2, 3, 5])
    rows = multiclass_summary(label, label, classes=names, scores=columns)
    for k, hits in ((2, 1), (3, 2), (5, 3)):
        assert performance_metric(f"top_{k}_accuracy").compute(rows) == hits / 4
        assert found(f"top_{k}_accuracy", rows) == pytest.approx(agresti(hits, 4))


def test_two_rows_of_each_class_have_an_error():
    label, score = np.array([True, True, False, False]), np.array([0.9, 0.2, 0.5, 0.1])
    expected = _delong(label, score)
    assert found("roc_auc", binary_summary(label, label, score)) == pytest.approx(expected)
