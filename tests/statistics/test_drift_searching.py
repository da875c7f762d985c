"""The search for the value at which falling functions are 1."""

import math

import numpy as np
import pytest
from scipy import optimize

from dagster_monitoring.statistics.drift._sampling import _where_one

LOGARITHMS = {
    "a line": lambda x: 4 - x,
    "bent at the start": lambda x: 6 * math.exp(-3 * x) - 0.01,
    "bent at the end": lambda x: 3 - 1e-5 * x**6,
    "bent twice": lambda x: 2 * math.cos(min(x, math.pi)) - 0.5,
}


@pytest.mark.parametrize("shape", LOGARITHMS)
def test_neither_end_creeps(shape):
    """A straight line through both ends would need hundreds of steps where it is bent."""
    logarithm, asked = LOGARITHMS[shape], []

    def falls(values, at):
        asked.append(at.tolist())
        return np.array([math.exp(logarithm(x)) for x in values])

    found = _where_one(falls, math.exp(logarithm(0.0)), np.array([10.0])).item()
    exact = optimize.brentq(logarithm, 0.0, 10.0)
    assert abs(logarithm(found)) <= 1e-3 or found == pytest.approx(exact, rel=1e-3)
    assert len(asked) < 25


def test_each_function_is_asked_for_until_it_is_found():
    roots, asked = np.array([1.0, 4.0, 9.5]), []

    def falls(values, at):
        asked.append(at.tolist())
        return np.exp(3 - 3 * (values / roots[at]) ** (at + 1))

    found = _where_one(falls, math.exp(3), np.array([10.0, 10.0, 10.0]))
    assert found == pytest.approx(roots, rel=1e-3)
    assert asked[0] == [0, 1, 2]
    assert 0 not in asked[-1]


def test_a_function_may_be_nothing_from_somewhere_on():
    def falls(values, at):
        assert len(at) == 1
        return np.exp(3) * np.maximum(1 - values, 0.0)

    (found,) = _where_one(falls, math.exp(3), np.array([10.0]))
    assert found == pytest.approx(1 - math.exp(-3), rel=1e-3)
