"""What sampling adds to a metric, against SciPy's distributions and the rows themselves."""

import math

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.statistics.drift import Pair, drift_metric
from dagster_monitoring.statistics.drift._sampling import (
    above_noise,
    chi_square_quantile,
    folded_error,
    mixed_quantile,
    normal_quantile,
    positive_quantile,
    root_quantile,
    skewed_quantile,
)
from dagster_monitoring.statistics.histogram import categorical_histogram, numeric_histogram
from dagster_monitoring.statistics.undefined import Undefined

BEFORE = np.repeat([0.0, 1.0, 2.0, 5.0], [50, 30, 12, 8])
AFTER = np.repeat([0.0, 1.0, 2.0, 5.0], [10, 10, 20, 10])


def pair_of(before, after):
    edges = np.unique(np.concatenate((before, after)))
    return Pair(*(numeric_histogram(x, edges=edges, centre=1.5) for x in (before, after)))


def noise(name, pair, alpha=0.05):
    return drift_metric(name).null_quantile(pair, alpha=alpha)


def error(name, pair):
    metric = drift_metric(name)
    return metric.standard_error(pair, metric.compute(pair))


def weighed(value, mean, deviation, far):
    """Between the deviations without a drift and far from none."""
    share = max(1 - (mean / value) ** 2, 0)
    return math.sqrt((1 - share) * deviation**2 + share * far**2)


def folded(value, deviation):
    return weighed(
        value, stats.halfnorm.mean() * deviation, stats.halfnorm.std() * deviation, deviation
    )


ARRAY = np.array


@pytest.mark.parametrize("alpha", [0.2, 0.01])
def test_quantiles_are_those_of_scipy(alpha):
    assert normal_quantile(alpha) == pytest.approx(stats.norm.isf(alpha))
    # With the mean 3 and the variance 2 a scaled chi-square has 9 degrees of freedom.
    assert positive_quantile(ARRAY([3.0, 1.0]), ARRAY([2.0, 1.0]), alpha) == pytest.approx(
        [stats.chi2(9, scale=1 / 3).isf(alpha), stats.chi2(2, scale=1 / 2).isf(alpha)]
    )
    # Degrees of freedom in hundredths: 2 * 1.3^2 is 3.38, over 2 and over 9.
    assert positive_quantile(ARRAY([1.3, 1.3]), ARRAY([2.0, 9.0]), alpha) == pytest.approx(
        [stats.chi2(own, scale=1.3 / own).isf(alpha) for own in (1.69, 0.38)]
    )
    assert chi_square_quantile(ARRAY([0.0, 2.0]), alpha).tolist() == pytest.approx(
        [0.0, stats.chi2(2).isf(alpha)]
    )
    # (3^2 / (2 * 0.5) + 0.5) degrees of freedom and the mean square 9.5.
    assert root_quantile(ARRAY([3.0, 0.3]), ARRAY([0.5, 0.5]), alpha) == pytest.approx(
        [stats.chi(9.5).isf(alpha), stats.chi(1, scale=math.sqrt(0.59)).isf(alpha)]
    )
    skewness = [0.02, 0.5, 3.0, 0.019]
    expected = [
        max(stats.pearson3(own).isf(alpha / 2), stats.norm.isf(alpha / 2)) for own in skewness
    ]
    expected[-1] = normal_quantile(alpha / 2)
    assert skewed_quantile(ARRAY(skewness), alpha) == pytest.approx(expected)


def test_what_never_varies_has_its_mean_for_a_quantile():
    for quantile in (positive_quantile, root_quantile):
        with np.errstate(all="ignore"):
            found = quantile(ARRAY([3.0, 0.0, -1.0]), ARRAY([0.0, 2.0, 2.0]), 0.05)
        assert found.tolist() == [3.0, 0.0, 0.0]


def test_a_sum_with_jumps_exceeds_its_quantile_as_often_as_it_says():
    """A chi-square of 9 degrees of freedom over 3, and 4 for each event of a Poisson process."""
    jumps, same = ARRAY([0.01, 0.35, 0.4, 1.36, 2.5]), np.ones(5)
    found = mixed_quantile(3.0 * same, 2.0 * same, jump=4.0 * same, jumps=jumps, alpha=0.05)
    events = np.arange(40)
    for x, mean in zip(found, jumps, strict=True):
        beyond = [
            float(stats.poisson.pmf(events, mean) @ stats.chi2(9, scale=1 / 3).sf(y - 4.0 * events))
            for y in (x, x * (1 - 1.1e-3))
        ]
        assert beyond[0] <= 0.05 * (1 + 1e-3) < beyond[1] * (1 + 2e-3)


@pytest.mark.parametrize("unit", [1e-5, 1.0])
def test_without_a_jump_it_is_the_sums_own_quantile_in_any_unit(unit):
    no_jump, jumps = np.zeros(1), ARRAY([0.4])
    found = mixed_quantile(
        ARRAY([3.0 * unit]), ARRAY([2.0 * unit**2]), jump=no_jump, jumps=jumps, alpha=0.05
    )
    assert found / unit == pytest.approx(stats.chi2(9, scale=1 / 3).isf(0.05), rel=1.1e-3)


