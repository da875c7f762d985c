"""What chance alone puts between two samples, held against SciPy's tests and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.statistics.homogeneity import means_apart, shares_apart
from dagster_monitoring.statistics.undefined import Undefined

counts = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=2, max_size=6)


def distance(a, b) -> float:
    return float(np.abs(np.array(a) / sum(a) - np.array(b) / sum(b)).sum() / 2)


@given(pairs=counts, alpha=st.sampled_from([0.001, 0.01, 0.05, 0.3]))
def test_a_distance_beyond_it_is_one_that_the_chi_square_test_rejects(pairs, alpha):
    a, b = ([pair[side] for pair in pairs] for side in (0, 1))
    noise = shares_apart(a, b, alpha=alpha)
    if not (sum(a) and sum(b)):
        assert isinstance(noise, Undefined)
        return
    table = np.array([a, b])[:, np.array(a) + np.array(b) > 0]
    if table.shape[1] == 1:
        assert noise == 0
        return
    p_value = scipy.stats.chi2_contingency(table, correction=False).pvalue
    if distance(a, b) > noise * (1 + 1e-9):
        assert p_value < alpha
    elif table.shape[1] == 2:  # of two classes the two are one
        assert p_value >= alpha * (1 - 1e-6)


def test_of_two_classes_it_is_exceeded_as_often_as_alpha_says():
    source = np.random.default_rng(1)
    drawn = [(source.binomial(400, 0.3), source.binomial(900, 0.3)) for _ in range(4_000)]
    beyond = [
        abs(x / 400 - y / 900) > shares_apart([x, 400 - x], [y, 900 - y], alpha=0.05)
        for x, y in drawn
    ]
    assert 0.04 < np.mean(beyond) < 0.06


def test_means_are_apart_as_welch_has_it():
    source = np.random.default_rng(2)
    a, b = source.normal(0, 2, 4_000), source.normal(0, 1, 9_000)
    noise = means_apart([a.var(ddof=1), b.var(ddof=1)], [len(a), len(b)], alpha=0.05)
    found = scipy.stats.ttest_ind(a, b + (a.mean() - b.mean()) + noise, equal_var=False)
    assert found.pvalue == pytest.approx(0.05, abs=1e-4)


def test_what_can_not_be_told_says_why():
    assert means_apart([0.0, 1.0], [1, 5], alpha=0.05) == Undefined(
        "a sample has fewer than two rows"
    )
    assert shares_apart([0, 0], [1, 2], alpha=0.05) == Undefined("a sample has no rows")
    with pytest.raises(ValueError, match="samples of 1 and of 2 classes"):
        shares_apart([1], [1, 2], alpha=0.05)
    for alpha in (0.0, 1.0):
        with pytest.raises(ValueError, match="alpha"):
            shares_apart([1, 1], [1, 2], alpha=alpha)
        with pytest.raises(ValueError, match="alpha"):
            means_apart([1.0, 1.0], [5, 5], alpha=alpha)


def test_three_classes_without_a_large_one_have_the_spread_of_a_half():
    """Two of them may together be nearer to a half than any one: 1/4 bounds them all."""
    found = shares_apart([40, 30, 30], [80, 60, 60], alpha=0.05)
    statistic = scipy.stats.chi2.isf(0.05, 2)
    assert found == pytest.approx(math.sqrt(statistic / 4 * (1 / 100 + 1 / 200)))
    large = shares_apart([80, 10, 10], [160, 20, 20], alpha=0.05)
    assert large == pytest.approx(found * math.sqrt(0.8 * 0.2 * 4))


def test_rows_of_one_class_alone_are_not_apart():
    assert shares_apart([3, 0], [4, 0], alpha=0.05) == 0


def test_two_rows_have_a_spread():
    found = means_apart([2.0, 2.0], [2, 2], alpha=0.05)
    assert found == pytest.approx(scipy.stats.norm.isf(0.025) * math.sqrt(2))
