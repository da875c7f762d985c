"""Evidently's p-values where the baseline has at most 1,000 rows, and what it finds by them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from scipy import stats

from dagster_monitoring.monitors.drift import DriftMonitor
from tests.golden.conftest import Peers

PAGE = Path(__file__).parent.parent.parent / "docs" / "conventions.md"
COLUMNS = ("n_chars", "n_words", "non_ascii_share", "digit_share", "proba")
DAYS = ("quiet", "wave")
CATEGORIES = DriftMonitor(window=1, columns="all", metrics=("chi_square_p_value",))


@pytest.fixture(scope="module")
def monitor() -> DriftMonitor:
    """As the page on conventions has it."""
    (block,) = re.findall(
        r"^```yaml\n(monitors:\n  - type: drift\n    name: as_evidently_few_rows\n.*?)^```$",
        PAGE.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    (declared,) = yaml.safe_load(block)["monitors"]
    return DriftMonitor.model_validate({**declared, "columns": COLUMNS})


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("column", COLUMNS)
def test_the_p_value_is_evidentlys_as_nearly_as_the_page_says(
    prompt_injection, monitor, day, column
):
    theirs = prompt_injection.figures["evidently"][day][column]
    assert theirs["method"] == "K-S p_value"
    ours = prompt_injection.measured(monitor, day)["kolmogorov_smirnov_p_value", column].value
    assert ours == pytest.approx(theirs["value"], abs=0.002 if theirs["value"] < 0.1 else 0.02)


def test_the_declaration_that_copies_it_has_its_verdicts(prompt_injection, monitor):
    limit = monitor.threshold.error.lower
    found = {
        (day, column)
        for day in DAYS
        for (_, column), measured in prompt_injection.measured(monitor, day).items()
        if measured.value < limit
    }
    drifted = {
        (day, column)
        for day, columns in prompt_injection.figures["evidently"].items()
        for column, told in columns.items()
        if told["value"] < 0.05
    }
    assert found == drifted == {("wave", "proba")}


@pytest.fixture(scope="module")
def few_rows(car_loan) -> Peers:
    """A day against the baseline's first 900 rows."""
    first = car_loan.table("baseline").slice(0, 900)
    tables = {"baseline": first, "day": car_loan.table("day")}
    return replace(car_loan, slices=("day",), monitors=(), tables=tables)


def p_value(few_rows, column):
    return few_rows.measured(CATEGORIES, "day")["chi_square_p_value", column].value


def test_of_two_names_evidentlys_z_test_is_our_chi_square(few_rows):
    theirs = few_rows.figures["evidently_few_rows"]["repaid_loan_on_prev_car"]
    assert theirs["method"] == "Z-test p_value"
    ours = p_value(few_rows, "repaid_loan_on_prev_car")
    # It takes the normal distribution's from 1, which leaves seven digits here.
    assert ours == pytest.approx(theirs["value"], rel=1e-6)


@pytest.mark.parametrize("column", ["salary_range", "size_of_downpayment"])
def test_of_more_names_evidently_takes_the_baseline_for_exact(few_rows, column):
    theirs = few_rows.figures["evidently_few_rows"][column]
    assert theirs["method"] == "chi-square p_value"
    sides = [few_rows.table(name)[column].to_pylist() for name in ("baseline", "day")]
    names = sorted({*sides[0], *sides[1]})
    before, now = ([side.count(name) for name in names] for side in sides)
    expected = [n * len(sides[1]) / len(sides[0]) for n in before]
    assert theirs["value"] == pytest.approx(stats.chisquare(now, expected).pvalue, rel=1e-9)
    ours = p_value(few_rows, column)
    both = stats.chi2_contingency([before, now], correction=False)
    assert ours == pytest.approx(both.pvalue, rel=1e-9)
    assert ours > theirs["value"]
