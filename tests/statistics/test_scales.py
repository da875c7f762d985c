"""Scales: there and back, and what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dagster_monitoring.statistics.scales import back, onto

POWERS = ["identity", "two_thirds", "three_fifths", "cube_root", "fourth_root"]


@pytest.mark.parametrize("scale", POWERS)
@given(value=st.floats(-1e6, 1e6))
def test_a_power_leads_back_with_its_sign(scale, value):
    assert back(onto(value, scale), scale) == pytest.approx(value, rel=1e-9, abs=1e-300)


@given(value=st.floats(1e-12, 1e6))
def test_a_logarithm_leads_back_and_0_is_a_number(value):
    assert back(onto(value, "log"), "log") == pytest.approx(value)
    assert np.isfinite(onto(0.0, "log"))
    assert np.isfinite(back(1e6, "log"))


@given(value=st.floats(1e-9, 1 - 1e-9))
def test_a_p_value_leads_back_and_its_scale_is_normal(value):
    assert back(onto(value, "probit"), "probit") == pytest.approx(value)
    assert onto(value, "probit") == pytest.approx(stats.norm.ppf(value))
    assert np.isfinite([onto(0.0, "probit"), onto(1.0, "probit")]).all()


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        ("cube_root", stats.chi2(9)),
        ("two_thirds", stats.chi(9)),
        ("log", stats.lognorm(0.8)),
    ],
)
def test_what_a_scale_is_for_is_nearly_normal_on_it(scale, values):
    shares = np.arange(0.5, 2000) / 2000
    found = np.array([onto(float(value), scale) for value in values.ppf(shares)])
    assert abs(stats.skew(values.ppf(shares))) > 0.2
    assert abs(stats.skew(found)) < 0.2


@given(small=st.floats(0, 0.99), more=st.floats(1e-3, 1.0))
@pytest.mark.parametrize("scale", [*POWERS, "log", "probit"])
def test_a_larger_value_is_never_less_on_a_scale(scale, small, more):
    assert onto(min(small + more, 1.0), scale) >= onto(small, scale)


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        ("cube_root", stats.chi2(9)),
        ("fourth_root", stats.kstwobign()),
        ("three_fifths", stats.halfnorm()),
    ],
)
def test_its_far_tail_is_nearly_that_of_a_normal_value_too(scale, values):
    """Of PSI, Kolmogorov-Smirnov and the mean's shift, at the level of one of 200 monitors."""
    level = 1.6e-4
    found = np.array([onto(float(v), scale) for v in values.ppf(np.arange(0.5, 4000) / 4000)])
    limit = back(float(found.mean() - stats.norm.ppf(level) * found.std()), scale)
    assert 0.7 < values.sf(limit) / level < 1.3
