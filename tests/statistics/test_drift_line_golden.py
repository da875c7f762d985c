"""Noise and errors of what compares distribution functions, row by row and pair by pair."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from dagster_monitoring.statistics.drift import Pair, drift_metric
from dagster_monitoring.statistics.drift.energy_distance import null_moments as energy_moments
from dagster_monitoring.statistics.drift.kolmogorov_smirnov import _FEW_VALUES
from dagster_monitoring.statistics.drift.wasserstein import null_moments
from dagster_monitoring.statistics.histogram import numeric_histogram

Floats = npt.NDArray[np.float64]

VALUES = np.array([-3.0, -1.0, -0.5, 2.0, 2.25, 7.0, 11.0])
EDGES = (VALUES[1:] + VALUES[:-1]) / 2
ALPHA = 0.05


class Rows(NamedTuple):
    """Two samples of the values above, each in a bin of its own."""

    before: Floats
    after: Floats

    @property
    def pair(self) -> Pair:
        return Pair(*(numeric_histogram(own, edges=EDGES.tolist()) for own in self))

    @property
    def scale(self) -> float:
        return 1 / len(self.before) + 1 / len(self.after)

    @property
    def widths(self) -> Floats:
        return np.diff(VALUES)

    def shares(self) -> tuple[Floats, Floats]:
        """Both distribution functions, on the way to the next value."""
        f, g = (np.mean(own[:, None] <= VALUES[:-1], axis=0) for own in self)
        return f, g

    def covariance(self) -> Floats:
        """Of a Brownian bridge at each two places."""
        f, _ = self.shares()
        return np.minimum.outer(f, f) * (1 - np.maximum.outer(f, f))

    def drifted(self, weight: Floats) -> float:
        """The variance of the integral that changes by ``weight`` a unit of ``F - G``."""
        total = 0.0
        for own in self:
            influence = (own[:, None] <= VALUES[:-1]) @ (weight * self.widths)
            total += influence.var() / len(own)
        return total


def drawn(shift: float, n: int, m: int) -> Rows:
    source, shares = np.random.default_rng(4), np.array([4, 2, 1, 5, 3, 2, 1]) / 18
    moved = shares * np.exp(shift * np.arange(7))
    before = source.choice(VALUES, n, p=shares)
    return Rows(before, source.choice(VALUES, m, p=moved / moved.sum()))


CASES = [drawn(0.0, 400, 250), drawn(0.15, 400, 250), drawn(1.0, 900, 70), drawn(-0.6, 50, 800)]


def told(name: str, rows: Rows) -> tuple[float, float, float]:
    metric, pair = drift_metric(name), rows.pair
    value = metric.compute(pair)
    assert isinstance(value, float)
    noise, error = metric.null_quantile(pair, alpha=ALPHA), metric.standard_error(pair, value)
    assert isinstance(noise, float)
    assert isinstance(error, float)
    return value, noise, error


def scaled_chi_square(mean: float, variance: float) -> float:
    return float(stats.chi2(2 * mean**2 / variance, scale=variance / mean / 2).isf(ALPHA))


@pytest.mark.parametrize("rows", CASES)
def test_the_noise_and_error_of_the_energy_distance(rows: Rows) -> None:
    f, g = rows.shares()
    square = 2 * rows.widths @ (f - g) ** 2
    unit = 2 * rows.scale
    mean = unit * rows.widths @ np.diag(rows.covariance())
    null = 2 * unit**2 * rows.widths @ rows.covariance() ** 2 @ rows.widths
    variance = max(rows.drifted(4 * (f - g)) - null, null)
    value, noise, error = told("energy_distance", rows)
    assert value == pytest.approx(math.sqrt(square))
    assert noise == pytest.approx(math.sqrt(scaled_chi_square(mean, null)), rel=2e-3)
    assert error == pytest.approx(math.sqrt(variance / (4 * max(square, mean))))


@pytest.mark.parametrize("rows", CASES)
def test_the_noise_and_error_of_the_wasserstein_distance(rows: Rows) -> None:
    f, g = rows.shares()
    value, noise, error = told("wasserstein", rows)
    assert value == pytest.approx(rows.widths @ np.abs(f - g))
    deviations = np.sqrt(np.diag(rows.covariance()))
    r = np.clip(rows.covariance() / np.outer(deviations, deviations), -1, 1)
    folded = 2 / math.pi * (np.sqrt(1 - r**2) + r * np.arcsin(r) - 1)
    weights = rows.widths * deviations
    mean = math.sqrt(rows.scale * 2 / math.pi) * weights.sum()
    null = rows.scale * weights @ folded @ weights
    # The mean's quantile, and what the square of the distance has beyond the mean's.
    spread = rows.before.std()
    of_mean = told("mean_shift", rows)[1] * spread
    rest = mean**2 + null - spread**2 * rows.scale
    assert noise == pytest.approx(math.hypot(of_mean, math.sqrt(rest)), rel=0.01)
    share = max(1 - (mean / value) ** 2, 0.0)
    expected = math.sqrt((1 - share) * null + share * rows.drifted(np.sign(f - g)))
    assert error == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("rows", CASES)
def test_absolute_gaps_vary_with_each_other_by_a_series_of_two_terms(rows: Rows) -> None:
    deviations = np.sqrt(np.diag(rows.covariance()))
    r, weights = rows.covariance() / np.outer(deviations, deviations), rows.widths * deviations
    series = (r**2 + (math.pi - 3) * r**4) / math.pi
    mean, deviation = (own.item() for own in null_moments(rows.pair.alone))
    assert mean == pytest.approx(math.sqrt(rows.scale * 2 / math.pi) * weights.sum())
    assert deviation == pytest.approx(math.sqrt(rows.scale * (weights @ series @ weights)))


@pytest.mark.parametrize("rows", CASES)
def test_in_deviations_of_the_baseline_the_error_of_those_counts_too(rows: Rows) -> None:
    """By the delta method: a row far from the mean widens the unit."""
    f, g = rows.shares()
    distance, noise_of_it, _ = told("wasserstein", rows)
    value, noise, error = told("wasserstein_scaled", rows)
    unit = rows.before.std()
    assert (value, noise) == pytest.approx((distance / unit, noise_of_it / unit))
    step = np.sign(f - g) * rows.widths
    by_before, by_after = ((own[:, None] <= VALUES[:-1]) @ step / unit for own in rows)
    by_before = by_before - value / 2 * ((rows.before - rows.before.mean()) / unit) ** 2
    drifted = by_before.var() / len(rows.before) + by_after.var() / len(rows.after)
    mean, null = (own.item() / unit for own in null_moments(rows.pair.alone))
    share = max(1 - (mean / value) ** 2, 0.0)
    assert error == pytest.approx(math.sqrt((1 - share) * null**2 + share * drifted))


@pytest.mark.parametrize("name", ["energy_distance", "wasserstein"])
def test_a_constant_has_no_noise_and_no_error(name: str) -> None:
    same = np.full(30, 2.0)
    assert told(name, Rows(same, same[:20])) == (0.0, 0.0, 0.0)


def at_means(rows: Floats, edges: Floats) -> Floats:
    """Each row where its bin's mean is."""
    place = np.searchsorted(edges, rows, side="right")
    return np.array([rows[place == own].mean() for own in place.tolist()])


