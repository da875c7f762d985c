"""Sampling error of the drift metrics, against simulation with a fixed generator."""

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.statistics.drift import Pair, drift_metric, drift_metrics
from dagster_monitoring.statistics.drift._unseen import unseen
from dagster_monitoring.statistics.histogram import Histogram, numeric_histogram
from dagster_monitoring.statistics.undefined import Undefined

DRAWS = 160
EVEN = np.full(10, 0.1)
TILTED = np.linspace(0.4, 1.6, 10) / 10
PLACES = np.linspace(-1.6, 1.6, 10)
SIZES = [(20_000, 60), (20_000, 1_000), (300, 300)]
ON_SHARES = {
    "psi",
    "kl_divergence",
    "jensen_shannon",
    "jensen_shannon_divergence",
    "hellinger",
    "chi_square",
    "cramers_v",
    "total_variation",
    "l_infinity",
}
ON_LINE = {
    "kolmogorov_smirnov",
    "wasserstein",
    "wasserstein_scaled",
    "energy_distance",
    "mean_shift",
    "spread_shift",
}


def drawn(shares, rows, generator):
    """A multinomial sample on ten places, each a bin of its own."""
    counts = generator.multinomial(rows, shares)
    return Histogram(
        counts=counts,
        sums=counts * PLACES,
        sum_squares=float(np.dot(counts, PLACES**2)),
        edges=(PLACES[1:] + PLACES[:-1]) / 2,
        minimum=float(PLACES[counts > 0].min()),
        maximum=float(PLACES[counts > 0].max()),
    )


@pytest.fixture(scope="module")
def samples():
    """Pairs by sizes and by whether the current shares are other ones."""
    generator = np.random.default_rng(1)
    return {
        (sizes, name): [
            Pair(drawn(EVEN, sizes[0], generator), drawn(shares, sizes[1], generator))
            for _ in range(DRAWS)
        ]
        for sizes in SIZES
        for name, shares in (("calm", EVEN), ("drifted", TILTED))
    }


def told_over_true(metric, pairs):
    """The median standard error over the standard deviation of the values."""
    values = [metric.compute(pair) for pair in pairs]
    errors = [metric.standard_error(p, v) for p, v in zip(pairs, values, strict=True)]
    return float(np.median(errors) / np.std(values))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", sorted(ON_SHARES | ON_LINE))
def test_a_standard_error_is_about_the_spread_of_the_values(name, sizes, samples):
    """Within a quarter; with 60 rows PSI's empty bins, and equal rivals of a maximum, more."""
    for state in ("calm", "drifted"):
        ratio = told_over_true(drift_metric(name), samples[sizes, state])
        low = 0.6 if sizes[1] == 60 else 0.75
        high = 1.75 if name == "l_infinity" else 1.35
        assert low < ratio < high, state


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", sorted(ON_SHARES | ON_LINE))
def test_the_quantile_without_drift_is_about_that_of_the_values(name, sizes, samples):
    metric, pairs = drift_metric(name), samples[sizes, "calm"]
    values = [metric.compute(pair) for pair in pairs]
    told = float(np.mean([metric.null_quantile(pair, alpha=0.1) for pair in pairs]))
    assert told == pytest.approx(np.quantile(values, 0.9), rel=0.25)


def test_psi_allows_for_the_empty_bin_that_sixty_rows_have_once_in_forty():
    """The chi-square distribution's 99 % quantile is 0.36; the true one twice that."""
    generator = np.random.default_rng(6)
    reference = drawn(EVEN, 50_000, generator)
    pairs = [Pair(reference, drawn(EVEN, 60, generator)) for _ in range(4000)]
    psi = drift_metric("psi")
    true = np.quantile([psi.compute(pair) for pair in pairs], 0.99)
    assert true > 1.5 * 21.666 * (1 / 50_000 + 1 / 60)
    assert psi.null_quantile(pairs[0], alpha=0.01) == pytest.approx(true, rel=0.15)


def test_many_rare_names_are_as_noisy_as_told():
    generator = np.random.default_rng(7)
    shares = 1 / np.arange(1, 101)
    shares /= shares.sum()
    names = tuple(f"n{i}" for i in range(100))

    def side(rows):
        return Histogram(counts=generator.multinomial(rows, shares), categories=names)

    pairs = [Pair(side(100_000), side(1000)) for _ in range(500)]
    for name in sorted(ON_SHARES):
        metric = drift_metric(name)
        true = np.quantile([metric.compute(pair) for pair in pairs], 0.95)
        assert metric.null_quantile(pairs[0], alpha=0.05) == pytest.approx(true, rel=0.12), name


