"""How far means of groups swing beyond chance, held against SciPy's analysis of variance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import f_oneway

from dagster_monitoring.statistics.groups import MINIMUM_GROUPS, swing_of_means
from dagster_monitoring.statistics.undefined import Undefined


def drawn(sizes, spread, seed):
    source = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return source.normal(size=len(groups)) + source.normal(0, spread, len(sizes))[groups], groups


@pytest.mark.parametrize("sizes", [[30] * 20, [5, 80, 20, 3, 44, 60, 7, 9, 100, 31]])
def test_it_is_the_part_between_groups_of_an_analysis_of_variance(sizes):
    values, groups = drawn(sizes, 0.5, 1)
    split = [values[groups == at] for at in range(len(sizes))]
    ratio = f_oneway(*split).statistic
    n, k = len(values), len(sizes)
    within = sum(own.var() * len(own) for own in split) / (n - k)
    size = (n - sum(m * m for m in sizes) / n) / (k - 1)
    between = (ratio - 1) * within / size
    found = swing_of_means(values, groups)
    assert found == pytest.approx(math.sqrt(between * (1 + 1 / k)))
    # Names and order of groups do not matter.
    places = np.random.default_rng(2).permutation(n)
    assert swing_of_means(values[places], 7 - 3 * groups[places]) == pytest.approx(found)


def test_a_known_spread_is_found_and_none_is_nothing():
    found = [swing_of_means(*drawn([40] * 60, 0.5, seed)) for seed in range(40)]
    assert np.mean(found) == pytest.approx(0.5 * math.sqrt(61 / 60), abs=0.03)
    alike = [swing_of_means(*drawn([40] * 60, 0.0, seed)) for seed in range(40)]
    # Rows make a mean of 40 swing by 0.16; what is left of that is chance, and often nothing.
    assert max(alike) < 0.1
    assert alike.count(0.0) >= 10
    assert swing_of_means(np.ones(100), np.arange(100) % 10) == 0.0


def test_what_cannot_be_told_is_undefined():
    for sizes, words in (([10] * 7, "7 groups, and 8 are needed"), ([1] * 20, "two rows")):
        found = swing_of_means(*drawn(sizes, 1.0, 3))
        assert isinstance(found, Undefined)
        assert words in found.reason
    assert isinstance(swing_of_means(*drawn([10] * MINIMUM_GROUPS, 1.0, 3)), float)
    assert isinstance(swing_of_means(np.zeros(0), np.zeros(0, dtype=np.int64)), Undefined)
    with pytest.raises(ValueError, match="values and"):
        swing_of_means(np.zeros(3), np.zeros(2, dtype=np.int64))
