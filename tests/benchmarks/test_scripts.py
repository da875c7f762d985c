"""The parts of the bench that judge and sample; the scripts that need no process of their own."""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path

import pytest

from dagster_monitoring.statistics.drift import drift_metrics

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_no_metric_of_the_catalogue_is_forgotten_by_the_exactness_report():
    import exact_metrics

    assert exact_metrics.EXACT.keys() == drift_metrics().keys()


def test_more_bins_bring_kolmogorov_smirnov_closer_and_psi_is_exact():
    import exactness

    pairs = list(exactness._synthetic(2_000))[:3]
    coarse, fine = (
        float(cell.split()[0])
        for cell in exactness._errors("kolmogorov_smirnov", pairs, [64, 2048])
    )
    assert fine <= 1 / 2048
    assert fine < coarse <= 1 / 64
    assert float(exactness._errors("psi", pairs, [64])[0]) < 1e-9


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (3.0, "asked at most 4, found 3"),
        (4.0, "asked at most 4, found 4"),
        (5.0, "asked at most 4, found 5: NOT KEPT"),
    ],
)
def test_a_limit_that_is_passed_is_said(found, says):
    import report

    assert report.at_most(found, 4.0) == says


def test_a_ratio_that_is_not_reached_is_said():
    import report

    assert report.at_least(9.0, 10.0) == "asked at least 10 x, found 9 x: NOT KEPT"
    assert report.at_least(10.0, 10.0) == "asked at least 10 x, found 10 x"


def test_the_sampler_gives_each_part_its_share():
    import sampler

    watch = sampler.Sampler({"here": (__file__,), "nowhere": ("/no/such/file",)}, rest="rest")
    with watch.running():
        time.sleep(0.1)
    assert watch.samples["here"] > 3
    assert watch.shares() == {"here": 1.0, "nowhere": 0.0, "rest": 0.0}


@pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")
def test_a_materialised_day_stands_beside_plain_python(monkeypatch, capsys):
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setattr(sys, "argv", ["dagster_day.py", "--rows", "100", "--rounds", "1"])
    runpy.run_path(str(BENCHMARKS / "dagster_day.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert "100 rows x 20 columns, 3 segment columns" in said
    assert "- the run to plain Python and an empty run: asked at most 1.5 x" in said


def test_a_year_is_replayed_in_the_small(monkeypatch, capsys):
    monkeypatch.setattr(
        sys, "argv", ["replay_year", "--rows", "60", "--days", "9", "--rounds", "1"]
    )
    runpy.run_path(str(BENCHMARKS / "replay_year.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert "| 9 days x 100 columns |" in said
    assert "asked at most 30 s" in said
