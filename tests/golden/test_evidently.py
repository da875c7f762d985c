"""Evidently's figures of a day of 165 rows, from the same rows through baseline and monitor."""

from __future__ import annotations

import math

import pytest

from dagster_monitoring.monitors.drift import DriftMonitor

NUMERIC = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure", "y_pred_proba")
CATEGORICAL = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")
MONITOR = DriftMonitor(window=1, columns="all", metrics=("wasserstein_scaled", "jensen_shannon"))
METHODS = {
    "Wasserstein distance (normed)": NUMERIC,
    "Jensen-Shannon distance": CATEGORICAL,
}

NATS = math.sqrt(math.log(2))
"""Evidently's distance is of divergences in nats, ours in bits: 0.8325546 to 1."""


def test_the_columns_have_the_methods_that_are_compared_here(car_loan):
    for method, columns in METHODS.items():
        for column in columns:
            assert car_loan.figures["evidently"][column]["method"] == method


@pytest.mark.parametrize("column", CATEGORICAL)
def test_jensen_shannon_of_categories_is_evidentlys_in_bits(car_loan, column):
    ours = car_loan.measured(MONITOR, "day")["jensen_shannon", column].value
    assert ours * NATS == pytest.approx(car_loan.figures["evidently"][column]["value"], rel=1e-9)


@pytest.mark.parametrize("column", NUMERIC)
def test_wasserstein_in_standard_deviations_is_evidentlys(car_loan, column):
    ours = car_loan.measured(MONITOR, "day")["wasserstein_scaled", column].value
    theirs = car_loan.figures["evidently"][column]["value"]
    # Exact where each value has a bin of its own; else rows are known by their bin's mean.
    tolerance = 1e-9 if car_loan.baseline.bins.numeric[column].exact else 5e-6
    assert ours == pytest.approx(theirs, abs=tolerance)
