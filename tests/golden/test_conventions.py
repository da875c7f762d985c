"""What the page on conventions says of PSI, of limits, and of declarations that copy peers."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from dagster_monitoring.monitors.drift import DriftMonitor, EqualWidth
from dagster_monitoring.statistics.undefined import Undefined

PAGE = Path(__file__).parent.parent.parent / "docs" / "conventions.md"
DECLARED = {
    monitor["name"]: monitor
    for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for monitor in yaml.safe_load(block)["monitors"]
    if "name" in monitor
}
NUMERIC = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")
CATEGORICAL = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")
NAMES = {"jensen_shannon", "hellinger", "l_infinity"}


def as_declared(name, columns):
    return DriftMonitor.model_validate({**DECLARED[name], "columns": columns})


@pytest.mark.parametrize("columns", [NUMERIC, CATEGORICAL], ids=["numbers", "categories"])
def test_the_declarations_that_copy_nannyml_give_its_figures(car_loan, columns):
    name = "as_nannyml_numbers" if columns == NUMERIC else "as_nannyml_categories"
    measured = car_loan.measured(as_declared(name, columns), "chunk_9")
    peers = car_loan.figures["nannyml"]["chunk_9"]["univariate"]
    assert {m for m, _ in measured} == NAMES & {*DECLARED[name]["metrics"]}
    for (metric, column), found in measured.items():
        assert found.value == pytest.approx(peers[column][metric], rel=1e-9)


@pytest.mark.parametrize("columns", [NUMERIC, CATEGORICAL], ids=["numbers", "categories"])
def test_the_declarations_that_copy_evidently_have_its_verdicts(car_loan, columns):
    name = "as_evidently_numbers" if columns == NUMERIC else "as_evidently_categories"
    monitor = as_declared(name, columns)
    limit = monitor.threshold.error.upper
    for (_, column), found in car_loan.measured(monitor, "day").items():
        assert (found.value > limit) == (car_loan.figures["evidently"][column]["value"] > 0.1)


def test_evidentlys_limit_of_a_distance_in_nats_is_told_in_bits():
    told = DECLARED["as_evidently_categories"]["threshold"]["error"]["upper"]
    assert told == round(0.1 / math.sqrt(math.log(2)), 4)


def test_the_declaration_that_copies_sagemaker_takes_off_what_its_source_does(car_loan):
    monitor = as_declared("as_sagemaker_categories", CATEGORICAL)
    for (_, column), found in car_loan.measured(monitor, "chunk_9").items():
        simple = car_loan.figures["nannyml"]["chunk_9"]["univariate"][column]["l_infinity"]
        robust = simple - 1.8 * math.sqrt((50_000 + 5_000) / (50_000 * 5_000))
        assert found.value == pytest.approx(max(robust, 0.0), abs=1e-9)


def psi(reference, current, edges):
    """By hand: shares on bins open on the right, at least 1e-4."""
    shares = [
        np.bincount(np.searchsorted(edges, rows, side="right"), minlength=len(edges) + 1)
        / len(rows)
        for rows in (reference, current)
    ]
    p, q = (np.maximum(share, 1e-4) for share in shares)
    return float(((q - p) * np.log(q / p)).sum())


def test_psi_is_not_one_number(car_loan):
    """One column, one formula, three grids: each told by its declaration, each another PSI."""
    before, after = (car_loan.table(name)["car_value"].to_numpy() for name in ("baseline", "day"))
    doane = np.histogram_bin_edges(before, bins="doane")
    grids = {
        "deciles": np.quantile(before, np.arange(1, 10) / 10),
        EqualWidth(equal_width=10): np.linspace(before.min(), before.max(), 11)[1:-1],
        "doane": np.append(doane[:-1], np.nextafter(doane[-1], np.inf)),
    }
    found = []
    for bins, edges in grids.items():
        monitor = DriftMonitor(window=1, columns=("car_value",), metrics=("psi",), bins=bins)
        value = car_loan.measured(monitor, "day")["psi", "car_value"].value
        assert value == pytest.approx(psi(before, after, edges), rel=1e-9)
        found.append(value)
    assert min(abs(a - b) for i, a in enumerate(found) for b in found[:i]) > 0.02


def test_a_category_that_the_baseline_did_not_have_has_a_share_of_nothing():
    from scipy.spatial.distance import jensenshannon

    from dagster_monitoring.statistics.drift import Pair, drift_metric
    from dagster_monitoring.statistics.histogram import categorical_histogram

    pair = Pair.of(categorical_histogram("aabb" * 25), categorical_histogram("aabn" * 25))
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.5, 0.25, 0.25])
    assert drift_metric("jensen_shannon").compute(pair) == pytest.approx(jensenshannon(p, q, 2))
    floored = np.maximum(p, 1e-4)
    expected = float(((q - floored) * np.log(q / floored)).sum())
    value = drift_metric("psi").compute(pair)
    assert not isinstance(value, Undefined)
    assert value == pytest.approx(expected, rel=1e-12)
