"""Drift metrics against scipy on the raw rows, and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from dagster_monitoring.statistics.drift import Pair, drift_metric, drift_metrics
from dagster_monitoring.statistics.drift.chi_square import degrees_of_freedom
from dagster_monitoring.statistics.histogram import (
    categorical_histogram,
    numeric_histogram,
)

ON_SHARES = {
    "psi": lambda p, q: sum(
        (max(b, 1e-4) - max(a, 1e-4)) * math.log(max(b, 1e-4) / max(a, 1e-4))
        for a, b in zip(p, q, strict=True)
    ),
    "jensen_shannon": lambda p, q: distance.jensenshannon(p, q, base=2),
    "kl_divergence": lambda p, q: stats.entropy(np.clip(q, 1e-4, None), np.clip(p, 1e-4, None)),
    "jensen_shannon_divergence": lambda p, q: distance.jensenshannon(p, q, base=2) ** 2,
    "hellinger": lambda p, q: distance.euclidean(np.sqrt(p), np.sqrt(q)) / math.sqrt(2),
    "l_infinity": distance.chebyshev,
    "total_variation": lambda p, q: distance.cityblock(p, q) / 2,
}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def moved_quantiles(x, y, shares):
    """In standard deviations of ``x``, by NumPy."""
    before, after = (np.quantile(rows, shares, method="inverted_cdf") for rows in (x, y))
    return np.max(np.abs(after - before)) / np.std(x)


ON_COUNTS = {
    "chi_square": lambda table: stats.chi2_contingency(table, correction=False).statistic,
    "cramers_v": lambda table: stats.contingency.association(table, method="cramer"),
    "chi_square_p_value": lambda table: stats.chi2_contingency(table, correction=False).pvalue,
    "l_infinity_robust": lambda table: max(
        distance.chebyshev(*(table / table.sum(axis=1, keepdims=True)))
        - 1.8 * math.sqrt(table.sum() / math.prod(table.sum(axis=1).tolist())),
        0.0,
    ),
}
ON_ROWS = {
    "kolmogorov_smirnov": lambda x, y: stats.ks_2samp(x, y, method="asymp").statistic,
    "wasserstein": stats.wasserstein_distance,
    "wasserstein_scaled": lambda x, y: stats.wasserstein_distance(x, y) / np.std(x),
    "mean_shift": lambda x, y: abs(np.mean(y) - np.mean(x)) / np.std(x),
    "energy_distance": stats.energy_distance,
    "median_shift": lambda x, y: moved_quantiles(x, y, [0.5]),
    "quantile_shift": lambda x, y: moved_quantiles(x, y, QUANTILES),
    "spread_shift": lambda x, y: abs(math.log(np.std(y) / np.std(x))),
}
BY_THEMSELVES = {"kolmogorov_smirnov_p_value", "missing_share"}


def test_no_metric_is_without_a_golden_value():
    assert {*ON_SHARES, *ON_COUNTS, *ON_ROWS, *BY_THEMSELVES} == set(drift_metrics())


def _integers(seed):
    """Repeated values, negative ones, gaps, and values that only one side has."""
    generator = np.random.default_rng(seed)
    before = np.rint(generator.normal(0, 6, 3000)) * 2.0
    after = np.rint(generator.standard_t(3, 700) * 7 + 1.5) * 2.0
    return before, after


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", sorted({**ON_SHARES, **ON_COUNTS}))
def test_on_deciles_it_equals_scipy(name, seed):
    before, after = _integers(seed)
    deciles = np.unique(np.quantile(before, np.arange(1, 10) / 10))
    reference = numeric_histogram(before, edges=deciles)
    current = numeric_histogram(after, edges=deciles)
    table = np.array(
        [
            [np.sum((x >= low) & (x < high)) for low, high in zip(*_bounds(deciles), strict=True)]
            for x in (before, after)
        ]
    )
    expected = (
        ON_COUNTS[name](table)
        if name in ON_COUNTS
        else ON_SHARES[name](*(table / table.sum(axis=1, keepdims=True)))
    )
    assert drift_metric(name).compute(Pair.of(reference, current)) == pytest.approx(
        expected, rel=1e-9
    )


def _bounds(edges):
    return [-np.inf, *edges], [*edges, np.inf]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", sorted(ON_ROWS))
def test_with_a_bin_a_value_it_equals_scipy_on_the_rows(name, seed):
    before, after = _integers(seed)
    edges = np.unique(np.concatenate((before, after)))
    pair = Pair(
        numeric_histogram(before, edges=edges, centre=before.mean()),
        numeric_histogram(after, edges=edges, centre=before.mean()),
    )
    value = drift_metric(name).compute(pair)
    assert value == pytest.approx(ON_ROWS[name](before, after), rel=1e-9)


@pytest.mark.parametrize("name", sorted({**ON_SHARES, **ON_COUNTS}))
def test_on_names_with_new_and_vanished_ones_it_equals_scipy(name):
    before, after = list("aaaaabbbccccccd" * 40), list("aabbbbccez" * 11)
    reference, current = categorical_histogram(before), categorical_histogram(after)
    table = np.array([[side.count(c) for c in "abcdez"] for side in (before, after)])
    expected = (
        ON_COUNTS[name](table)
        if name in ON_COUNTS
        else ON_SHARES[name](*(table / table.sum(axis=1, keepdims=True)))
    )
    assert drift_metric(name).compute(Pair.of(reference, current)) == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("psi", 0.25 * math.log(3)),
        ("kl_divergence", 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)),
        ("hellinger", math.sqrt(1 - math.sqrt(0.125) - math.sqrt(0.375))),
        ("l_infinity", 0.25),
        ("total_variation", 0.25),
        ("chi_square", 8 / 15),
        ("cramers_v", math.sqrt(1 / 15)),
    ],
)
def test_two_names_by_hand(name, expected):
    """Shares of a half each become a quarter and three quarters, of four rows a side."""
    pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
    assert drift_metric(name).compute(pair) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("jensen_shannon", 1.0), ("hellinger", 1.0), ("total_variation", 1.0), ("cramers_v", 1.0)],
)
def test_nothing_in_common_is_the_upper_bound(name, expected):
    pair = Pair.of(categorical_histogram("aab"), categorical_histogram("ccccd"))
    assert drift_metric(name).compute(pair) == pytest.approx(expected, rel=1e-12)


def test_psi_counts_an_empty_bin_as_one_row_in_ten_thousand():
    pair = Pair.of(categorical_histogram("ab"), categorical_histogram("aa"))
    by_hand = 0.5 * math.log(2) + (1e-4 - 0.5) * math.log(1e-4 / 0.5)
    assert drift_metric("psi").compute(pair) == pytest.approx(by_hand, rel=1e-12)


def test_a_small_jensen_shannon_distance_keeps_its_digits():
    """The divergence is (p - q)^2 / (8 p (1 - p) ln 2) to second order."""
    n, moved = 10**9, 10
    even = numeric_histogram([0.0, 1.0], edges=[0.5])
    reference, current = (
        type(even)(counts=np.array(c), sums=np.zeros(2), edges=even.edges)
        for c in ([n, n], [n + moved, n - moved])
    )
    difference = moved / (2 * n)
    expected = math.sqrt(difference**2 / (8 * 0.25 * math.log(2)))
    assert drift_metric("jensen_shannon").compute(Pair.of(reference, current)) == pytest.approx(
        expected, rel=1e-6
    )


@pytest.mark.parametrize("name", ["mean_shift", "wasserstein_scaled", "wasserstein"])
def test_large_values_with_a_small_spread_do_not_cancel(name):
    generator = np.random.default_rng(3)
    small, shifted = generator.normal(0, 1e-3, 500), generator.normal(2e-3, 1e-3, 400)
    offset = 2.0**30
    before, after = small + offset, shifted + offset
    edges = np.quantile(before, np.arange(1, 10) / 10)
    large = Pair(
        numeric_histogram(before, edges=edges, centre=offset),
        numeric_histogram(after, edges=edges, centre=offset),
    )
    near_zero = Pair(
        numeric_histogram(before - offset, edges=edges - offset),
        numeric_histogram(after - offset, edges=edges - offset),
    )
    metric = drift_metric(name)
    assert metric.compute(large) == pytest.approx(metric.compute(near_zero), rel=1e-9)


SHAPES = {
    "normal": lambda g, n: g.normal(0, 1, n),
    "shifted": lambda g, n: g.normal(0.1, 1.05, n),
    "lognormal": lambda g, n: g.lognormal(0, 2, n),
    "pareto": lambda g, n: g.pareto(2.2, n),
    "two humps": lambda g, n: g.normal(0, 1, n) + 9 * (g.random(n) < 0.3),
}


@pytest.mark.parametrize("rows", [300, 30_000])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_on_fine_quantile_bins_the_error_is_within_the_documented_bound(shape, rows):
    generator = np.random.default_rng(11)
    start = SHAPES["normal" if shape == "shifted" else shape]
    before, after = start(generator, 50_000), SHAPES[shape](generator, rows)
    edges = np.unique(np.quantile(before, np.arange(1, 2048) / 2048))
    pair = Pair(*(numeric_histogram(x, edges=edges, centre=before.mean()) for x in (before, after)))
    ks = drift_metric("kolmogorov_smirnov").compute(pair)
    assert ks == pytest.approx(stats.ks_2samp(before, after, method="asymp").statistic, abs=5e-4)
    moved = drift_metric("wasserstein_scaled").compute(pair)
    exact = stats.wasserstein_distance(before, after) / before.std()
    assert moved == pytest.approx(exact, abs=5e-3)


def test_the_p_value_of_chi_square_is_scipys():
    before, after = list("aaaaabbbccccccd" * 4), list("aabbbbcce" * 3)
    pair = Pair.of(categorical_histogram(before), categorical_histogram(after))
    table = np.array([[side.count(c) for c in "abcde"] for side in (before, after)])
    found = stats.chi2_contingency(table, correction=False)
    assert drift_metric("chi_square_p_value").compute(pair) == pytest.approx(found.pvalue, rel=1e-9)
    assert degrees_of_freedom(pair.alone).tolist() == [found.dof]


def test_one_name_on_both_sides_is_no_evidence_at_all():
    pair = Pair.of(categorical_histogram("aaa"), categorical_histogram("a"))
    assert drift_metric("chi_square_p_value").compute(pair) == 1.0
    assert degrees_of_freedom(pair.alone).tolist() == [0]


@pytest.mark.parametrize(
    ("before", "now", "off", "off_when_low"),
    [(20, 20, 0.1, 0.03), (80, 20, 0.1, 0.03), (300, 300, 0.02, 0.01), (1200, 300, 0.02, 0.01)],
)
def test_the_p_value_of_kolmogorov_smirnov_is_as_near_scipys_as_it_says(
    before, now, off, off_when_low
):
    """The exact one; below 0.1 it is nearer."""
    generator, lowest = np.random.default_rng(8), 1.0
    for shift in (0.0, 0.05, 0.2, 0.5) * 8:
        x, y = generator.normal(0, 1, before), generator.normal(shift, 1, now)
        edges = np.unique(np.concatenate((x, y)))
        pair = Pair(*(numeric_histogram(side, edges=edges) for side in (x, y)))
        expected = stats.ks_2samp(x, y, method="exact").pvalue
        found = drift_metric("kolmogorov_smirnov_p_value").compute(pair)
        assert found == pytest.approx(expected, abs=off_when_low if expected < 0.1 else off)
        lowest = min(lowest, expected)
    assert lowest < 0.1


def test_the_share_of_missing_counts_rows_without_a_value_and_infinite_ones():
    before = numeric_histogram([1.0, np.nan, np.inf, 2.0], edges=[1.5])
    after = numeric_histogram([np.nan] * 5, edges=[1.5])
    assert drift_metric("missing_share").compute(Pair(before, after)) == 0.75
