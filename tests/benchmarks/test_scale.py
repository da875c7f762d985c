"""What the docs say of scale is what the arithmetic gives, and the arithmetic is right by hand."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_docs_show_both_tables_as_they_are_computed():
    import scale

    text = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert "\n".join(scale.constant_lines()) in text
    assert "\n".join(scale.needs_lines()) in text


def test_needs_are_those_worked_out_by_hand():
    import scale

    constants = replace(
        scale.MEASURED,
        scan_segments_ns=36.0,
        run_seconds=1.0,
        start_seconds=1.5,
        load_milliseconds_a_model=5.0,
        profile_bytes_a_column=1_000.0,
        profile_bytes_a_column_and_segment=100.0,
        evaluations_a_column=2.0,
        evaluation_bytes=500.0,
        events_a_model_and_day=10.0,
        event_bytes=100.0,
        prediction_microseconds=3.0,
        label_microseconds=6.0,
        prediction_bytes=400.0,
        label_bytes=600.0,
    )
    found = scale.needs(scale.Load(1_000_000_000, 10, 100), constants)
    # 10**10 values of 36 ns are 360 s; 100 runs of 1 + 1.5 + 100 * 0.005 s are 300 s.
    assert found.scan_hours == pytest.approx(0.1)
    assert found.run_hours == pytest.approx(300 / 3600)
    assert found.cores == pytest.approx((360 + 300) / 7200)
    # 100 models x 10 columns x (1,000 + 16 x 100) bytes x 365 days.
    assert found.profile_gb == pytest.approx(0.949)
    assert found.evaluation_rows == pytest.approx(730_000)
    assert found.evaluation_gb == pytest.approx(0.365)
    assert found.label_hours == pytest.approx(2.5)
    assert found.label_gb == pytest.approx(365_000)
    assert found.event_rows == pytest.approx(365_000)
    assert found.event_gb == pytest.approx(0.0365)


@pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")
def test_the_constants_are_measured(monkeypatch, capsys):
    monkeypatch.setenv("DAGSTER_HOME", "")
    few = ["--rows", "200", "--records", "50", "--days", "1"]
    monkeypatch.setattr(sys, "argv", ["constants.py", *few])
    runpy.run_path(str(ROOT / "benchmarks" / "constants.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    found = {
        name.strip(): float(value.replace(",", ""))
        for name, value in (line.strip("| ").split("|") for line in lines[2:20] if "|" in line)
    }
    assert found["Dagster, assets a model"] >= 6
    assert found["Dagster, events a model and day"] > 10
    assert found["profile, bytes a column"] > 100
    assert all(value >= 0 for value in found.values())
