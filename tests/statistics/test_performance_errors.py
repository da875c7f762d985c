"""Declared sampling errors against how far values really scatter from sample to sample."""

import functools

import numpy as np
import pytest

from dagster_monitoring.statistics.performance import (
    binary_summary,
    multiclass_summary,
    performance_metric,
    performance_metrics,
    ranking_summary,
    regression_summary,
)
from dagster_monitoring.statistics.undefined import Undefined

SAMPLES = 300
ROWS = 600
CLASSES = ["ash", "elm", "fir", "oak", "yew", "box"]
NAMES = performance_metrics()


def _binary(generator):
    """Scores that are off by a third: a calibration error has a side."""
    score = generator.beta(1.5, 3, ROWS)
    return binary_summary(generator.random(ROWS) < score**1.5, score > 0.4, score)


def _multiclass(generator):
    label = generator.choice(6, ROWS, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    score = generator.dirichlet([1] * 6, ROWS) * 0.95
    score[np.arange(ROWS), label] += 0.05
    return multiclass_summary(
        label,
        score.argmax(axis=1),
        classes=CLASSES,
        scores=dict(zip(CLASSES, score.T, strict=True)),
    )


def _regression(generator):
    """Skewed labels far from 0, errors with a heavy tail that grow with the label."""
    label = 20 + generator.gamma(2, 3, ROWS)
    return regression_summary(label, label + 0.5 + generator.standard_t(20, ROWS) * label / 20)


def _ranking(generator):
    query = np.repeat(np.arange(ROWS // 6), 6)
    label = generator.choice([0.0, 0.0, 1.0, 3.0], len(query))
    return ranking_summary(query, label, generator.normal(label, 2.0), k=3)


TASKS = {
    "binary_classification": _binary,
    "multiclass_classification": _multiclass,
    "regression": _regression,
    "ranking": _ranking,
}
EVERY = [(name, task) for name, metric in NAMES.items() for task in sorted(metric.tasks)]
# The summary does not hold how classes err together.
ROUGH = {"roc_auc", "average_precision", "pr_auc"}


@functools.cache
def _samples(task):
    generator = np.random.default_rng(sum(map(ord, task)))
    return [TASKS[task](generator) for _ in range(SAMPLES)]


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_a_declared_error_is_the_spread_between_samples(name, task):
    metric = performance_metric(name)
    values = np.array([metric.compute(rows) for rows in _samples(task)])
    errors = np.array([metric.standard_error(rows) for rows in _samples(task)[:100]])
    ratio = np.sqrt(np.mean(errors**2)) / values.std()
    is_rough = name in ROUGH and task == "multiclass_classification"
    assert ratio == pytest.approx(1, abs=0.25 if is_rough else 0.17)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", [n for n, m in NAMES.items() if m.ratio])
def test_the_error_of_an_average_is_its_spread(name, average):
    ratio = performance_metric(name).ratio
    samples = _samples("multiclass_classification")
    values = np.array([ratio.value(rows, average) for rows in samples])
    errors = np.array([ratio.error(rows, average) for rows in samples[:100]])
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(), rel=0.17)


@pytest.mark.parametrize("name", [n for n, m in NAMES.items() if m.by_class])
def test_the_error_of_one_class_is_its_spread(name):
    metric = performance_metric(name)
    samples = [rows.against_rest("fir") for rows in _samples("multiclass_classification")]
    values = np.array([metric.compute(rows) for rows in samples])
    errors = np.array([metric.standard_error(rows) for rows in samples[:100]])
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(), rel=0.17)


@pytest.mark.parametrize("offset", [0.0, 1e5, 2.0**33])
@pytest.mark.parametrize("name", ["r2", "explained_variance"])
def test_labels_far_from_zero_keep_their_errors(name, offset):
    """Also where the powers of a label hold nothing of its spread any more."""
    generator = np.random.default_rng(3)
    label = np.round(generator.normal(0, 1, 4000), 3)
    error = np.round(generator.normal(0, 0.5, 4000), 3)
    near, far = (
        performance_metric(name).standard_error(
            regression_summary(label + at, (label + at) + error)
        )
        for at in (0.0, offset)
    )
    assert far == pytest.approx(near, rel=0.1)


def test_a_share_of_one_has_an_error_too():
    rows = binary_summary(np.ones(20, dtype=bool), np.ones(20, dtype=bool), None)
    for name in ("accuracy", "recall", "precision", "f1"):
        assert 0.02 < performance_metric(name).standard_error(rows) < 0.1


def test_two_classes_declared_as_several_err_in_step():
    generator = np.random.default_rng(5)
    score = generator.random(500)
    label = generator.random(500) < score
    two = binary_summary(label, label, score)
    several = multiclass_summary(
        label.astype(int),
        label.astype(int),
        classes=["no", "yes"],
        scores={"no": 1 - score, "yes": score},
    )
    for name in ("roc_auc", "average_precision"):
        errors = [performance_metric(name).standard_error(rows) for rows in (two, several)]
        assert errors[1] == pytest.approx(errors[0], rel=0.2)


def test_one_row_has_no_spread():
    rows = regression_summary(np.array([1.0]), np.array([2.0]))
    for name in ("mae", "mse", "rmse", "bias", "wape", "median_absolute_error", "pinball_90"):
        found = performance_metric(name).standard_error(rows)
        assert isinstance(found, Undefined), name
