"""Each contestant that needs no peer runs on few rows, and agrees with the one beside it."""

from __future__ import annotations

import math

import pytest


def values_of(report):
    return {(metric, column): value for metric, column, value in report["values"]}


@pytest.fixture
def days(tmp_path):
    import rows

    rows.write_days(tmp_path / "days", rows=200, different=3)
    return tmp_path / "days"


def test_every_day_is_held_against_training_and_both_rolling_baselines(days, run_contestant):
    report = run_contestant("ours_many_days.py", "--folder", days, "--days", 16, "--scope", "psi")
    kinds = {metric for metric, _ in values_of(report)}
    assert kinds == {"psi/training", "psi/rolling_14", "psi/rolling_28", "profile_bytes"}
    assert report["seconds"].keys() >= {"scan", "store", "load", "training", "rolling_14"}
    assert report["peak_megabytes"] > 50


def test_scipy_by_hand_measures_both_rolling_baselines(days, run_contestant):
    report = run_contestant("scipy_many_days.py", "--folder", days, "--days", 1)
    # Two metrics and two of shares a number, three a category, against two baselines.
    assert len(report["values"]) == 2 * (12 * 4 + 8 * 3)


def test_a_hundred_columns_are_measured_from_stored_profiles(days, run_contestant):
    arguments = ("--folder", days, "--days", 2, "--scope")
    run_contestant("ours_wide_year.py", *arguments, "write")
    report = run_contestant("ours_wide_year.py", *arguments, "measure")
    assert values_of(report)["measured", ""] > 2 * 100 * 5


def test_labels_in_the_rows_and_labels_joined_give_what_scikit_learn_gives(
    tmp_path, run_contestant
):
    import rows

    rows.write_labelled_days(tmp_path / "days", rows=300, different=2)
    arguments = ("--folder", tmp_path / "days", "--days", 2, "--scope")
    in_rows = values_of(run_contestant("ours_performance.py", *arguments, "rows"))
    joined = values_of(run_contestant("ours_performance.py", *arguments, "joined"))
    by_hand = values_of(run_contestant("sklearn_performance.py", *arguments, "full"))
    assert in_rows == joined
    shared = in_rows.keys() & by_hand.keys()
    assert len({metric for metric, _ in shared}) == 8
    assert all(math.isclose(in_rows[k], by_hand[k], abs_tol=1e-9) for k in shared)


def test_a_shape_says_its_time_and_memory(tmp_path, run_contestant):
    import odd_rows

    odd_rows.write_wide(tmp_path, 50, 10)
    run_contestant("ours_shape.py", "--folder", tmp_path, "--times", 1, "--scope", "baseline")
    report = run_contestant("ours_shape.py", "--folder", tmp_path, "--times", 3, "--scope", "scan")
    assert report["seconds"].keys() == {"import", "baseline", "read", "compute"}
    assert report["peak_megabytes"] >= values_of(report)["before", ""]