def test_an_error_lies_between_that_of_noise_and_that_of_a_large_drift():
    with np.errstate(all="ignore"):
        assert above_noise(np.zeros(1), 1.0, 0.25, 4.0) == 0.25
        assert folded_error(np.zeros(1), 2.0) == pytest.approx(2 * stats.halfnorm.std())
    assert above_noise(0.5, 1.0, 0.25, 4.0) == 0.25
    assert above_noise(2.0, 1.0, 0.5, 4.0) == pytest.approx(math.sqrt(0.25 * 0.25 + 0.75 * 16))
    assert folded_error(3.0, 2.0) == pytest.approx(folded(3.0, 2.0))


def test_the_noise_and_error_of_missing_values_are_those_of_shares():
    before = categorical_histogram(["a"] * 91 + [None] * 9)
    after = categorical_histogram(["a"] * 30 + [None] * 20)
    pair, z, scale = Pair.of(before, after), stats.norm.isf(0.025), 1 / 100 + 1 / 50
    p, q = 9.5 / 101, 20.5 / 51
    skewed = (z**2 - 1) * (1 - 2 * p) * scale / 6
    assert noise("missing_share", pair) == pytest.approx(
        z * math.sqrt(p * (1 - p) * scale) + skewed
    )
    deviation = math.sqrt(p * (1 - p) / 100 + q * (1 - q) / 50)
    assert error("missing_share", pair) == pytest.approx(folded(0.31, deviation))


def test_of_mostly_missing_values_noise_is_not_skewed():
    most = categorical_histogram(["a"] * 9 + [None] * 91)
    p = 91.5 / 101
    assert noise("missing_share", Pair.of(most, most)) == pytest.approx(
        stats.norm.isf(0.025) * math.sqrt(p * (1 - p) / 50)
    )


def test_skewness_adds_no_more_than_the_share_and_takes_nothing_off():
    none, few = categorical_histogram(["a"] * 1000), categorical_histogram("aa")
    p, scale = 0.5 / 1001, 1 / 1000 + 1 / 2
    plain = math.sqrt(p * (1 - p) * scale)
    pair = Pair.of(none, few)
    assert noise("missing_share", pair) == pytest.approx(stats.norm.isf(0.025) * plain + p)
    # Below one deviation the correction would be negative.
    assert noise("missing_share", pair, alpha=0.5) == pytest.approx(stats.norm.isf(0.25) * plain)


def test_the_noise_and_error_of_the_spread_go_by_the_kurtosis_of_the_rows():
    pair = pair_of(BEFORE, AFTER)
    one, other = ((stats.kurtosis(x, fisher=False) - 1) / 4 for x in (BEFORE, AFTER))
    assert noise("spread_shift", pair) == pytest.approx(
        stats.norm.isf(0.025) * math.sqrt(one * (1 / 100 + 1 / 50))
    )
    value = abs(math.log(np.std(AFTER) / np.std(BEFORE)))
    assert error("spread_shift", pair) == pytest.approx(
        folded(value, math.sqrt(one / 100 + other / 50))
    )


@pytest.mark.parametrize("sides", [(np.ones(4), AFTER), (BEFORE, np.ones(4))])
def test_a_constant_side_has_no_spread_whose_error_could_be_told(sides):
    found = drift_metric("spread_shift").standard_error(pair_of(*sides), 0.1)
    assert isinstance(found, Undefined)
    assert "constant" in found.reason


@pytest.mark.parametrize("ahead", [1, -1])
def test_the_error_of_the_mean_is_that_of_its_influence_function(ahead):
    before, after = ahead * BEFORE, ahead * AFTER
    pair = pair_of(before, after)
    value = abs(after.mean() - before.mean()) / before.std()
    z = (before - before.mean()) / before.std()
    influence = ahead * z + value * z**2 / 2
    variance = np.var(influence) / 100 + np.var(after) / np.var(before) / 50
    assert error("mean_shift", pair) == pytest.approx(folded(value, math.sqrt(variance)))
    skewness = round(abs(stats.skew(before)) * math.sqrt(0.03), 2)
    assert noise("mean_shift", pair) == pytest.approx(
        stats.pearson3(skewness).isf(0.025) * math.sqrt(0.03)
    )


def test_the_noise_and_error_of_kolmogorov_smirnov():
    pair = pair_of(BEFORE, AFTER)
    # After the values 0, 1 and 2 are 0.5, 0.8 and 0.92 of the one, 0.2, 0.4 and 0.8 of the other.
    assert drift_metric("kolmogorov_smirnov").compute(pair) == pytest.approx(0.4)
    root = math.sqrt(100 / 3)
    smooth = stats.kstwobign.isf(0.05) / (root + 0.12 + 0.11 / root)
    few = stats.norm.isf(0.05 / 6) * 0.5 / root
    assert noise("kolmogorov_smirnov", pair) == pytest.approx(min(smooth, few))
    far = math.sqrt(0.8 * 0.2 / 100 + 0.4 * 0.6 / 50)
    mean, deviation = math.sqrt(math.pi / 2) * math.log(2), 0.260333
    expected = weighed(0.4, mean / root, deviation / root, far)
    assert error("kolmogorov_smirnov", pair) == pytest.approx(expected, rel=1e-5)


