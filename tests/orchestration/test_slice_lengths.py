"""Models of hours and weeks in Dagster: across clock changes, late, and with a start that moves."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.evaluation import Evaluation, Status
from dagster_monitoring.orchestration.naming import job_name, slice_job
from dagster_monitoring.orchestration.running import run_range
from tests.orchestration.world import MOMENT, World, new_world, truth, write

ZONE = "America/New_York"
ROWS = 40
MONITORS = [
    {"type": "data_quality", "metrics": ["outside_partition"]},
    {"type": "drift", "columns": ["temp"], "metrics": ["psi"], "window": 3},
    {"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20, "window": 2},
]
LABELS = {"type": "parquet", "path": "labels/*.parquet", "expected_delay_days": 0.25}
SOURCE = {"type": "parquet", "path": "slices/{partition}.parquet"}


def rows(world: World, key: str, *, seed: int = 0) -> pa.Table:
    """Scored rows from a slice's first moment to its last."""
    start, end = world.model.partitions.bounds(key)
    source = np.random.default_rng([seed, int(start.timestamp())])
    temp, size = source.normal(size=ROWS), source.normal(size=ROWS)
    final = end - timedelta(microseconds=1)
    return pa.table(
        {
            "id": [f"{start.timestamp():.0f}-{i}" for i in range(ROWS)],
            "at": pa.array(
                [min(start + (end - start) * (i / (ROWS - 1)), final) for i in range(ROWS)], MOMENT
            ),
            "temp": temp,
            "size": size,
            "city": source.choice(["Oslo", "Rome", "Lima"], size=ROWS).tolist(),
            "kind": source.choice(["a", "b"], size=ROWS).tolist(),
            "late_proba": 1 / (1 + np.exp(-(2 * temp + size))),
            "late_pred": (2 * temp + size > 0).astype(np.int64),
        }
    )


def serve(world: World, keys: Sequence[str]) -> None:
    for key in keys:
        table = rows(world, key)
        write(table, world.folder / "slices" / f"{key}.parquet")
        arrived = world.model.partitions.bounds(key)[1]
        delivered = pa.table(
            {
                "id": table["id"],
                "late": truth(table),
                "available_at": pa.array([arrived] * ROWS, MOMENT),
                "revision": [1] * ROWS,
            }
        )
        write(delivered, world.folder / "labels" / f"{key}.parquet")


def judge(world: World, keys: Sequence[str]) -> None:
    runs = run_range(
        world.definitions, world.model, first=keys[0], last=keys[-1], instance=world.instance,
        slices_per_run=99,
    )  # fmt: skip
    assert list(runs) == [(keys[0], keys[-1])]


def of(world: World, monitor: str, key: str) -> Evaluation:
    (found,) = [e for e in world.evaluations(monitor, since=key, until=key) if e.segment is None]
    return found


def tick(world: World, moment: datetime) -> dg.SensorResult:
    """What the schedule of the slices asks for at a moment."""
    name = job_name(world.model, f"{slice_job(world.model)}_schedule")
    with dg.build_schedule_context(
        world.instance,
        scheduled_execution_time=moment,
        repository_def=world.definitions.get_repository_def(),
    ) as context:
        return world.definitions.resolve_schedule_def(name).evaluate_tick(context)


@pytest.fixture
def hourly(tmp_path: Path) -> Iterator[World]:
    with world_of(tmp_path, {"start": "2013-03-09", "timezone": ZONE, "every": "hour"}) as world:
        yield world


def world_of(folder: Path, partitions: dict[str, object]):
    return new_world(
        folder, partitions=partitions, monitors=MONITORS, predictions=SOURCE, ground_truth=LABELS,
        segments=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "keys"),
    [
        ("2013-03-10-00:00", "2013-03-10-04:00", ["00:00", "01:00", "03:00", "04:00"]),
        ("2013-11-03-00:00", "2013-11-03-02:00", ["00:00", "01:00", "01:00-0500", "02:00"]),
    ],
)
def test_hours_are_judged_across_a_clock_change(
    hourly: World, first: str, last: str, keys: list[str]
):
    named = hourly.model.partitions.between(first, last)
    assert named == [f"{first[:10]}-{key}" for key in keys]
    serve(hourly, named)
    hourly.clock.now = hourly.model.partitions.bounds(last)[1]
    hourly.setup()
    judge(hourly, named[:-1])
    hourly.job("hourly", partition_key=named[-1])
    for key in named:
        outside = of(hourly, "data_quality", key)
        assert (outside.value, outside.n) == (0.0, ROWS)
        drift = of(hourly, "drift", key)
        assert drift.window_end - drift.window_start == timedelta(hours=3)
        assert drift.window_end == hourly.model.partitions.bounds(key)[1]
    assert of(hourly, "drift", named[2]).n == of(hourly, "drift", named[3]).n == 3 * ROWS
    performance = of(hourly, "performance", named[-1])
    assert (performance.n_labelled, performance.status) == (2 * ROWS, Status.HEALTHY)
    checks = hourly.checks("drift", "drift")
    recorded = [check.event.dagster_event.event_specific_data.partition for check in checks]
    assert sorted(recorded) == named


