"""NannyML's figures of a day of real flights: values are missing, and a category is new."""

from __future__ import annotations

import pytest
from scipy import stats

from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.monitors.drift import DriftMonitor

SHARES = DriftMonitor(
    window=1,
    columns="all",
    bins="doane",
    metrics=("jensen_shannon", "hellinger", "l_infinity", "chi_square"),
)
LINES = DriftMonitor(window=1, columns="all", metrics=("kolmogorov_smirnov", "wasserstein"))
QUALITY = DataQualityMonitor(vanished_after=1, metrics=("missing_share", "new_categories"))


@pytest.fixture(scope="module")
def theirs(flights):
    return flights.figures["nannyml"]["day"]


def test_the_day_is_of_the_kind_that_this_is_about(theirs):
    assert theirs["missing_values"]["plane_age"] > 0.1
    assert theirs["unseen_values"]["dest"] == pytest.approx(1 / 985, rel=1e-9)


@pytest.mark.parametrize("metric", ["jensen_shannon", "hellinger"])
@pytest.mark.parametrize("column", ["plane_age", "temp", "carrier", "dest"])
def test_missing_values_and_a_new_category_are_treated_as_there(flights, theirs, column, metric):
    found = flights.measured(SHARES, "day")[metric, column].value
    assert found == pytest.approx(theirs["univariate_drift"][column][metric], rel=1e-9)


@pytest.mark.parametrize("column", ["carrier", "dest"])
@pytest.mark.parametrize(
    ("metric", "there"), [("l_infinity", "l_infinity"), ("chi_square", "chi2")]
)
def test_a_new_category_counts_as_there(flights, theirs, column, metric, there):
    found = flights.measured(SHARES, "day")[metric, column].value
    assert found == pytest.approx(theirs["univariate_drift"][column][there], rel=1e-9)


@pytest.mark.parametrize("column", ["plane_age", "temp"])
def test_where_a_value_has_a_bin_of_its_own_distances_are_scipys_and_nannymls(
    flights, theirs, column
):
    sides = [flights.table(name)[column].drop_null().to_numpy() for name in ("baseline", "day")]
    found = flights.measured(LINES, "day")
    for metric, unit, exact in (
        ("kolmogorov_smirnov", 1.0, stats.ks_2samp(*sides).statistic),
        ("wasserstein", sides[0].std(), stats.wasserstein_distance(*sides)),
    ):
        assert found[metric, column].value == pytest.approx(exact, rel=1e-9)
        # It reads Wasserstein's off a histogram of the reference.
        near = theirs["univariate_drift"][column][metric]
        assert near == pytest.approx(exact, abs=1e-5 * unit)


def test_rates_of_missing_and_of_unseen_values_are_nannymls(flights, theirs):
    found = flights.measured(QUALITY, "day")
    names = {"missing_values": "missing_share", "unseen_values": "new_categories"}
    for theirs_is, metric in names.items():
        for column, value in theirs[theirs_is].items():
            assert found[metric, column].value == pytest.approx(value, rel=1e-9)