@pytest.mark.parametrize("name", ["wasserstein_scaled", "mean_shift"])
@pytest.mark.parametrize("rows", [60, 1000])
def test_a_heavy_tail_is_as_noisy_as_the_baseline_shows(name, rows):
    generator = np.random.default_rng(9)
    before = generator.lognormal(0, 1.2, 30_000)
    edges = np.unique(np.quantile(before, np.arange(1, 400) / 400))
    reference = numeric_histogram(before, edges=edges)
    metric = drift_metric(name)
    pairs = [
        Pair(reference, numeric_histogram(generator.lognormal(0, 1.2, rows), edges=edges))
        for _ in range(400)
    ]
    true = np.quantile([metric.compute(pair) for pair in pairs], 0.95)
    told = metric.null_quantile(pairs[0], alpha=0.05)
    assert 0.85 * true < told < 1.4 * true


@pytest.mark.parametrize("name", ["median_shift", "quantile_shift"])
@pytest.mark.parametrize("rows", [60, 1000])
def test_shifts_of_quantiles_stay_within_their_noise(name, rows):
    generator = np.random.default_rng(10)
    before = generator.normal(0, 1, 30_000)
    edges = np.quantile(before, np.arange(1, 400) / 400)
    reference = numeric_histogram(before, edges=edges)
    metric = drift_metric(name)
    pairs = [
        Pair(reference, numeric_histogram(generator.normal(0, 1, rows), edges=edges))
        for _ in range(300)
    ]
    values = [metric.compute(pair) for pair in pairs]
    told = metric.null_quantile(pairs[0], alpha=0.05)
    assert 0.9 < told / np.quantile(values, 0.95) < 1.5
    assert 0.75 < told_over_true(metric, pairs) < 1.5


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
def test_the_share_of_missing_has_a_binomials_noise(share):
    generator = np.random.default_rng(2)
    metric = drift_metric("missing_share")

    def side(rows):
        missing = int(generator.binomial(rows, share))
        return Histogram(counts=np.array([rows - missing]), categories=("a",), n_missing=missing)

    pairs = [Pair(side(5000), side(400)) for _ in range(600)]
    values = [metric.compute(pair) for pair in pairs]
    told = np.mean([metric.null_quantile(pair, alpha=0.05) for pair in pairs])
    if share:
        assert told == pytest.approx(np.quantile(values, 0.95), rel=0.15)
        assert told_over_true(metric, pairs) == pytest.approx(1, abs=0.25)
    # One missing value in 400, where the baseline has none in 5,000, is no noise.
    assert told < 1 / 400 or share


@pytest.mark.parametrize("metric", [pytest.param(m, id=n) for n, m in drift_metrics().items()])
def test_noise_is_less_with_more_rows_and_more_at_smaller_alpha(metric):
    generator = np.random.default_rng(3)
    reference = drawn(EVEN, 50_000, generator)
    noise = [
        metric.null_quantile(Pair(reference, drawn(EVEN, rows, generator)), alpha=0.01)
        for rows in (50, 500, 5000)
    ]
    pair = Pair(reference, drawn(EVEN, 500, generator))
    if metric.name == "chi_square":
        assert noise == pytest.approx([21.67] * 3, rel=0.1)
    else:
        assert noise == sorted(noise, reverse=True)
    assert metric.null_quantile(pair, alpha=0.001) >= metric.null_quantile(pair, alpha=0.1) >= 0
    assert 0 <= metric.standard_error(pair, metric.compute(pair)) < np.inf


@pytest.mark.parametrize("metric", [pytest.param(m, id=n) for n, m in drift_metrics().items()])
def test_one_value_on_both_sides_has_no_noise_or_says_why(metric):
    one = numeric_histogram([2.0] * 30, edges=[1.0, 3.0])
    pair = Pair(one, one)
    value = metric.compute(pair)
    noise = metric.null_quantile(pair, alpha=0.05)
    if isinstance(value, Undefined):
        assert "constant" in value.reason
    else:
        assert noise == pytest.approx(0, abs=0.15 if metric.of_missing else 0)
        assert metric.standard_error(pair, value) == pytest.approx(0, abs=0.05)


def by_name(counts, prefix="n"):
    """A histogram of the names that have rows."""
    found = np.flatnonzero(counts)
    return Histogram(counts=counts[found], categories=tuple(f"{prefix}{i}" for i in found))


def zipf(names, power):
    shares = 1 / np.arange(1, names + 1) ** power
    return shares / shares.sum()