def test_the_p_value_of_kolmogorov_smirnov_moves_with_the_statistics_error():
    still = pair_of(BEFORE, BEFORE[::2])
    moved = pair_of(BEFORE, np.repeat([0.0, 1.0, 2.0, 5.0], [20, 15, 10, 5]))
    root = math.sqrt(100 / 3)
    factor = root + 0.12 + 0.11 / root
    for own in (still, moved):
        value, aside = (
            drift_metric("kolmogorov_smirnov").compute(own),
            error("kolmogorov_smirnov", own),
        )
        high, low = (
            stats.kstwobign.sf(max(x, 0.0) * factor) for x in (value - aside, value + aside)
        )
        assert error("kolmogorov_smirnov_p_value", own) == pytest.approx((high - low) / 2)
        assert noise("kolmogorov_smirnov_p_value", own) == 0.0


NAMES = Pair.of(
    categorical_histogram("a" * 120 + "b" * 80 + "c" * 200),
    categorical_histogram("a" * 100 + "b" * 70 + "c" * 30),
)


def test_metrics_of_one_another_have_one_noise_and_error():
    """Of roots by the delta method: what the error of ``x`` is, over ``2 sqrt(x)``."""
    rows, scale = 600, 1 / 400 + 1 / 200
    assert noise("cramers_v", NAMES) == pytest.approx(math.sqrt(noise("chi_square", NAMES) / rows))
    assert noise("jensen_shannon", NAMES) ** 2 == pytest.approx(
        noise("jensen_shannon_divergence", NAMES)
    )
    plain, taken = noise("l_infinity", NAMES, 1e-12), 1.8 * math.sqrt(scale)
    assert noise("l_infinity_robust", NAMES, 1e-12) == pytest.approx(plain - taken)
    assert noise("l_infinity_robust", NAMES, 0.5) == 0.0
    assert error("l_infinity_robust", NAMES) == error("l_infinity", NAMES)
    assert drift_metric("l_infinity_robust").standard_error(NAMES, 0.0) == 0.0


def test_in_coarse_bins_the_means_of_bins_stand_for_their_rows():
    """A drift down of values whose tail is up, so that the error is less than of means alone."""
    after = BEFORE - 0.375
    pair = Pair(*(numeric_histogram(x, edges=[1.0, 1.5]) for x in (BEFORE, after)))
    value = 0.375 / BEFORE.std()
    last = BEFORE[BEFORE > 1.5].mean()
    z = (np.where(BEFORE > 1.5, last, BEFORE) - BEFORE.mean()) / BEFORE.std()
    variance = np.var(-z + value * z**2 / 2)
    assert variance < 0.9
    expected = folded(value, math.sqrt(variance / 100 + 1 / 100))
    assert error("mean_shift", pair) == pytest.approx(expected)


def test_two_values_have_nearly_the_least_kurtosis():
    before = np.repeat([0.0, 1.0], [60, 40])
    one = (stats.kurtosis(before, fisher=False) - 1) / 4
    assert one < 0.05
    expected = stats.norm.isf(0.025) * math.sqrt(one * (1 / 100 + 1 / 50))
    assert noise("spread_shift", pair_of(before, AFTER)) == pytest.approx(expected)


HUGE = np.array([-1.7e308, 1.0, 1.7e308])


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [(HUGE, AFTER, "too large"), (BEFORE, HUGE, "too large"), (np.ones(4), HUGE, "constant")],
)
def test_values_that_overflow_leave_no_number_and_the_baselines_reason_goes_first(
    before, after, reason
):
    pair = Pair(*(numeric_histogram(x, edges=[0.0, 1.0, 2.0]) for x in (before, after)))
    of_mean = drift_metric("mean_shift").standard_error(pair, 0.5)
    of_spread = drift_metric("spread_shift").compute(pair)
    for found in (of_mean, of_spread):
        assert isinstance(found, Undefined)
        assert reason in found.reason


def test_the_spread_of_huge_values_has_no_noise():
    pair = Pair(*(numeric_histogram(x, edges=[0.0, 1.0, 2.0]) for x in (HUGE, AFTER)))
    found = noise("spread_shift", pair)
    assert isinstance(found, Undefined)
    assert "too large" in found.reason


def test_a_constant_window_is_named():
    found = drift_metric("spread_shift").compute(pair_of(BEFORE, np.ones(4)))
    assert "window" in found.reason


def test_a_constant_window_is_named_in_any_unit_and_the_baseline_goes_first():
    flat, small = [2e-3] * 5, [1e-3, 2e-3, 4e-3]
    spread = drift_metric("spread_shift")
    found = spread.compute(pair_of(small, flat))
    assert isinstance(found, Undefined)
    assert "the window's column is constant" in found.reason
    both = spread.compute(pair_of(flat, flat))
    assert isinstance(both, Undefined)
    assert "window" not in both.reason
