"""NannyML's figures, from the same rows through baseline, profile and monitor."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.monitors.drift import DriftMonitor
from dagster_monitoring.monitors.multivariate_drift import MultivariateDriftMonitor
from dagster_monitoring.monitors.performance import PerformanceMonitor

CHUNKS = ("chunk_0", "chunk_9")
NUMERIC = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure", "y_pred_proba")
CATEGORICAL = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")

SHARES = DriftMonitor(
    window=1,
    columns="all",
    bins="doane",
    metrics=("jensen_shannon", "hellinger", "l_infinity", "chi_square"),
)
LINES = DriftMonitor(window=1, columns="all", metrics=("kolmogorov_smirnov", "wasserstein"))
REALIZED = PerformanceMonitor(
    window=1, metrics=("accuracy", "f1", "precision", "recall", "roc_auc")
)

# NannyML reads both off a histogram when the reference has over 10,000 rows. The exact values
# are SciPy's; ours is within 1/2048 of the exact K-S distance, whichever the column. Errors of
# Wasserstein distances are in standard deviations of the baseline.
KS_OF_PEER, KS_OF_OURS = 3e-4, 1 / 2048
WASSERSTEIN_OF_PEER, WASSERSTEIN_OF_OURS = 5e-5, 5e-5


def figure(peers, chunk, column, name):
    return peers.figures["nannyml"][chunk]["univariate"][column][name]


def exact(peers, chunk, column, statistic):
    return statistic(
        peers.table("baseline")[column].to_numpy(), peers.table(chunk)[column].to_numpy()
    )


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("column", [*NUMERIC, *CATEGORICAL])
@pytest.mark.parametrize("metric", ["jensen_shannon", "hellinger"])
def test_jensen_shannon_and_hellinger_on_doanes_bins_are_nannymls(car_loan, chunk, column, metric):
    ours = car_loan.measured(SHARES, chunk)[metric, column].value
    assert ours == pytest.approx(figure(car_loan, chunk, column, metric), rel=1e-9, abs=0)


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("column", CATEGORICAL)
def test_l_infinity_of_categories_is_nannymls(car_loan, chunk, column):
    ours = car_loan.measured(SHARES, chunk)["l_infinity", column].value
    assert ours == pytest.approx(figure(car_loan, chunk, column, "l_infinity"), rel=1e-9)


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("column", CATEGORICAL)
def test_chi_square_is_nannymls_but_for_its_correction_of_two_categories(car_loan, chunk, column):
    ours = car_loan.measured(SHARES, chunk)["chi_square", column].value
    sides = [car_loan.table(name)[column].to_pylist() for name in ("baseline", chunk)]
    names = sorted({*sides[0], *sides[1]})
    counts = np.array([[side.count(name) for name in names] for side in sides])
    # Yates's correction, SciPy's default, is for tables of two by two alone.
    corrected = stats.chi2_contingency(counts).statistic
    assert corrected == pytest.approx(figure(car_loan, chunk, column, "chi2"), rel=1e-9)
    assert ours == pytest.approx(stats.chi2_contingency(counts, correction=False).statistic)
    assert (ours == pytest.approx(corrected, rel=1e-9)) == (len(names) > 2)


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("column", NUMERIC)
def test_kolmogorov_smirnov_is_within_both_bounds_of_nannymls(car_loan, chunk, column):
    ours = car_loan.measured(LINES, chunk)["kolmogorov_smirnov", column].value
    peers = figure(car_loan, chunk, column, "kolmogorov_smirnov")
    true = exact(car_loan, chunk, column, lambda x, y: stats.ks_2samp(x, y).statistic)
    assert 0 <= true - ours + 1e-12 <= KS_OF_OURS
    assert peers == pytest.approx(true, abs=KS_OF_PEER)
    assert ours == pytest.approx(peers, abs=KS_OF_PEER + KS_OF_OURS)


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("column", NUMERIC)
def test_wasserstein_is_within_both_bounds_of_nannymls(car_loan, chunk, column):
    ours = car_loan.measured(LINES, chunk)["wasserstein", column].value
    peers = figure(car_loan, chunk, column, "wasserstein")
    true = exact(car_loan, chunk, column, stats.wasserstein_distance)
    spread = np.std(car_loan.table("baseline")[column].to_numpy())
    assert ours == pytest.approx(true, abs=WASSERSTEIN_OF_OURS * spread)
    assert peers == pytest.approx(true, abs=WASSERSTEIN_OF_PEER * spread)
    assert ours == pytest.approx(peers, abs=(WASSERSTEIN_OF_OURS + WASSERSTEIN_OF_PEER) * spread)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_realized_performance_is_nannymls(car_loan, chunk):
    measured = car_loan.measured(REALIZED, chunk)
    for metric, value in car_loan.figures["nannyml"][chunk]["realized"].items():
        assert measured[metric, None].value == pytest.approx(value, abs=1e-9)


def test_sampling_errors_are_near_nannymls_where_the_chunk_is_as_the_reference(car_loan):
    """NannyML takes the spread of rows from the reference, and ours is the chunk's own."""
    measured = car_loan.measured(REALIZED, "chunk_0")
    for metric in ("accuracy", "precision", "recall"):
        theirs = car_loan.figures["nannyml"]["chunk_0"]["sampling_error"][metric]
        assert measured[metric, None].standard_error == pytest.approx(theirs, rel=0.03)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_sampling_errors_are_within_a_factor_of_two_of_nannymls(car_loan, chunk):
    """F1 and ROC AUC differ by how they are got, the others with the chunk's error rates.

    NannyML takes F1 for a mean of rows, without the derivative of its ratio (nearly 1/2 here),
    and of the variance of ROC AUC the part of one class alone; next test.
    """
    measured = car_loan.measured(REALIZED, chunk)
    for metric, theirs in car_loan.figures["nannyml"][chunk]["sampling_error"].items():
        assert 1 / 2 < measured[metric, None].standard_error / theirs < 2


