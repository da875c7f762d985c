"""``limits`` on a small project."""

from __future__ import annotations

import json

from dagster_monitoring.cli.limits import command as limits
from tests.cli.running import run
from tests.cli.test_replay import DAY, ready  # noqa: F401 - a fixture


def test_limits_are_shown_and_compared(ready: str):  # noqa: F811 - the fixture
    options = ("--at", DAY, "--module", ready)
    shown = run(limits, "price", *options, columns=140)
    assert shown.exit_code == 0, shown.output
    assert "missing_share" in shown.output
    (one,) = [
        row
        for row in json.loads(run(limits, "price", *options, "--format", "json").output)
        if row["metric"] == "duplicate_ids" and row["segment"] is None
    ]
    assert one["partition"] == DAY
    assert "no limits are others" in run(limits, "price", *options, "--diff", DAY).output


def test_without_anything_judged_a_slice_has_to_be_named(ready: str):  # noqa: F811 - the fixture
    error = run(limits, "price", "--module", ready).exception
    assert "Name a slice with --at" in str(error)
