"""Sampling noise against simulation: how often nothing looks like something."""

import math

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.statistics.drift import drift_metric, drift_metrics
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.noise import null_quantile

SIZES = {"n_reference": 5000, "n_current": 400, "cells": 10}
WITH_NOISE = sorted(set(drift_metrics()) - {"wasserstein"})
CALIBRATED = {
    "psi",
    "kl_divergence",
    "jensen_shannon",
    "hellinger",
    "chi_square",
    "cramers_v",
    "mean_shift",
}


@pytest.fixture(scope="module")
def pairs():
    """Samples of one population on ten bins of equal share, as deciles have."""
    generator = np.random.default_rng(1)

    def sample(n):
        counts = generator.multinomial(n, np.full(10, 0.1))
        places = stats.norm.ppf((np.arange(10) + 0.5) / 10)
        return Histogram(
            counts=counts,
            sums=counts * places,
            sum_squares=float(np.dot(counts, places**2)),
            edges=(places[1:] + places[:-1]) / 2,
        )

    return [(sample(SIZES["n_reference"]), sample(SIZES["n_current"])) for _ in range(3000)]


@pytest.mark.parametrize("name", WITH_NOISE)
def test_nothing_exceeds_the_quantile_more_often_than_alpha(name, pairs):
    alpha = 0.05
    quantile = null_quantile(name, **SIZES, alpha=alpha)
    values = np.array([drift_metric(name).compute(*pair) for pair in pairs])
    rate = float(np.mean(values > quantile))
    slack = 3.5 * math.sqrt(alpha * (1 - alpha) / len(pairs))
    assert rate <= alpha + slack
    if name in CALIBRATED:
        assert rate >= alpha - slack


@pytest.mark.parametrize("name", WITH_NOISE)
def test_noise_shrinks_with_rows_and_grows_as_alpha_falls(name):
    few, many = (
        null_quantile(name, n_reference=5000, n_current=n, cells=10, alpha=0.01)
        for n in (100, 4000)
    )
    assert few > many or name == "chi_square"
    assert null_quantile(name, **SIZES, alpha=0.001) > null_quantile(name, **SIZES, alpha=0.01)


def test_the_quantiles_are_those_of_scipys_distributions():
    chi, scale = stats.chi2.isf(0.01, 9), 1 / 5000 + 1 / 400
    expected = {
        "chi_square": chi,
        "psi": chi * scale,
        "kl_divergence": chi * scale / 2,
        "hellinger": math.sqrt(chi * scale / 8),
        "jensen_shannon": math.sqrt(chi * scale / 8 / math.log(2)),
        "cramers_v": math.sqrt(chi / 5400),
        "kolmogorov_smirnov": stats.kstwobign.isf(0.01) * math.sqrt(scale),
        "mean_shift": stats.norm.isf(0.005) * math.sqrt(scale),
    }
    found = {name: null_quantile(name, **SIZES, alpha=0.01) for name in expected}
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_scaled_wasserstein_distance_of_normal_samples_stays_within():
    generator = np.random.default_rng(4)
    reference = generator.normal(0, 1, 3000)
    quantile = null_quantile(
        "wasserstein_scaled", n_reference=3000, n_current=200, cells=1, alpha=0.1
    )
    far = [
        stats.wasserstein_distance(reference, generator.normal(0, 1, 200)) > quantile
        for _ in range(600)
    ]
    assert np.mean(far) == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize("name", ["jensen_shannon", "hellinger", "kolmogorov_smirnov"])
def test_noise_stays_within_the_metrics_bounds(name):
    assert null_quantile(name, n_reference=1, n_current=1, cells=99, alpha=1e-9) == 1.0


def test_one_cell_has_no_noise_and_an_unknown_metric_none_that_is_known():
    assert null_quantile("psi", n_reference=9, n_current=9, cells=1, alpha=0.1) == 0.0
    assert null_quantile("wasserstein", n_reference=9, n_current=9, cells=5, alpha=0.1) == 0.0


def test_a_sample_without_rows_is_refused():
    with pytest.raises(ValueError, match="both samples have rows"):
        null_quantile("psi", n_reference=9, n_current=0, cells=5, alpha=0.1)
