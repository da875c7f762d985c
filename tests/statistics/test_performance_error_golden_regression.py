"""Standard errors of a regression against slow ones, of the raw rows."""

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from dagster_monitoring.statistics.performance import performance_metrics, regression_summary
from dagster_monitoring.statistics.undefined import Undefined
from tests.statistics.slow_errors import found, of_mean, of_rows


def numbers():
    generator = np.random.default_rng(23)
    label = 3 + generator.gamma(2, 3, 40)
    return label, label + 0.5 + generator.normal(0, 1, 40) * label / 5


def _pinball(share):
    return lambda y, z: of_mean(np.maximum(share * (y - z), (share - 1) * (y - z)))


def _of_weighted(metric):
    return lambda y, z: of_rows(lambda w: metric(y, z, sample_weight=w), len(y))


def _of_root(squares):
    return of_mean(squares) / (2 * math.sqrt(np.mean(squares)))


def _of_ratio(y, z):
    ratio = np.abs(z - y).sum() / np.abs(y).sum()
    return of_mean(np.abs(z - y) - ratio * np.abs(y)) / np.abs(y).mean()


REGRESSION = {
    "bias": lambda y, z: of_mean(z - y),
    "mae": lambda y, z: of_mean(np.abs(z - y)),
    "mse": lambda y, z: of_mean((z - y) ** 2),
    "rmse": lambda y, z: _of_root((z - y) ** 2),
    "mape": lambda y, z: of_mean(np.abs(z - y) / y),
    "smape": lambda y, z: of_mean(2 * np.abs(z - y) / (y + z)),
    "rmsle": lambda y, z: _of_root((np.log1p(z) - np.log1p(y)) ** 2),
    "wape": _of_ratio,
    "r2": _of_weighted(sk.r2_score),
    "explained_variance": _of_weighted(sk.explained_variance_score),
    "pinball_10": _pinball(0.1),
    "pinball_50": _pinball(0.5),
    "pinball_90": _pinball(0.9),
}


@pytest.mark.parametrize("name", sorted(REGRESSION))
def test_the_error_of_a_regression_is_that_of_its_rows(name):
    label, prediction = numbers()
    error = found(name, regression_summary(label, prediction))
    assert error == pytest.approx(REGRESSION[name](label, prediction), rel=1e-6)


@pytest.mark.parametrize("rows", [2, 16, 400])
def test_the_error_of_the_median_is_by_quantiles_about_it(rows):
    """Errors of 1, 2, .. are cells of their own below 128, and lie within 2^-7 above."""
    size = np.arange(1.0, rows + 1)
    half = 1.96 / (2 * math.sqrt(rows))
    low, high = (rows * min(max(share, 0.0), 1.0) for share in (0.5 - half, 0.5 + half))
    error = found("median_absolute_error", regression_summary(np.zeros(rows), size))
    assert error == pytest.approx((high - low) / (2 * 1.96), abs=2.1 / 3.92)


def test_two_rows_have_an_error_and_one_has_none_where_it_is_a_spread():
    two = regression_summary(np.array([1.0, 2.0]), np.array([2.0, 5.0]))
    one = regression_summary(np.array([1.0]), np.array([2.0]))
    expected = {"bias": 1.0, "mae": 1.0, "mse": 4.0, "rmse": 4 / (2 * math.sqrt(5))}
    for name, error in expected.items():
        assert found(name, two) == pytest.approx(error)
    for name, metric in performance_metrics().items():
        if "regression" in metric.tasks:
            none = metric.standard_error(one)
            assert isinstance(none, Undefined)
            assert "two" in none.reason or "one only" in none.reason, name


def test_a_perfect_forecast_has_no_error():
    rows = regression_summary(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    for name in ("rmse", "rmsle", "mae", "wape", "median_absolute_error"):
        assert found(name, rows) == 0.0


@pytest.mark.parametrize(
    ("offset", "expected"), [(0.0, 0.0), (2.0**13, 0.0), (2.0**14, math.sqrt(2 / 4) / 16)]
)
def test_labels_whose_fourth_powers_are_rounded_away_err_as_normal_ones(offset, expected):
    """With labels of 4 and -4, errors of 1 and -1, no row moves the value; of normal, it would."""
    label = offset + np.array([4.0, 4.0, -4.0, -4.0])
    rows = regression_summary(label, label + np.array([1.0, -1.0, 1.0, -1.0]))
    assert found("r2", rows) == pytest.approx(expected)
    assert found("explained_variance", rows) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("offset", "expected"), [(0.0, 0.0), (2.0**13, 0.0), (2.0**14, math.sqrt(512 / 4) / 4)]
)
def test_errors_whose_fourth_powers_are_rounded_away_are_taken_as_normal_ones(offset, expected):
    label = np.array([2.0, 2.0, -2.0, -2.0])
    rows = regression_summary(label, label + offset + np.array([4.0, -4.0, 4.0, -4.0]))
    assert found("explained_variance", rows) == pytest.approx(expected)


def test_a_bias_that_leaves_nothing_of_products_leaves_an_error_too():
    label = np.array([2.0, 2.0, -2.0, -2.0])
    rows = regression_summary(label, label + 2.0**33 + np.array([4.0, -4.0, 4.0, -4.0]))
    assert found("explained_variance", rows) == pytest.approx(math.sqrt(512 / 4) / 4, rel=1e-6)
