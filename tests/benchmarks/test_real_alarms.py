"""What the bench of real days does to them, and how it counts pages."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Episode, Group


@pytest.fixture
def rows() -> pa.Table:
    import real_changes

    score = np.linspace(0, 1, 4_000)
    return pa.table(
        {
            "delay15_proba": score,
            "delay15_pred": (score > 0.5).astype(int),
            "delayed15": (score > 0.75).astype(int),
            **dict.fromkeys(real_changes.WEATHER, score),
        }
    )


def test_every_change_keeps_the_rows_and_columns_of_a_day(rows: pa.Table):
    import real_changes

    for change in real_changes.CHANGES.values():
        changed = change(rows, np.random.default_rng(1))
        assert (changed.num_rows, changed.column_names) == (rows.num_rows, rows.column_names)
        assert changed != rows


def test_changes_are_what_they_say(rows: pa.Table):
    import real_changes

    rng = np.random.default_rng(1)
    late = real_changes.late_twice(rows, rng)["delayed15"].to_numpy().mean()
    assert late == pytest.approx(2 / 5, abs=0.03), "a quarter, twice as often, is two of five"
    likely = real_changes.scores_higher(rows, rng)["delay15_proba"].to_numpy()
    assert np.mean(likely > 0.25) == pytest.approx(6 / 7, abs=0.03)
    mixed = real_changes.scores_mixed(rows, rng)
    moved = mixed["delay15_proba"].to_numpy() != rows["delay15_proba"].to_numpy()
    assert moved.mean() == pytest.approx(0.8, abs=0.01)
    assert mixed["delayed15"] == rows["delayed15"]
    assert real_changes.weather_lost(rows, rng)["temp"].null_count == rows.num_rows


def test_a_page_is_counted_where_it_lasts_and_told_no_earlier_than_the_change():
    import real_alarms

    days = [f"2024-05-{day:02d}" for day in range(1, 11)]
    episode = Episode(
        monitor="performance",
        kind="performance",
        cause=Cause.MODEL,
        severity=Severity.ERROR,
        first=days[3],
        fired=days[4],
        bad=(days[3], days[4], days[6]),
        resolved=days[9],
        ends=(datetime(2024, 5, 7, tzinfo=UTC),),
    )
    pages = real_alarms.Pages(groups=[Group(Cause.MODEL, (episode,))], days=days)
    assert pages.count_in(days[0], days[2]) == 0
    assert pages.count_in(days[0], days[3]) == pages.count_in(days[6], days[9]) == 1
    assert pages.first_in(days[2], days[9]) == days[4]
    assert pages.first_in(days[5], days[9]) == days[5], "an incident that lasts is known at once"
    assert pages.first_in(days[7], days[9]) is None
