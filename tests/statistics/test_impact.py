"""The estimated change of error: truth in closed form, its interval, its shares, its limits."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import expit
from scipy.stats import norm

from dagster_monitoring.statistics.impact import (
    MOST_COLUMNS,
    ErrorChange,
    column_shares,
    error_change,
)
from dagster_monitoring.statistics.multivariate import SampledRows
from dagster_monitoring.statistics.undefined import Undefined

CAR_LOAN = Path(__file__).parents[1] / "golden" / "car_loan"


def sampled(values, categorical=None):
    values = np.asarray(values, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    names = tuple(f"x{at}" for at in range(values.shape[1]))
    kinds = categorical or (False,) * len(names)
    return SampledRows(columns=names, categorical=kinds, values=values)


def step_losses(x, source):
    """Errors are likelier above 1: 0.4 there, and 0.05 below."""
    return (source.random(len(x)) < np.where(x > 1.0, 0.4, 0.05)).astype(float)


def step_truth(mean):
    """The error rate of x ~ N(mean, 1) less that of N(0, 1)."""
    return 0.35 * (norm.sf(1.0 - mean) - norm.sf(1.0))


@pytest.mark.parametrize("mean", [-0.5, 0.0, 1.0])
def test_a_shift_with_a_known_density_ratio_gives_the_known_change(mean):
    source = np.random.default_rng(int(10 * mean) + 50)
    x = source.normal(size=4000)
    found = error_change(sampled(x), step_losses(x, source), sampled(source.normal(mean, 1, 2000)))
    assert isinstance(found, ErrorChange)
    assert abs(found.value - step_truth(mean)) < 3 * found.standard_error
    # E[w^2] of two normals of one spread is exp(mean^2): Kish's share of the rows is its inverse.
    assert found.effective_n / 4000 == pytest.approx(math.exp(-(mean**2)), abs=0.2)


def test_the_interval_holds_as_often_as_it_says():
    covered = 0
    for seed in range(12):
        source = np.random.default_rng(seed)
        x = source.normal(size=1000)
        now = sampled(source.normal(0.5, 1, 500))
        found = error_change(sampled(x), step_losses(x, source), now)
        covered += abs(found.value - step_truth(0.5)) <= 1.96 * found.standard_error
    # Of 12 that hold with 0.95 each, fewer than 9 happen once in four hundred.
    assert covered >= 9


def test_columns_that_move_together_count_together():
    """Each alone would make it better or do nothing; both together make it worse."""
    source = np.random.default_rng(3)

    def draw(n, rho):
        a, b = source.normal(size=(2, n))
        return np.column_stack([a, rho * a + math.sqrt(1 - rho**2) * b])

    before, now = draw(4000, 0.0), draw(2000, 0.9)
    losses = (before[:, 0] * before[:, 1] > 0.5).astype(float)
    truth = np.mean(draw(400_000, 0.9).prod(axis=1) > 0.5) - losses.mean()
    assert truth > 0.1
    found = error_change(sampled(before), losses, sampled(now))
    assert abs(found.value - truth) < 0.03
    for at in (0, 1):
        alone = error_change(sampled(before[:, at]), losses, sampled(now[:, at]))
        assert abs(alone.value) < 0.03
    shares = column_shares(sampled(before), found.expected, sampled(now))
    assert sum(shares.values()) == pytest.approx(truth, abs=0.04)
    assert shares["x0"] == pytest.approx(shares["x1"], abs=0.03)


def test_a_column_that_the_loss_does_not_know_has_no_impact():
    source = np.random.default_rng(4)
    x, idle = source.normal(size=(2, 3000))
    losses = step_losses(x, source)
    now = np.column_stack([source.normal(size=1500), source.normal(0.7, 1, 1500)])
    before = sampled(np.column_stack([x, idle]))
    found = error_change(before, losses, sampled(now))
    assert abs(found.value) < 2.5 * found.standard_error
    assert abs(found.value) < 0.02
    shares = column_shares(before, found.expected, sampled(now))
    assert abs(shares["x1"]) < 0.01


def test_shares_of_columns_that_add_up_are_their_own_changes():
    """Of independent columns and a sum of effects, Shapley's value is each one's mean."""
    source = np.random.default_rng(5)
    slopes, moves = np.array([1.0, -2.0, 0.0, 0.5, 1.0, 3.0]), np.array([0.3, 0.2, 0.5, 0.0, 0, 0])
    before, now = source.normal(size=(2000, 6)), source.normal(size=(2000, 6)) + moves
    shares = column_shares(sampled(before), before @ slopes, sampled(now))
    drawn = (now.mean(axis=0) - before.mean(axis=0)) * slopes
    assert [*shares.values()] == pytest.approx(drawn.tolist(), abs=0.15)


def test_many_columns_are_bounded_to_those_that_moved():
    source = np.random.default_rng(6)
    before, now = source.normal(size=(300, 40)), source.normal(size=(300, 40))
    now[:, [7, 31]] += 2.0
    shares = column_shares(sampled(before), before[:, 7], sampled(now))
    assert len(shares) == MOST_COLUMNS
    assert {"x7", "x31"} <= set(shares)
    assert max(shares, key=shares.get) == "x7"


def test_the_same_rows_give_the_same_estimate():
    source = np.random.default_rng(7)
    before, now = source.normal(size=(600, 3)), source.normal(0.3, 1, size=(400, 3))
    losses = np.abs(before[:, 0])
    one, two = (error_change(sampled(before), losses, sampled(now)) for _ in range(2))
    assert (one.value, one.standard_error) == (two.value, two.standard_error)
    first, second = (column_shares(sampled(before), losses, sampled(now)) for _ in range(2))
    assert first == second


def test_categories_missing_values_and_new_names_are_taken():
    source = np.random.default_rng(8)
    before = source.choice([0.0, 1.0], 2000, p=[0.8, 0.2])
    now = source.choice([0.0, 1.0, -1.0, np.nan], 1000, p=[0.4, 0.5, 0.05, 0.05])
    found = error_change(sampled(before, (True,)), before * 0.5, sampled(now, (True,)))
    assert 0.1 < found.value < 0.25


def test_what_cannot_be_told_is_undefined():
    few, many = sampled(np.zeros(99)), sampled(np.zeros(100))
    assert isinstance(error_change(few, np.zeros(99), many), Undefined)
    assert isinstance(error_change(many, np.zeros(100), few), Undefined)
    far = sampled(np.random.default_rng(9).normal(6, 0.1, 500))
    near = np.random.default_rng(10).normal(size=3000)
    found = error_change(sampled(near), np.abs(near), far)
    assert isinstance(found, Undefined)
    assert "build a baseline" in found.reason
    with pytest.raises(ValueError, match="losses of shape"):
        error_change(many, np.zeros(3), many)


def test_car_loan_gets_worse_and_not_better():
    """The columns one by one say that the model got better; the labels say that it got worse."""
    before, calm, after = (
        pq.read_table(CAR_LOAN / f"{name}.parquet").to_pandas()
        for name in ("baseline", "chunk_0", "chunk_9")
    )
    before = before.sample(10_000, random_state=0)
    error = (before["y_pred"] != before["repaid"]).to_numpy(dtype=float)
    for window, is_worse in ((calm, False), (after, True)):
        drawn = window.sample(2000, random_state=0)
        found = error_change(sampled(before["y_pred_proba"]), error, sampled(drawn["y_pred_proba"]))
        realized = np.mean(window["y_pred"] != window["repaid"]) - error.mean()
        assert abs(found.value - realized) < 0.015
        assert (found.value > 1.96 * found.standard_error) == is_worse
        assert (realized > 0.015) == is_worse
    alone = error_change(sampled(before["car_value"]), error, sampled(drawn["car_value"]))
    assert alone.value < 0


def test_windows_of_car_loan_differ_from_the_truth_by_what_chance_does():
    """Windows of 800 rows: labels alone know an error rate there within two points."""
    before = pq.read_table(CAR_LOAN / "baseline.parquet").to_pandas().sample(4000, random_state=1)
    error = (before["y_pred"] != before["repaid"]).to_numpy(dtype=float)
    apart, spreads = [], []
    for name in ("chunk_0", "chunk_9"):
        chunk = pq.read_table(CAR_LOAN / f"{name}.parquet").to_pandas()
        for first in range(0, 4800, 800):
            rows = chunk.iloc[first : first + 800]
            wrong = (rows["y_pred"] != rows["repaid"]).to_numpy(dtype=float)
            found = error_change(
                sampled(before["y_pred_proba"]), error, sampled(rows["y_pred_proba"])
            )
            apart.append(found.value - (wrong.mean() - error.mean()))
            spreads.append(math.hypot(found.standard_error, wrong.std() / math.sqrt(800)))
    within = np.abs(apart) <= 1.96 * np.array(spreads)
    # Of 12 that hold with 0.95 each, fewer than 9 happen once in four hundred.
    assert within.sum() >= 9
    assert max(map(abs, apart)) > 0.01, "single windows are more than a point off"
    assert abs(np.mean(apart[:6])) < 0.01
    assert abs(np.mean(apart[6:])) < 0.01


def test_a_known_probability_of_error_is_found_in_two_columns():
    """The loss is a smooth function of both, which move against each other."""
    source = np.random.default_rng(11)

    def rate(rows):
        return expit(-2 + rows[:, 0] + rows[:, 1])

    before = source.normal(size=(4000, 2))
    now = source.normal(size=(2000, 2)) + np.array([0.8, -0.4])
    losses = (source.random(4000) < rate(before)).astype(float)
    large = source.normal(size=(400_000, 2))
    truth = np.mean(rate(large + np.array([0.8, -0.4]))) - np.mean(rate(large))
    found = error_change(sampled(before), losses, sampled(now))
    assert abs(found.value - truth) < 3 * found.standard_error
    shares = column_shares(sampled(before), found.expected, sampled(now))
    assert shares["x0"] > 0 > shares["x1"]
    assert all(a > b for a, b in pairwise(shares.values()))
