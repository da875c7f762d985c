"""Intervals against scipy, and by simulation where rows come in blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dagster_monitoring.statistics.intervals import paired_mean_interval, wilson
from dagster_monitoring.statistics.undefined import Undefined


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 500), data=st.data(), alpha=st.sampled_from([0.3, 0.05, 0.001]))
def test_wilson_equals_scipy(n, data, alpha):
    successes = data.draw(st.integers(0, n))
    exact = stats.binomtest(successes, n).proportion_ci(1 - alpha, method="wilson")
    assert wilson(successes, n, alpha=alpha) == pytest.approx((exact.low, exact.high), abs=1e-9)


@pytest.mark.parametrize("n", range(1, 60))
def test_an_end_that_the_share_lies_on_is_exact(n):
    """Computed, it is off by a rounding at 1, 5 and 9 rows, for instance."""
    assert wilson(0, n, alpha=0.05)[0] == 0.0
    assert wilson(n, n, alpha=0.05)[1] == 1.0


def test_a_probability_too_small_to_be_told_from_0_beside_1_still_gives_an_interval():
    z = stats.norm.isf(5e-21)
    lower, upper = wilson(5, 10, alpha=1e-20)
    assert upper - lower == pytest.approx(z / (10 + z**2) * (10 + z**2) ** 0.5)
    found = paired_mean_interval(np.array([1.0, 3.0, 2.0, 4.0]), list("aabb"), alpha=1e-20)
    assert found.upper - found.mean == pytest.approx(stats.t.isf(5e-21, 1) * 0.5)


def test_wilson_of_no_rows_is_undefined():
    assert wilson(0, 0, alpha=0.05) == Undefined("no rows")


@pytest.mark.parametrize("successes", [-1, 4])
def test_successes_that_rows_cannot_have_are_refused(successes):
    with pytest.raises(ValueError, match=f"between 0 and n = 3, not {successes}"):
        wilson(successes, 3, alpha=0.05)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_alpha_out_of_range_is_refused(alpha):
    with pytest.raises(ValueError, match=f"alpha .* not {alpha}"):
        wilson(1, 3, alpha=alpha)
    with pytest.raises(ValueError, match=f"alpha .* not {alpha}"):
        paired_mean_interval(np.ones(2), [1, 2], alpha=alpha)


@pytest.mark.parametrize("count", [2, 9])
@pytest.mark.parametrize("alpha", [0.2, 0.01])
def test_blocks_of_one_size_give_the_t_interval_of_their_means(alpha, count):
    generator = np.random.default_rng(1)
    blocks = np.repeat(np.arange(count), 20)
    n = len(blocks)
    differences = generator.normal(0.3, 1, n) + generator.normal(0, 0.5, count)[blocks]
    means = differences.reshape(count, 20).mean(axis=1)
    expected = stats.ttest_1samp(means, 0).confidence_interval(1 - alpha)
    found = paired_mean_interval(differences, blocks, alpha=alpha)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert (found.mean, found.n, found.blocks) == (pytest.approx(differences.mean()), n, count)


def test_the_order_of_rows_does_not_matter():
    generator = np.random.default_rng(2)
    differences, blocks = generator.normal(0, 1, 60), generator.integers(0, 7, 60)
    order = generator.permutation(60)
    found = paired_mean_interval(differences, blocks, alpha=0.1)
    shuffled = paired_mean_interval(differences[order], blocks[order], alpha=0.1)
    assert (found.lower, found.upper) == pytest.approx((shuffled.lower, shuffled.upper))


def test_days_that_differ_are_covered_as_often_as_promised():
    """Days of unequal size with an effect each; an interval over rows misses the truth half the
    time here."""
    generator = np.random.default_rng(3)
    runs, missed, naive = 800, 0, 0
    for _ in range(runs):
        sizes = generator.integers(20, 60, 14)
        blocks = np.repeat(np.arange(14), sizes)
        rows = generator.normal(0, 1, 14)[blocks] + generator.normal(0, 1, len(blocks))
        found = paired_mean_interval(rows, blocks, alpha=0.1)
        missed += not found.lower <= 0 <= found.upper
        by_row = stats.norm.interval(0.9, rows.mean(), rows.std() / len(rows) ** 0.5)
        naive += not by_row[0] <= 0 <= by_row[1]
    assert missed / runs == pytest.approx(0.1, abs=0.045)
    assert naive / runs > 0.5


def test_one_block_is_undefined():
    found = paired_mean_interval(np.ones(5), ["monday"] * 5, alpha=0.1)
    assert isinstance(found, Undefined)
    assert "two blocks, there are 1" in found.reason


@pytest.mark.parametrize(
    ("differences", "blocks"), [([1.0, np.nan], [1, 2]), ([1.0, 2.0], [1, 2, 3])]
)
def test_differences_without_a_number_or_block_are_refused(differences, blocks):
    with pytest.raises(ValueError, match="finite and has its block"):
        paired_mean_interval(np.array(differences), blocks, alpha=0.1)
