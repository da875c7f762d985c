"""The limits in force are those that judged, both levels, and a diff says what moved."""

from __future__ import annotations

import pytest

from dagster_monitoring.orchestration.limits import changes_between, limits_at
from tests.orchestration.world import World, day_of, new_world

LAST = 6
MONITORS = [
    {"type": "drift", "columns": ["temp"], "window": 1},
    {
        "type": "drift", "name": "learned", "window": 1, "columns": ["temp"],
        "metrics": ["mean_shift"],
        "threshold": {"type": "learned", "slices": 5, "minimum_slices": 3},
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with new_world(tmp_path_factory.mktemp("limits"), monitors=MONITORS, ground_truth=None) as made:
        for number in range(LAST + 1):
            made.serve(number)
        made.setup()
        made.range(0, LAST)
        yield made


def limits(world: World, number: int, monitor: str | None = None):
    with world.backend() as backend:
        return limits_at(backend, day_of(number), monitor=monitor, now=world.clock())


def test_the_limits_are_those_that_judged_and_nothing_is_recorded(world: World):
    before = world.evaluations()
    found = limits(world, LAST)
    assert world.evaluations() == before
    assert {one.monitor for one in found} == {"drift", "learned"}
    for one in found:
        judged = world.cell(LAST, one.monitor, one.metric, one.column)
        assert judged.value == one.value
        assert (judged.lower, judged.upper) in {one.warn, one.error}
        lower, upper = one.warn
        assert one.error[1] is None or upper is None or one.error[1] >= upper
        assert one.error[0] is None or lower is None or one.error[0] <= lower


def test_a_diff_names_learned_limits_that_moved_and_only_those_of_a_monitor(world: World):
    changes = changes_between(limits(world, LAST - 1, "learned"), limits(world, LAST, "learned"))
    assert [c.after.key[:2] for c in changes] == [("learned", "mean_shift")]
    assert changes[0].before.warn != changes[0].after.warn
    assert changes_between(limits(world, LAST), limits(world, LAST)) == []


def test_limits_that_are_not_there_yet_say_why(world: World):
    (young,) = limits(world, 1, "learned")
    assert young.reason
    assert young.warn == young.error == (None, None)
    (change,) = changes_between([young], limits(world, LAST, "learned"))
    assert change.after.reason is None
    (gone,) = changes_between([young], [])
    assert gone.after is None