@pytest.mark.parametrize("metric", ["f1", "roc_auc"])
def test_where_sampling_errors_differ_rows_drawn_anew_vary_as_ours_says(car_loan, metric):
    from sklearn.metrics import roc_auc_score

    rows = car_loan.table("chunk_9")
    label, class_, score = (rows[name].to_numpy() for name in ("repaid", "y_pred", "y_pred_proba"))

    def f1(drawn):
        both = 2 * (label[drawn] & class_[drawn]).sum()
        return both / (label[drawn].sum() + class_[drawn].sum())

    def roc_auc(drawn):
        return roc_auc_score(label[drawn], score[drawn])

    rng = np.random.default_rng(5)
    again = rng.integers(0, len(label), size=(200, len(label)))
    spread = np.std([{"f1": f1, "roc_auc": roc_auc}[metric](drawn) for drawn in again])
    ours = car_loan.measured(REALIZED, "chunk_9")[metric, None].standard_error
    theirs = car_loan.figures["nannyml"]["chunk_9"]["sampling_error"][metric]
    assert ours == pytest.approx(spread, rel=0.15)
    assert theirs != pytest.approx(spread, rel=0.3)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_pca_reconstruction_error_is_nannymls(car_loan, chunk):
    measured = car_loan.measured(MultivariateDriftMonitor(window=1), chunk)
    ours = measured["pca_reconstruction_error", None].value
    theirs = car_loan.figures["nannyml"][chunk]["pca_reconstruction_error"]
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_the_tables_of_nannymls_documentation(car_loan, chunk):
    """To the six digits that are printed; its K-S distances are read off a histogram."""
    printed = car_loan.figures["nannyml_published"][chunk]
    measured = {**car_loan.measured(SHARES, chunk), **car_loan.measured(LINES, chunk)}
    column = "debt_to_income_ratio"
    distance = measured["jensen_shannon", column].value
    assert float(f"{distance:.6g}") == printed[column]["jensen_shannon"]
    steps = measured["kolmogorov_smirnov", column].value
    assert steps == pytest.approx(
        printed[column]["kolmogorov_smirnov"], abs=KS_OF_PEER + KS_OF_OURS
    )
    pca = car_loan.measured(MultivariateDriftMonitor(window=1), chunk)
    ours = pca["pca_reconstruction_error", None].value
    assert float(f"{ours:.6g}") == printed["pca_reconstruction_error"]


def test_regression_is_nannymls_measured_and_published(car_price):
    monitor = PerformanceMonitor(window=1, metrics=("mae", "mse", "rmse", "rmsle"))
    measured = car_price.measured(monitor, "chunk_9")
    for metric, value in car_price.figures["nannyml"]["chunk_9"].items():
        assert measured[metric, None].value == pytest.approx(value, rel=1e-9)
    of_reference = car_price.measured(monitor, "reference_chunk_9")
    for metric, value in car_price.figures["nannyml_published"]["reference_chunk_9"].items():
        assert float(f"{of_reference[metric, None].value:.6g}") == value
