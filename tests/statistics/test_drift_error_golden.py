"""Noise and errors of what compares shares of many rows: chi-square and numerical derivatives."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from dagster_monitoring.statistics.drift import Pair, drift_metric
from dagster_monitoring.statistics.drift._unseen import unseen
from dagster_monitoring.statistics.drift.l_infinity import _LEAST_SIMILAR
from dagster_monitoring.statistics.histogram import Histogram, numeric_histogram

BEFORE, AFTER = np.array([2000, 5000, 1200, 1800]), np.array([900, 900, 1500, 700])
N, M = 10_000, 4_000
SCALE = 1 / N + 1 / M
EDGES = [1.0, 2.0, 3.0]


def pair_of(before, after):
    rows = (np.repeat(np.arange(len(counts)) + 0.5, counts) for counts in (before, after))
    return Pair(*(numeric_histogram(x, edges=EDGES[: len(before) - 1]) for x in rows))


PAIR = pair_of(BEFORE, AFTER)
P, Q = BEFORE / N, AFTER / M


def entropy(p):
    return -np.sum(p * np.log2(p))


def pooled(p, q):
    return (N * p + M * q) / (N + M)


PLAIN = {
    "psi": lambda p, q: np.sum((q - p) * np.log(q / p)),
    "kl_divergence": lambda p, q: np.sum(q * np.log(q / p)),
    "jensen_shannon_divergence": lambda p, q: entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2,
    "hellinger": lambda p, q: np.sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2,
    "chi_square": lambda p, q: np.sum((q - p) ** 2 / pooled(p, q)),
}
CURVATURE = {
    "psi": 1.0,
    "kl_divergence": 0.5,
    "jensen_shannon_divergence": 1 / (8 * math.log(2)),
    "hellinger": 1 / 8,
    "chi_square": 1.0,
}
"""The value over ``sum((q - p)^2 / p)`` for a small drift."""


def spread_of_mean(shares, slopes):
    return np.sum(shares * slopes**2) - np.sum(shares * slopes) ** 2


def derivatives(compute, at, step=1e-6):
    moves = np.eye(len(at)) * step
    return np.array([(compute(at + move) - compute(at - move)) / (2 * step) for move in moves])


def delta(name):
    """The variance by the delta method, less that of noise."""
    p, q = (BEFORE + 0.5) / (N + 2), (AFTER + 0.5) / (M + 2)
    by_p = derivatives(lambda x: PLAIN[name](x, q), p)
    by_q = derivatives(lambda x: PLAIN[name](p, x), q)
    drifted = spread_of_mean(p, by_p) / N + spread_of_mean(q, by_q) / M
    return drifted - stats.chi2(3).var() * (CURVATURE[name] * SCALE) ** 2


def noise(name, pair=PAIR, alpha=0.05):
    return drift_metric(name).null_quantile(pair, alpha=alpha)


def error(name, pair=PAIR):
    metric = drift_metric(name)
    return metric.standard_error(pair, metric.compute(pair))


@pytest.mark.parametrize("name", ["psi", "kl_divergence", "jensen_shannon_divergence"])
def test_noise_is_chi_square_and_errors_are_by_the_delta_method(name):
    assert noise(name) == pytest.approx(CURVATURE[name] * SCALE * stats.chi2(3).isf(0.05))
    assert error(name) == pytest.approx(math.sqrt(delta(name)), rel=1e-6)


def test_those_of_the_chi_square_statistic_are_in_its_unit():
    assert noise("chi_square") == pytest.approx(stats.chi2(3).isf(0.05))
    assert error("chi_square") == pytest.approx(math.sqrt(delta("chi_square")) / SCALE, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "of", "factor"),
    [
        ("hellinger", "hellinger", 1.0),
        ("jensen_shannon", "jensen_shannon_divergence", 1.0),
        ("cramers_v", "chi_square", 1 / (SCALE * (N + M))),
    ],
)
def test_those_of_a_root_are_half_as_large_over_it(name, of, factor):
    square = CURVATURE[of] * SCALE * stats.chi2(3).isf(0.05) * factor
    assert noise(name) == pytest.approx(math.sqrt(square))
    value = math.sqrt(PLAIN[of](P, Q) * factor)
    assert drift_metric(name).compute(PAIR) == pytest.approx(value)
    expected = math.sqrt(delta(of)) * factor / (2 * value)
    assert error(name) == pytest.approx(expected, rel=1e-6)


def test_the_p_value_of_chi_square_moves_with_the_statistics_error():
    pair = pair_of(BEFORE, BEFORE // 2 + np.array([40, -40, 20, -20]))
    value, aside = drift_metric("chi_square").compute(pair), error("chi_square", pair)
    high, low = (stats.chi2(3).sf(max(x, 0.0)) for x in (value - aside, value + aside))
    assert error("chi_square_p_value", pair) == pytest.approx((high - low) / 2)
    assert noise("chi_square_p_value", pair) == 0.0


@pytest.mark.parametrize(
    ("before", "after"),
    [([30, 70], [30, 40]), ([30, 50, 20, 0, 1], [20, 40, 9, 0, 0]), ([7, 0, 9], [9, 1, 7])],
)
def test_bins_with_a_row_on_either_side_are_in_the_table_of_chi_square(before, after):
    names = tuple("abcde"[: len(before)])
    pair = Pair(*(Histogram(counts=np.array(x), categories=names) for x in (before, after)))
    table = np.array([before, after])
    table = table[:, table.sum(axis=0) > 0]
    expected = stats.chi2_contingency(table, correction=False)
    assert drift_metric("chi_square").compute(pair) == pytest.approx(expected.statistic)
    assert drift_metric("chi_square_p_value").compute(pair) == pytest.approx(expected.pvalue)


def weighed(value, mean, deviation, far):
    """Between the deviations without a drift and far from none."""
    share = max(1 - (mean / value) ** 2, 0)
    return math.sqrt((1 - share) * deviation**2 + share * far**2)


def total_variation_by_hand():
    """Of correlated half-normal values, whose covariance is ``r^2 / pi`` to second order."""
    deviations = np.sqrt(P * (1 - P) * SCALE)
    correlation = np.sqrt(np.outer(P, P) / np.outer(1 - P, 1 - P))
    covariance = np.outer(deviations, deviations) * correlation**2 / math.pi
    np.fill_diagonal(covariance, deviations**2 * stats.halfnorm.var())
    return stats.halfnorm.mean() * deviations.sum() / 2, math.sqrt(covariance.sum()) / 2


def test_the_noise_and_error_of_total_variation():
    mean, deviation = total_variation_by_hand()
    freedom = round(mean**2 / (2 * deviation**2) + 0.5, 2)
    scale = math.sqrt((mean**2 + deviation**2) / freedom)
    assert noise("total_variation") == pytest.approx(stats.chi(freedom, scale=scale).isf(0.05))
    signs = np.sign(Q - P)
    far = math.sqrt(spread_of_mean(P, signs) / N + spread_of_mean(Q, signs) / M) / 2
    value = np.abs(P - Q).sum() / 2
    assert error("total_variation") == pytest.approx(weighed(value, mean, deviation, far))


def test_the_error_of_l_infinity_is_that_of_the_widest_share():
    deviations = np.sqrt(P * (1 - P) * SCALE)

    def beyond(x):
        return 1 - np.prod(stats.halfnorm.cdf(x / deviations))

    top = 9 * deviations.max()
    mean = integrate.quad(beyond, 0, top)[0]
    square = integrate.quad(lambda x: 2 * x * beyond(x), 0, top)[0]
    p, q = 5000.5 / (N + 1), 900.5 / (M + 1)
    far = math.sqrt(p * (1 - p) / N + q * (1 - q) / M)
    expected = weighed(0.275, mean, math.sqrt(square - mean**2), far)
    assert error("l_infinity") == pytest.approx(expected, rel=1e-5)
    still = pair_of(BEFORE, BEFORE)
    deviation = math.sqrt((square - mean**2) / SCALE * 2 / N)
    assert error("l_infinity", still) == pytest.approx(deviation, rel=1e-2)


def test_two_bins_are_one_value_for_l_infinity():
    pair = pair_of([300, 700], [400, 600])
    z, scale = stats.norm.isf(0.025), 2 / 1000
    skewed = (z**2 - 1) * (1 - 2 * 0.3) * scale / 6
    plain = z * math.sqrt(0.21 * scale)
    assert plain <= noise("l_infinity", pair) <= plain + skewed * (1 + 1e-9)
    still = pair_of([300, 700], [300, 700])
    deviation = math.sqrt(0.21 * scale) * stats.halfnorm.std()
    assert error("l_infinity", still) == pytest.approx(deviation, rel=1e-2)


@pytest.mark.parametrize("alpha", [0.3, 0.05, 1e-3])
@pytest.mark.parametrize(
    "before",
    [
        [2000, 5000, 1200, 1800],
        [900, 50, 50],
        [10, 10, 10, 970],
        [1, 1, 998],
        [400, 300, 300],
        [1, 4000, 6000],
        [9, 9],
    ],
)
def test_the_noise_of_l_infinity_is_bonferronis_over_as_many_bins_as_are_as_noisy(before, alpha):
    counts = np.array(before)
    n, m = counts.sum(), 4 * counts.sum()
    p = counts / n
    deviations = np.sqrt(p * (1 - p))
    relative = deviations / deviations.max()
    similar = relative[relative > _LEAST_SIMILAR]
    z = stats.norm.isf(alpha / 2 / len(similar))
    cells = max(stats.norm.sf(z / similar).sum() / stats.norm.sf(z), 1.0)
    # Two bins are one value and its opposite.
    z = stats.norm.isf(alpha / 2 / (cells if len(p) > 2 else 1))
    skewed = max(z * z - 1, 0) * (1 - 2 * min(p[deviations.argmax()], 0.5)) * (1 / n + 1 / m) / 6
    expected = z * deviations.max() * math.sqrt(1 / n + 1 / m) + skewed
    found = noise("l_infinity", pair_of(counts, 4 * counts), alpha)
    assert found == pytest.approx(min(expected, 1.0))


def test_shares_of_few_rows_are_smoothed_by_half_a_row_for_their_error():
    p, q = 3.5 / 21, 30.5 / 41
    far = math.sqrt(p * (1 - p) / 20 + q * (1 - q) / 40)
    deviation = math.sqrt(0.15 * 0.85 * (1 / 20 + 1 / 40))
    mean, null = deviation * stats.halfnorm.mean(), deviation * stats.halfnorm.std()
    expected = weighed(0.6, mean, null, far)
    assert error("l_infinity", pair_of([3, 17], [30, 10])) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("alpha", [0.1, 0.33, 0.5])
def test_skewness_takes_nothing_off_the_noise_of_l_infinity(alpha):
    """Below one deviation the correction would be negative."""
    z, scale = stats.norm.isf(alpha / 2), 1 / 200 + 1 / 50
    skewed = max(z * z - 1, 0) * (1 - 2 * 0.1) * scale / 6
    told = noise("l_infinity", pair_of([20, 180], [10, 40]), alpha)
    assert told == pytest.approx(z * math.sqrt(0.1 * 0.9 * scale) + skewed)


@pytest.mark.parametrize("name", ["l_infinity", "total_variation"])
def test_of_one_bin_alone_there_is_no_noise_and_no_error(name):
    pair = pair_of([30, 0], [40, 0])
    assert (noise(name, pair), error(name, pair)) == (0.0, 0.0)


@pytest.mark.parametrize("before", [[600, 300, 98, 2], [997, 1, 1, 1], [1000, 0, 0, 0]])
def test_rows_of_names_that_are_lacked_come_on_top_of_the_noise(before):
    """In total variation all of them, in L-infinity those of the one that has the most."""
    counts = np.array(before)
    sides = [Histogram(counts=own, categories=(*"abcd",)) for own in (counts, 3 * counts)]
    lacked, numeric = unseen(Pair(*sides).alone, 0.05), pair_of(counts, 3 * counts)
    rows, largest = lacked.rows.item() / 3000, lacked.largest.item() / 3000
    assert rows > 0
    together = noise("total_variation", numeric) + rows
    assert noise("total_variation", Pair(*sides)) == pytest.approx(together)
    widest = max(noise("l_infinity", numeric), largest)
    assert noise("l_infinity", Pair(*sides)) == pytest.approx(widest)


@pytest.mark.parametrize("before", [[300, 700], [500, 497, 2, 1], [4000, 5990, 10]])
def test_a_bin_of_hardly_any_rows_adds_no_more_than_twice_its_share_to_total_variation(before):
    counts = np.array(before)
    p, scale = counts / counts.sum(), 1 / counts.sum() + 1 / 100
    after = np.round(p * 100).astype(int)
    deviations = np.sqrt(p * (1 - p) * scale)
    correlation = np.sqrt(np.outer(p, p) / np.outer(1 - p, 1 - p))
    covariance = np.outer(deviations, deviations) * correlation**2 / math.pi
    np.fill_diagonal(covariance, deviations**2 * stats.halfnorm.var())
    mean = np.minimum(stats.halfnorm.mean() * deviations, 2 * p).sum() / 2
    variance = covariance.sum() / 4
    freedom = round(mean**2 / (2 * variance) + 0.5, 2)
    chi = stats.chi(freedom, scale=math.sqrt((mean**2 + variance) / freedom))
    assert after.sum() == 100
    assert noise("total_variation", pair_of(counts, after)) == pytest.approx(chi.isf(0.05))