def influences(sides: Rows, weigh: Callable[[Floats], Floats]) -> list[Floats]:
    """What each row of either side adds to an integral, by ``weigh`` of ``F - G``."""
    values = np.unique(np.concatenate(sides))
    f, g = (np.mean(own[:, None] <= values[:-1], axis=0) for own in sides)
    return [(own[:, None] <= values[:-1]) @ (weigh(f - g) * np.diff(values)) for own in sides]


@pytest.mark.parametrize("seed", range(12))
def test_within_a_bin_a_row_counts_from_its_sides_own_mean_on(seed: int) -> None:
    source = np.random.default_rng(seed)
    n, m = source.integers(20, 200, 2)
    drawn = Rows(source.normal(0, 2, n), source.normal(source.choice([-3.0, 3.0]), 3, m))
    edges = np.array([-2.0, 0.5, 3.0])
    pair = Pair(*(numeric_histogram(own, edges=edges) for own in drawn))
    sides = Rows(*(at_means(own, edges) for own in drawn))
    for name, weigh in (("wasserstein", np.sign), ("energy_distance", lambda gap: 4 * gap)):
        metric = drift_metric(name)
        value = metric.compute(pair)
        assert isinstance(value, float)
        drifted = sum(own.var() / len(own) for own in influences(sides, weigh))
        if name == "wasserstein":
            mean, null = (own.item() for own in null_moments(pair.alone))
            share = max(1 - (mean / value) ** 2, 0.0)
            expected = math.sqrt((1 - share) * null**2 + share * drifted)
        else:
            mean, null = (own.item() for own in energy_moments(pair.alone))
            variance = max(drifted - null, null)
            expected = math.sqrt(variance / (4 * max(value**2, mean)))
        assert metric.standard_error(pair, value) == pytest.approx(expected)


def test_of_a_constant_without_skewness_the_mean_has_a_normal_quantile() -> None:
    rows = Rows(np.full(30, 2.0), np.full(20, 7.0))
    told = drift_metric("mean_shift").null_quantile(rows.pair, alpha=ALPHA)
    assert told == pytest.approx(stats.norm.isf(ALPHA / 2) * math.sqrt(rows.scale))


@pytest.mark.parametrize("distinct", [1, 2, 3, _FEW_VALUES - 1, _FEW_VALUES, _FEW_VALUES + 1, 60])
def test_of_few_values_the_largest_gap_is_one_of_few_normal_ones(distinct: int) -> None:
    """One value has 900 of 1,000 rows, so that its gap is narrow, and so are the others."""
    values = np.arange(float(distinct))
    counts = np.array([900, *[100 // max(distinct - 1, 1)] * (distinct - 1)])
    before = np.repeat(values, counts)
    after = np.repeat(values, 2 * counts)
    edges = np.append(values[1:] - 0.5, distinct + 5.0).tolist()
    pair = Pair(*(numeric_histogram(own, edges=edges) for own in (before, after)))
    metric, root = (
        drift_metric("kolmogorov_smirnov"),
        math.sqrt(1 / (1 / len(before) + 1 / len(after))),
    )
    smooth = stats.kstwobign.isf(ALPHA) / (root + 0.12 + 0.11 / root)
    f = np.cumsum(counts)[:-1] / counts.sum()
    largest = math.sqrt(max([*(f * (1 - f)), 0.0]))
    few = stats.norm.isf(ALPHA / 2 / max(distinct - 1, 1)) * largest / root
    is_few = distinct <= _FEW_VALUES
    expected = min(smooth, few) if is_few else smooth
    assert metric.null_quantile(pair, alpha=ALPHA) == pytest.approx(expected)
    # Both sides have the same shares, so that the error is that of noise alone.
    value = metric.compute(pair)
    assert isinstance(value, float)
    deviation = math.sqrt(math.pi**2 / 12 - math.pi / 2 * math.log(2) ** 2)
    widest = 2 * largest if is_few else 1.0
    assert metric.standard_error(pair, value) == pytest.approx(deviation * widest / root, rel=1e-5)
