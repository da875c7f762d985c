"""The bench runs end to end on a small day, and its numbers are SciPy's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "benchmarks" / "one_day.py"

# What the profile's bins promise; what is counted exactly agrees to rounding.
BOUNDS = {
    "chi_square": 1e-9,
    "jensen_shannon": 1e-9,
    "kolmogorov_smirnov": 5e-4,
    "missing_share": 1e-9,
    "psi": 1e-9,
    "wasserstein_scaled": 5e-3,
}


@pytest.fixture(scope="module")
def printed() -> str:
    done = subprocess.run(  # noqa: S603 - the bench of this repository
        [sys.executable, BENCH, "--rows", "2000", "--rounds", "1", "--only", "ours_segments"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_has_ratios_to_the_bare_read_and_to_ours(printed: str) -> None:
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines() if line[:1] == "|"]
    ratios = {row[0].strip(): (float(row[-2]), float(row[-1])) for row in rows[2:]}
    assert rows[0][-2:] == ["x bare read", "x ours"]
    assert list(ratios) == [
        "bare read, 20 columns",
        "ours, 20 columns",
        "ours, by 3 segment columns",
        "SciPy, four metrics",
    ]
    assert ratios["bare read, 20 columns"][0] == 1.0
    assert ratios["ours, 20 columns"][1] == 1.0
    assert ratios["ours, 20 columns"][0] > 1.0


def test_what_was_asked_stands_beside_what_was_found(printed: str) -> None:
    found = [line for line in printed.splitlines() if ": asked at " in line]
    assert [line.split(":")[0] for line in found] == [
        "- ours, by 3 segment columns",
        "- SciPy, four metrics, to ours",
    ]


def test_every_number_that_scipy_has_too_is_the_same(printed: str) -> None:
    found = dict(re.findall(r"^- (\w+): ([\d.e+-]+)$", printed, re.MULTILINE))
    assert found.keys() == BOUNDS.keys()
    assert {name: float(found[name]) <= bound for name, bound in BOUNDS.items()} == dict.fromkeys(
        BOUNDS, True
    )
