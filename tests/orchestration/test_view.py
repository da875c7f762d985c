"""What a verdict looked at is known, also what it looked at from an earlier view."""

from __future__ import annotations

from datetime import timedelta

from dagster_monitoring.orchestration.judged_labels import outdated_slices
from tests.orchestration.schedules import production
from tests.orchestration.world import day_of, morning

DAYS, LATE = 6, 1
FIXED = {"type": "relative", "mode": "ratio", "error": {"lower": -0.5, "upper": 0.5}}
VOLUME = {"type": "data_quality", "metrics": ["row_volume"], "threshold": FIXED}


def test_a_slice_that_comes_late_is_looked_at_by_every_usual_number_of_rows_after_it(tmp_path):
    with production(tmp_path, "live", monitors=[VOLUME], ground_truth=None) as live:
        for number in range(DAYS):
            if number != LATE:
                live.serve(number, seed=0)
        live.now = morning(DAYS)
        live.whole([day_of(number) for number in range(DAYS)], ["data_quality"])
        assert not outdated_slices(live.backend, now=live.now)
        live.serve(LATE, seed=0)
        live.now += timedelta(minutes=1)
        live.whole([day_of(LATE)], ["data_quality"])
        outdated = outdated_slices(live.backend, now=live.now)
        assert list(outdated) == [day_of(number) for number in range(LATE + 1, DAYS)]


def test_the_same_hour_of_earlier_days_is_looked_at(tmp_path):
    """Further back than the week in which what vanished is looked for."""
    hours = {"start": "2024-05-01", "every": "hour"}
    with production(
        tmp_path, "live", monitors=[VOLUME], ground_truth=None, partitions=hours
    ) as live:
        keys = live.backend.model.partitions
        judged = keys.shift(keys.first, 24 * 9)
        live.now = keys.bounds(judged)[1] + timedelta(hours=1)
        for _ in live.run([judged], ["data_quality"], is_daily=False):
            pass
        assert live.backend.store.judgements.reach(live.name) == 24 * 9
