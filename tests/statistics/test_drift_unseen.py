"""What names that a baseline lacks add to the noise: the value of a window that has them."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from dagster_monitoring.statistics.drift import Pair, drift_metric
from dagster_monitoring.statistics.histogram import Histogram

NAMES = ["psi", "kl_divergence", "jensen_shannon_divergence", "hellinger", "chi_square"]


def pair_of(new: list[int]) -> Pair:
    """A baseline of 1,000 rows, and a window of 400 that is like it but for rows of new names."""
    left = (400 - sum(new)) // 4
    before = {"a": 500, "b": 250, "c": 250}
    now = {"a": 2 * left, "b": left, "c": left} | {f"new{i}": n for i, n in enumerate(new)}
    sides = (Histogram(counts=np.array([*x.values()]), categories=(*x,)) for x in (before, now))
    return Pair.of(*sides)


@pytest.mark.parametrize("new", [[4], [10, 10], [60, 60, 60, 60], [100, 100, 100]])
@pytest.mark.parametrize("name", NAMES)
def test_what_they_add_is_the_value_of_a_window_like_the_baseline_but_for_them(
    name: str, new: list[int]
) -> None:
    pair = pair_of(new)
    value = drift_metric(name).compute(pair)
    assert isinstance(value, float)
    if name == "hellinger":
        value **= 2
    if name == "chi_square":
        value *= 1 / 1000 + 1 / 400
    sampling = importlib.import_module(f"dagster_monitoring.statistics.drift.{name}").SAMPLING
    rows, names, n, m = (np.array([x], dtype=float) for x in (sum(new), len(new), 1000, 400))
    (added,) = (sampling.unseen(rows, names, n, m) + sampling.cell(m - rows, m)) / m
    # The shares of a Kullback-Leibler divergence do not quite add up to 1 where floors are.
    near = 1e-7 if name == "kl_divergence" else 0.0
    assert math.isclose(added, value, rel_tol=1e-9, abs_tol=near)
