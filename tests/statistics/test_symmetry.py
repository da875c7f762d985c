"""What a metric declares of its two sides: whether they may change places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.statistics.multivariate import (
    ReconstructionErrors,
    SampledRows,
    multivariate_metrics,
)
from dagster_monitoring.statistics.undefined import Undefined
from tests.statistics.labelled_rows import EVERY, ROWS, quick, summarise

UNEVEN = {
    "binary_classification": [(i < 7, i % 3 == 0, 0.5) for i in range(12)],
    "multiclass_classification": [(i % 3, i % 4 % 3, (0.5, 0.25, 0.25)) for i in range(11)],
    "regression": [(float(i), i * 0.5 + 3) for i in range(9)],
}


def swapped(rows):
    return [(second, first, *rest) for first, second, *rest in rows]


@pytest.mark.parametrize(("metric", "task"), [p for p in EVERY if p.values[0].symmetric])
@quick
@given(data=st.data())
def test_labels_and_predictions_change_places_where_a_metric_says_so(metric, task, data):
    rows = data.draw(ROWS[task])
    there, back = (metric.compute(summarise(task, given)) for given in (rows, swapped(rows)))
    assert isinstance(there, Undefined) == isinstance(back, Undefined)
    if not isinstance(there, Undefined):
        assert there == pytest.approx(back, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("metric", "task"),
    [
        p
        for p in EVERY
        # A score is no class, and an order no gain: there is nothing to swap.
        if not (p.values[0].symmetric or p.values[0].needs_score or p.values[1] == "ranking")
    ],
)
def test_they_do_not_where_it_says_no(metric, task):
    there, back = (
        metric.compute(summarise(task, given)) for given in (UNEVEN[task], swapped(UNEVEN[task]))
    )
    assert abs(there - back) > 1e-3


@pytest.mark.parametrize(("metric", "task"), [p for p in EVERY if p.values[0].symmetric])
def test_no_metric_of_scores_or_of_an_order_says_that_it_is_symmetric(metric, task):
    assert not metric.needs_score
    assert task != "ranking"


@pytest.mark.parametrize("metric", multivariate_metrics().values(), ids=lambda m: m.name)
def test_baseline_and_window_do_not_change_places(metric):
    sides = (np.random.default_rng(seed).normal(0, 1 + seed, size=(300, 3)) for seed in (0, 1))
    before, now = (
        ReconstructionErrors.of((rows**2).sum(axis=1))
        if metric.needs == "projection"
        else SampledRows(columns=("a", "b", "c"), categorical=(False,) * 3, values=rows)
        for rows in sides
    )
    assert not metric.symmetric
    assert metric.compute(before, now) != metric.compute(now, before)
