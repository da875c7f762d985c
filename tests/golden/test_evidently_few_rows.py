"""Evidently's p-values where the baseline has at most 1,000 rows, and what it finds by them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dagster_monitoring.monitors.drift import DriftMonitor

PAGE = Path(__file__).parent.parent.parent / "docs" / "conventions.md"
COLUMNS = ("n_chars", "n_words", "non_ascii_share", "digit_share", "proba")
DAYS = ("quiet", "wave")


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