def test_an_hour_that_comes_late_is_named_until_its_successors_have_it(hourly: World):
    keys = hourly.model.partitions.between("2013-11-03-00:00", "2013-11-03-02:00")
    late = keys[2]
    serve(hourly, [key for key in keys if key != late])
    hourly.clock.now = hourly.model.partitions.bounds(keys[-1])[1]
    hourly.setup()
    judge(hourly, keys)
    lacking = f"window of 2 of 3 slices, missing {late}"
    before = of(hourly, "drift", keys[-1])
    assert before.n == 2 * ROWS
    assert before.reason is not None
    assert lacking in before.reason
    check = hourly.checks("drift", "drift")[0].event.dagster_event.event_specific_data
    assert check.metadata["lacking slices"].text == lacking
    serve(hourly, [late])
    judge(hourly, keys[2:])
    after = of(hourly, "drift", keys[-1])
    assert after.n == 3 * ROWS
    assert lacking not in (after.reason or "")


def test_the_schedule_judges_the_hour_that_was_over_last(hourly: World):
    schedule = hourly.definitions.resolve_schedule_def("late_hourly_schedule")
    assert schedule.cron_schedule == "10 * * * *"
    moments = [datetime(2013, 11, 3, hour, 10, tzinfo=UTC) for hour in (5, 6, 7)]
    asked = [tick(hourly, moment).run_requests[0].partition_key for moment in moments]
    assert asked == ["2013-11-03-00:00", "2013-11-03-01:00", "2013-11-03-01:00-0500"]
    skipped = tick(hourly, datetime(2013, 3, 9, 5, 10, tzinfo=UTC))
    assert "production starts on 2013-03-09-00:00" in str(skipped.skip_message)


def test_weeks_are_judged_and_scheduled(tmp_path: Path):
    # Wednesday: the first whole week begins on the Sunday after it.
    weeks = {"start": "2013-10-16", "timezone": ZONE, "every": "week", "week_start": "sunday"}
    with world_of(tmp_path, weeks) as world:
        keys = ["2013-10-20", "2013-10-27", "2013-11-03"]
        assert world.model.partitions.first == keys[0]
        serve(world, keys)
        world.clock.now = world.model.partitions.bounds(keys[-1])[1] + timedelta(hours=2)
        world.setup()
        judge(world, keys)
        last = of(world, "drift", keys[-1])
        assert last.n == 3 * ROWS
        assert last.window_end - last.window_start == timedelta(days=21, hours=1)
        assert {of(world, "data_quality", key).value for key in keys} == {0.0}
        assert slice_job(world.model) == "weekly"
        schedule = world.definitions.resolve_schedule_def(job_name(world.model, "weekly_schedule"))
        assert schedule.cron_schedule == "30 1 * * 0"
        (request,) = tick(world, world.clock.now).run_requests
        assert request.partition_key == keys[-1]


def test_defaults_count_the_slices_there_are(tmp_path: Path):
    def monitors(every: str) -> dict[str, tuple[int, int]]:
        partitions = {"start": "2013-10-16", "every": every}
        with new_world(tmp_path / every, partitions=partitions, monitors="default") as world:
            active = world.model.active_monitors
            return {m.name: (m.window, m.past_slices()) for m in active}

    assert monitors("day")["prediction_drift"] == (3, 28)
    assert monitors("hour")["prediction_drift"] == (72, 28 * 24)
    assert monitors("week")["prediction_drift"] == (1, 26)
    assert monitors("hour")["data_quality"][0] == 1
    assert {"drift_rolling_336"} < set(monitors("hour"))


def test_a_start_that_moves_keeps_what_was_judged_and_breaks_nothing(tmp_path: Path):
    with world_of(tmp_path, {"start": "2013-10-20"}) as world:
        days = world.model.partitions.between("2013-10-17", "2013-10-24")
        assert days[0] == "2013-10-20"
        earlier = ["2013-10-18", "2013-10-19"]
        shared = {"monitors": MONITORS, "predictions": SOURCE, "ground_truth": LABELS,
                  "segments": []}  # fmt: skip
        moved = {"start": "2013-10-18", "end": "2013-10-24"}
        sooner = world.declare(partitions=moved, **shared)
        serve(sooner, [*earlier, *days])
        world.clock.now = world.model.partitions.bounds(days[-1])[1] + timedelta(hours=7)
        world.setup()
        judge(world, days)
        assert of(world, "drift", days[0]).n == ROWS

        judge(sooner, [*earlier, *days[:2]])
        assert of(sooner, "drift", days[0]).n == 3 * ROWS
        assert of(sooner, "drift", earlier[0]).n == ROWS

        later = world.declare(partitions={"start": days[2], "end": days[3]}, **shared)
        assert [e.partition for e in later.evaluations("drift")] == [*earlier, *days]
        judge(later, days[2:4])
        last = of(later, "drift", days[3])
        assert last.n == 2 * ROWS
        assert last.reason is not None
        assert "window of 2 of 3 slices" in last.reason
        for sensor in ("ground_truth_sensor", "alert_sensor"):
            asked = later.tick(sensor).run_requests or []
            keys = {request.partition_key for request in asked if request.partition_key}
            assert keys <= set(days[2:4])
