"""A replay counts what live counted, also where assets upstream failed and were repaired since."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dagster_monitoring.incidents import Cause
from dagster_monitoring.orchestration.replay import Replay, replay
from tests.orchestration.test_upstream import QUALITY, SCORED, Upstream
from tests.orchestration.world import START, day_of, morning, new_world, rows

DRIFT = {"type": "drift", "window": 1, "columns": ["temp"]}
FAILED, FAILED_AGAIN, LAST = 2, 7, 8
DRIFTED = (3, 4)


def live_a_day(upstream: Upstream, number: int) -> None:
    """Its slice comes, drifted or not, or fails to; it is judged and told of."""
    world = upstream.world
    upstream.fails = number in {FAILED, FAILED_AGAIN}
    upstream.make(number)
    if number in DRIFTED:
        table = rows(number)
        moved = [value + 3 for value in table["temp"].to_pylist()]
        world.serve(number, table.set_column(2, "temp", [moved]))
    world.clock.now = morning(number)
    upstream.alert()
    world.day(number)
    upstream.alert()


def repair(upstream: Upstream, number: int) -> None:
    upstream.fails = False
    upstream.make(number)
    upstream.world.day(number)
    upstream.world.clock.now += timedelta(hours=2)
    upstream.alert()


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """Two assets' failures: drift came of the first, whose repair took a day; then one alone."""
    options = {
        "monitors": [*QUALITY, DRIFT],
        "predictions": SCORED,
        "alert_policy": {"keep_firing_for": 1, "max_age_days": None},
    }
    with new_world(tmp_path_factory.mktemp("replay_upstream"), **options) as world:
        upstream = Upstream(world)
        upstream.make(0)
        world.setup()
        for number in range(LAST + 1):
            live_a_day(upstream, number)
            if number - 1 in {FAILED, FAILED_AGAIN}:
                repair(upstream, number - 1)
        yield upstream


def replayed(upstream: Upstream) -> Replay:
    world = upstream.world
    with world.backend() as backend:
        return replay(backend, world.model, first=START, last=day_of(LAST), now=world.clock())


def test_what_came_of_a_failure_stays_its_incident_once_it_is_repaired(lived: Upstream):
    with lived.world.store() as store:
        first, second = sorted(store.incidents.list("late"), key=lambda i: i.opened_partition)
    assert (first.cause, first.opened_partition) == (Cause.PIPELINE, day_of(FAILED))
    assert (first.last_partition, first.resolved_partition) == (day_of(4), day_of(5))
    assert first.monitors == ("drift", "upstream:scored")
    (failure,) = (m for m in first.members if m.monitor == "upstream:scored")
    assert failure.resolved == day_of(3)
    assert failure.trouble.endswith(f"(over since {day_of(3)})")
    assert (second.opened_partition, second.is_open) == (day_of(FAILED_AGAIN), False)


def test_a_replay_counts_the_failures_and_what_came_of_them(lived: Upstream):
    found = replayed(lived)
    assert [(i.opened_partition, i.last_partition) for i in found.happened] == [
        (g.first, g.last) for g in found.alarms
    ]
    assert [g.members for g in found.alarms] == [i.members for i in found.happened]
    assert {g.cause for g in found.alarms} == {Cause.PIPELINE}


def test_a_repaired_failure_is_no_news(lived: Upstream):
    assert lived.world.tick("alert_sensor").run_requests in (None, [])
    before = replayed(lived).happened
    lived.alert()
    assert replayed(lived).happened == before