@pytest.mark.parametrize(
    ("names", "power", "before", "now"),
    [(100, 1.0, 300, 300), (200, 1.5, 1000, 1000), (5000, 1.1, 20_000, 1000), (50, 2.0, 500, 2000)],
)
def test_names_that_the_baseline_happens_to_lack_are_chance(names, power, before, now):
    """Unseen names left out, most of these values exceed what they do once in a hundred."""
    generator, shares = np.random.default_rng(5), zipf(names, power)
    metrics = [drift_metric(name) for name in sorted(ON_SHARES)]
    beyond = dict.fromkeys(sorted(ON_SHARES), 0)
    for _ in range(60):
        reference = by_name(generator.multinomial(before, shares))
        for _ in range(4):
            pair = Pair.of(reference, by_name(generator.multinomial(now, shares)))
            for metric in metrics:
                noise = metric.null_quantile(pair, alpha=0.01)
                beyond[metric.name] += metric.compute(pair) > noise
    assert max(beyond.values()) <= 0.045 * 240, beyond


@pytest.mark.parametrize("flooding", [1, 5])
@pytest.mark.parametrize("name", sorted(ON_SHARES - {"l_infinity", "total_variation"}))
def test_a_flood_of_new_names_stays_far_above_chance(name, flooding):
    """One row in twenty."""
    generator, shares, metric = np.random.default_rng(6), zipf(100, 1.0), drift_metric(name)
    reference = by_name(generator.multinomial(20_000, shares))
    for _ in range(10):
        old, new = (
            by_name(generator.multinomial(950, shares)),
            by_name(generator.multinomial(50, np.full(flooding, 1 / flooding)), "new"),
        )
        both = Histogram(
            counts=np.concatenate((old.counts, new.counts)),
            categories=(*(old.categories or ()), *(new.categories or ())),
        )
        pair = Pair.of(reference, both)
        assert metric.compute(pair) > 1.15 * metric.null_quantile(pair, alpha=0.01)


@pytest.mark.parametrize("name", sorted(ON_SHARES))
def test_a_new_name_in_a_constant_column_is_chance_until_it_comes_again_and_again(name):
    """1 + 1 names in 5,001 rows: of 300 rows one may be new, four are not chance."""
    metric = drift_metric(name)
    before = Histogram(counts=np.array([5000]), categories=("a",))
    for new, chance in ((1, True), (4, False)):
        now = Histogram(counts=np.array([300 - new, new]), categories=("a", "b"))
        pair = Pair.of(before, now)
        assert (metric.compute(pair) <= metric.null_quantile(pair, alpha=0.01)) is chance


@pytest.mark.parametrize("alpha", [0.1, 0.01, 1e-6])
@pytest.mark.parametrize("once", [0, 3, 400])
def test_rows_of_unseen_names_are_good_and_turings(alpha, once):
    before = Histogram(
        counts=np.array([5000 - once, *[1] * once]),
        categories=("a", *(f"rare{i}" for i in range(once))),
    )
    for rows in (20, 1000, 40_000):
        now = Histogram(counts=np.array([rows]), categories=("a",))
        found = unseen(Pair.of(before, now).alone, alpha)
        expected = stats.poisson.isf(alpha, rows * (once + 1) / 5001)
        assert found.rows == pytest.approx(min(expected, rows))
        assert 1 <= found.names <= once + 1
        assert found.largest <= found.rows


def test_no_number_is_unseen():
    one = numeric_histogram([2.0] * 30, edges=[1.0, 3.0])
    assert unseen(Pair(one, one).alone, 0.01) is None


def test_new_names_do_not_widen_their_own_threshold():
    before = Histogram(counts=np.array([500, 500]), categories=("a", "b"))
    few = Histogram(counts=np.array([50, 50]), categories=("a", "b"))
    flood = Histogram(
        counts=np.array([25, 25, *[1] * 50]),
        categories=("a", "b", *(f"new{i}" for i in range(50))),
    )
    psi = drift_metric("psi")
    told = [psi.null_quantile(Pair.of(before, now), alpha=0.01) for now in (few, flood)]
    assert told[0] == told[1]


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_alpha_is_a_probability(alpha):
    side = numeric_histogram([1.0, 2.0], edges=[1.5])
    with pytest.raises(ValueError, match="alpha"):
        drift_metric("psi").null_quantile(Pair(side, side), alpha=alpha)


def test_total_variation_is_sure_where_no_bin_is_shared():
    """Ten tenths add up to 1 only up to rounding, whose root would be 1e-9."""
    before = Histogram(counts=np.array([9]), categories=("old",))
    now = Histogram(counts=np.ones(10, dtype=np.int64), categories=tuple("abcdefghij"))
    metric, pair = drift_metric("total_variation"), Pair.of(before, now)
    assert metric.standard_error(pair, metric.compute(pair)) == 0.0
