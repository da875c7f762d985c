"""Multiple tests against scipy and against the closed procedure that Holm's shortens."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dagster_monitoring.statistics.multiplicity import benjamini_hochberg, bonferroni, holm

P_VALUES = st.lists(st.integers(0, 97).map(lambda i: (i / 97) ** 3), min_size=1, max_size=6)
ALPHA = st.sampled_from([0.01, 0.05, 0.3])
moderate = settings(max_examples=60, deadline=None)


@moderate
@given(p_values=P_VALUES, alpha=ALPHA)
def test_benjamini_hochberg_equals_scipy(p_values, alpha):
    adjusted = stats.false_discovery_control(p_values, method="bh")
    assert benjamini_hochberg(p_values, alpha=alpha) == (adjusted <= alpha).tolist()


@moderate
@given(p_values=P_VALUES, alpha=ALPHA)
def test_holm_rejects_what_every_bonferroni_test_with_it_rejects(p_values, alpha):
    m = len(p_values)
    subsets = [s for size in range(1, m + 1) for s in combinations(range(m), size)]
    closed = [
        all(min(p_values[j] for j in s) <= alpha / len(s) for s in subsets if i in s)
        for i in range(m)
    ]
    assert holm(p_values, alpha=alpha) == closed


@moderate
@given(p_values=P_VALUES, alpha=ALPHA)
def test_each_rejects_whatever_the_stricter_one_does(p_values, alpha):
    strict = np.array(p_values) <= bonferroni(alpha, len(p_values))
    middle, loose = holm(p_values, alpha=alpha), benjamini_hochberg(p_values, alpha=alpha)
    assert all(m for m, s in zip(middle, strict, strict=True) if s)
    assert all(b for b, m in zip(loose, middle, strict=True) if m)


@pytest.mark.parametrize("procedure", [holm, benjamini_hochberg])
def test_a_p_value_at_its_limit_is_rejected(procedure):
    assert procedure([0.05], alpha=0.05) == [True]
    assert procedure([1.0, 0.025], alpha=0.05) == [False, True]
    assert procedure([np.nextafter(0.05, 1.0)], alpha=0.05) == [False]


@pytest.mark.parametrize("procedure", [holm, benjamini_hochberg])
def test_no_tests_give_no_rejections(procedure):
    assert procedure([], alpha=0.05) == []


@pytest.mark.parametrize("procedure", [holm, benjamini_hochberg])
@pytest.mark.parametrize("p_value", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(procedure, p_value):
    with pytest.raises(ValueError, match="within 0 and 1"):
        procedure([0.5, p_value], alpha=0.05)


@pytest.mark.parametrize("procedure", [holm, benjamini_hochberg])
def test_zero_and_one_are_p_values(procedure):
    assert procedure([0.0, 1.0], alpha=0.05) == [True, False]


@pytest.mark.parametrize("procedure", [holm, benjamini_hochberg])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_alpha_out_of_range_is_refused(procedure, alpha):
    with pytest.raises(ValueError, match=f"alpha .* not {alpha}"):
        procedure([0.5], alpha=alpha)
    with pytest.raises(ValueError, match=f"alpha .* not {alpha}"):
        bonferroni(alpha, 3)


def test_bonferroni_without_a_test_is_refused():
    with pytest.raises(ValueError, match="at least one test, not 0"):
        bonferroni(0.05, 0)
    assert bonferroni(0.05, 1) == 0.05
