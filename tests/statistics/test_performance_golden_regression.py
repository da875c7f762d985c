"""Metrics of a regression against scikit-learn on the raw rows."""

import numpy as np
import pytest
from sklearn import metrics as sk

from dagster_monitoring.statistics.performance import (
    performance_metric,
    performance_metrics,
    regression_summary,
)

REGRESSION = {
    "mae": sk.mean_absolute_error,
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mape": sk.mean_absolute_percentage_error,
    "r2": sk.r2_score,
    "bias": lambda y, z: np.mean(z) - np.mean(y),
    "median_absolute_error": sk.median_absolute_error,
    "rmsle": sk.root_mean_squared_log_error,
    "wape": lambda y, z: np.abs(z - y).sum() / np.abs(y).sum(),
    "smape": lambda y, z: np.mean(2 * np.abs(z - y) / (np.abs(z) + np.abs(y))),
    "explained_variance": sk.explained_variance_score,
    "pinball_10": lambda y, z: sk.mean_pinball_loss(y, z, alpha=0.1),
    "pinball_50": lambda y, z: sk.mean_pinball_loss(y, z, alpha=0.5),
    "pinball_90": lambda y, z: sk.mean_pinball_loss(y, z, alpha=0.9),
}


def test_no_metric_of_regression_is_without_a_golden_value():
    assert set(REGRESSION) == {
        n for n, m in performance_metrics().items() if "regression" in m.tasks
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", sorted(REGRESSION))
def test_regression_equals_scikit_learn(name, seed):
    generator = np.random.default_rng(seed)
    label = np.abs(generator.normal(40, 15, 700))
    label[: 3 * seed] = 0.0
    prediction = np.abs(label + generator.normal(2, 8, 700))
    rows = regression_summary(label, prediction)
    expected = REGRESSION[name](label, prediction)
    tolerance = 2.0**-7 if name == "median_absolute_error" else 1e-9
    assert performance_metric(name).compute(rows) == pytest.approx(expected, rel=tolerance)


def test_the_quantiles_of_errors_are_within_the_stated_share():
    generator = np.random.default_rng(13)
    error = np.exp(generator.normal(0, 6, 4001))
    counts = regression_summary(np.zeros(4001), error).absolute_errors
    for share in (0.01, 0.25, 0.5, 0.9, 0.999):
        expected = np.quantile(error, share, method="inverted_cdf")
        assert counts.quantile(share) == pytest.approx(expected, rel=2.0**-7)
    assert len(counts.cells) < 4000


def test_r2_survives_labels_far_from_zero():
    generator = np.random.default_rng(6)
    label = 2.0**33 + np.round(generator.normal(0, 1, 500), 3)
    prediction = label + np.round(generator.normal(0, 0.3, 500), 3)
    rows = regression_summary(label, prediction)
    exact = sk.r2_score(label - 2.0**33, prediction - 2.0**33)
    assert performance_metric("r2").compute(rows) == pytest.approx(exact, rel=1e-9)
