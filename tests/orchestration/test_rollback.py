"""A rollback restores the model and its baseline together, and the incident tells of it."""

from __future__ import annotations

import pytest
from sklearn.dummy import DummyClassifier

from dagster_monitoring.errors import RegistryError
from dagster_monitoring.orchestration.rollback import roll_back
from tests.orchestration.world import World, baseline_rows, day_of, labels, morning, new_world, rows

MONITORS = [{"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20}]


@pytest.fixture
def world(tmp_path):
    with new_world(tmp_path, monitors=MONITORS) as made:
        for number in range(2):
            made.serve(number)
            made.label(f"l{number}", labels(rows(number), morning(number), flipped=number == 1))
        made.clock.now = morning(1)
        made.setup()
        made.range(0, 1)
        made.job("alerts")
        yield made


def promote(world: World, version: str, size: int) -> str:
    """A version with a baseline of its own, put in service as a promotion does."""
    from dagster_monitoring.orchestration.baselines import build_from_table

    with world.backend() as backend:
        fitted = DummyClassifier().fit([[0], [1]], [0, 1])
        backend.registry.register(fitted, version=version)
        own = build_from_table(backend, baseline_rows(size), model_version=version)
        backend.registry.promote(version, baseline_version=own.version, now=world.clock())
    world.job("setup")
    return own.version


def back(world: World, why: str = "it is worse"):
    return roll_back(
        world.definitions,
        world.model,
        instance=world.instance,
        why=why,
        by="ada",
        now=world.clock(),
    )


def judging(world: World) -> str:
    with world.backend() as backend:
        return backend.baseline_in_force(day_of(2)).version


def test_each_rollback_goes_one_champion_back_with_its_baseline(world: World):
    declared = judging(world)
    first, second = promote(world, "v1", 300), promote(world, "v2", 400)
    assert len({declared, first, second}) == 3
    assert judging(world) == second

    done = back(world)
    assert (done.withdrawn, done.version, done.baseline) == ("v2", "v1", first)
    assert done.valid_from == day_of(2)
    assert judging(world) == first
    with world.backend() as backend:
        assert backend.registry.champion().version == "v1"
        (incident,) = backend.store.incidents.open_ones("late")
        (note,) = backend.store.incidents.notes(incident.id)
    assert (note.author, note.text) == ("ada", "v2 was rolled back to v1: it is worse")

    done = back(world)
    assert (done.withdrawn, done.version, done.baseline) == ("v1", None, declared)
    assert judging(world) == declared
    with pytest.raises(RegistryError, match="nothing to roll back"):
        back(world)


def test_what_was_judged_keeps_its_baseline(world: World):
    declared = judging(world)
    promote(world, "v1", 300)
    back(world)
    assert {e.baseline_version for e in world.evaluations("performance")} == {declared}


def test_after_a_rollback_another_promotion_is_a_promotion(world: World):
    promote(world, "v1", 300)
    back(world)
    again = promote(world, "v2", 400)
    assert judging(world) == again
    assert back(world).version is None
