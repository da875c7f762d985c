"""Numbers too large for a float are no numbers."""

import math

import pytest

from dagster_monitoring.statistics.undefined import Undefined, finite


@pytest.mark.parametrize("value", [0.0, -1.5, 1.7e308])
def test_a_finite_value_is_itself(value):
    assert finite(value) == value


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_any_other_is_undefined_with_the_reason(value):
    found = finite(value)
    assert isinstance(found, Undefined)
    assert "too large" in found.reason
