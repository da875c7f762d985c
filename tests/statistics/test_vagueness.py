"""What bins leave open is no more than the metric says, against SciPy on the raw rows."""

import math
from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from dagster_monitoring.statistics.drift import Pair, Pairs, drift_metric, drift_metrics
from dagster_monitoring.statistics.histogram import numeric_histogram
from dagster_monitoring.statistics.undefined import Undefined

DATA = files("dagster_monitoring.demo") / "data"
EDGES = np.array([-3.0, 0.0, 0.5, 4.0])
ROWS = st.lists(st.integers(-64, 64).map(lambda i: i / 8), min_size=2, max_size=25)
ROUNDING = 1e-9


def moved_quantiles(x, y, shares):
    before, after = (np.quantile(rows, shares, method="inverted_cdf") for rows in (x, y))
    return np.max(np.abs(after - before)) / np.std(x)


EXACT = {
    "kolmogorov_smirnov": lambda x, y: stats.ks_2samp(x, y, method="asymp").statistic,
    "wasserstein": stats.wasserstein_distance,
    "wasserstein_scaled": lambda x, y: stats.wasserstein_distance(x, y) / np.std(x),
    "energy_distance": stats.energy_distance,
    "median_shift": lambda x, y: moved_quantiles(x, y, (0.5,)),
    "quantile_shift": lambda x, y: moved_quantiles(x, y, (0.05, 0.25, 0.5, 0.75, 0.95)),
}
# Its p-value goes by another approximation than SciPy's, so that it is no measure of the bins.
BY_FORMULA = {"kolmogorov_smirnov_p_value"}


def test_no_metric_that_bins_leave_vague_is_without_an_exact_value():
    vague = {name for name, metric in drift_metrics().items() if metric.vagueness is not None}
    assert vague == {*EXACT, *BY_FORMULA}


def vagueness(metric, pair):
    with np.errstate(all="ignore"):
        return metric.vagueness(pair.alone).item()


def off_and_told(name, x, y, edges):
    """How far the metric is off, and how far it says that it may be."""
    metric = drift_metric(name)
    pair = Pair(*(numeric_histogram(rows, edges=edges, centre=float(x[0])) for rows in (x, y)))
    value = metric.compute(pair)
    if isinstance(value, Undefined):
        return 0.0, 0.0
    return abs(value - EXACT[name](x, y)), vagueness(metric, pair)


@pytest.mark.parametrize("name", sorted(EXACT))
@settings(max_examples=60, deadline=None)
@given(before=ROWS, after=ROWS)
@example(before=[-1.0, 1.0], after=[5.0, 7.0, 7.0])
@example(before=[0.25, 1.0, 3.5], after=[0.25, 2.0])
def test_it_is_never_further_off_than_it_says(name, before, after):
    off, told = off_and_told(name, np.array(before), np.array(after), EDGES)
    assert off <= told + ROUNDING


@pytest.mark.parametrize("name", ["wasserstein", "energy_distance"])
def test_rows_that_one_side_alone_has_in_a_bin_are_told(name):
    """Where ``F`` crosses ``G``, and where the current rows are beyond the baseline's range."""
    crossed = off_and_told(
        name, np.array([-5.0, 1.0, 3.0, 5.0]), np.array([-5.0, -5.0, 5.0]), EDGES
    )
    beyond = off_and_told("energy_distance", np.zeros(4), np.array([5.0, 9.0, 5.5, 8.5]), EDGES)
    for off, told in (crossed, beyond):
        assert 0.01 < off <= told


@pytest.mark.parametrize("name", ["wasserstein", "energy_distance"])
def test_an_open_bin_of_unknown_range_may_be_off_by_any_amount(name):
    x, y = (numeric_histogram(rows, edges=[1.0, 2.0]) for rows in ([0.0, 0.5, 3.0], [-1.0, 3.0]))
    metric = drift_metric(name)
    assert math.isfinite(vagueness(metric, Pair(x, y)))
    unknown = replace(x, minimum=None, maximum=None)
    assert vagueness(metric, Pair(unknown, y)) == math.inf
    # With rows of one side alone there the one follows from their mean, the other does not.
    elsewhere = numeric_histogram([1.5, 1.75, 3.0], edges=[1.0, 2.0])
    told = vagueness(metric, Pair(unknown, elsewhere))
    assert told == math.inf if name == "energy_distance" else told < 1


@pytest.mark.parametrize("name", sorted({*EXACT, *BY_FORMULA}))
def test_side_by_side_each_pair_is_as_vague_as_alone(name):
    """One of few wide bins, and one of narrow bins whose rows hardly matter."""
    metric, source = drift_metric(name), np.random.default_rng(2)
    fine, pairs = np.arange(-400, 401) / 100, []
    for edges, scale in ((fine, 1.5), (EDGES, 1.5), (fine, 1.0)):
        sides = (source.normal(0.0, own, 200).clip(-3.9, 3.9) for own in (1.0, scale))
        pairs.append(Pair(*(numeric_histogram(rows, edges=edges) for rows in sides)))
    alone = [vagueness(metric, pair) for pair in pairs]
    assert alone[1] > alone[0] > 0
    assert metric.vagueness(Pairs.of(pairs)) == pytest.approx(alone, rel=1e-9)


def test_where_a_bin_has_one_value_nothing_of_kolmogorov_smirnov_is_vague():
    """A third of the one is before it, and a third of the other after it."""
    edges = [1.0, math.nextafter(1.0, 2.0)]
    pair = Pair(*(numeric_histogram(x, edges=edges) for x in ([0.0, 1.0, 1.0], [1.0, 1.0, 2.0])))
    metric = drift_metric("kolmogorov_smirnov")
    assert metric.compute(pair) == pytest.approx(1 / 3)
    assert vagueness(metric, pair) == 0.0


@cache
def months():
    tables = [
        pq.read_table(DATA / name)
        for name in ("baseline.parquet", "production-2013-04.parquet", "production-2013-07.parquet")
        if (DATA / name).is_file()
    ]
    return [
        {
            field.name: rows[np.isfinite(rows)]
            for field in table.schema
            if str(field.type) in {"float", "double"}
            for rows in [table[field.name].to_numpy().astype(np.float64)]
        }
        for table in tables
    ]


@pytest.mark.parametrize("name", sorted(EXACT))
@pytest.mark.parametrize("bins", [64, 2048])
def test_on_flights_it_is_never_further_off_than_it_says(name, bins):
    before, *others = months()
    assert len(others) > 1
    for after in others:
        for column in sorted(before.keys() & after.keys()):
            x = before[column]
            edges = np.unique(np.quantile(x, np.arange(1, bins) / bins, method="inverted_cdf"))
            off, told = off_and_told(name, x, after[column], edges)
            assert off <= told + ROUNDING * np.std(x), column
