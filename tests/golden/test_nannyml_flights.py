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
LINES = DriftMonitor(window=1, columns="all", metrics=("kolmogorov_smirnov",))
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
def test_kolmogorov_smirnov_is_scipys_and_near_nannymls(flights, theirs, column):
    sides = [flights.table(name)[column].drop_null().to_numpy() for name in ("baseline", "day")]
    exact = stats.ks_2samp(*sides).statistic
    found = flights.measured(LINES, "day")["kolmogorov_smirnov", column].value
    # Both columns have few enough values for a bin each; NannyML reads it off a histogram.
    assert found == pytest.approx(exact, abs=1e-12)
    assert theirs["univariate_drift"][column]["kolmogorov_smirnov"] == pytest.approx(
        exact, abs=1e-3
    )


def test_rates_of_missing_and_of_unseen_values_are_nannymls(flights, theirs):
    found = flights.measured(QUALITY, "day")
    names = {"missing_values": "missing_share", "unseen_values": "new_categories"}
    for theirs_is, metric in names.items():
        for column, value in theirs[theirs_is].items():
            assert found[metric, column].value == pytest.approx(value, rel=1e-9)
