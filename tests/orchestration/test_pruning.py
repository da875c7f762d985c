"""Pruning takes out what is old, keeps what is referred to, and changes no verdict that stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_monitoring.incidents import IncidentStatus
from dagster_monitoring.orchestration import pruning
from dagster_monitoring.orchestration.pruning import Pruned, prune
from tests.orchestration.world import World, day_of, labels, morning, new_world, rows

DAYS = 8
MONITORS = [
    {"type": "drift", "columns": ["temp"], "metrics": ["psi"], "window": 2},
    {"type": "performance", "metrics": ["accuracy"], "window": 1, "minimum_labelled": 20},
]
ALERTS = [{"type": "file", "path": "alerts.jsonl"}]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("pruning")
    with new_world(folder, monitors=MONITORS, alerts=ALERTS) as world:
        for number in range(DAYS):
            world.serve(number)
            # A bad first day, which is over at once.
            world.label(f"l{number}", labels(rows(number), morning(number), flipped=number == 0))
        world.clock.now = morning(DAYS)
        world.setup()
        world.range(0, DAYS - 1)
        world.job("alerts")
        world.label("corrected", labels(rows(1), morning(DAYS), revision=2, flipped=True))
        world.job("labels", partition_key=day_of(1))
        yield world


@pytest.fixture
def world(judged: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(pruning, "CHART_SLICES", 1)
    with judged.copy(tmp_path) as found:
        yield found


def pruned(world: World, *, later: timedelta, dry_run: bool = False) -> Pruned:
    with world.backend() as backend:
        return prune(backend, keep_days=3, now=world.clock.now + later, dry_run=dry_run)


def test_old_slices_go_once_and_the_rest_stays_as_it_was(world: World):
    before = {e.key: e for e in world.evaluations()}
    counted = pruned(world, later=timedelta(), dry_run=True)
    assert {e.key: e for e in world.evaluations()} == before, "a dry run deletes nothing"
    done = pruned(world, later=timedelta())
    assert (done, done.first_kept) == (counted, day_of(DAYS - 3))
    kept = {e.key: e for e in world.evaluations()}
    assert kept == {k: e for k, e in before.items() if e.partition >= done.first_kept}
    one_replaced = 1
    assert done.rows["old evaluations"] == len(before) - len(kept) + one_replaced
    with world.backend() as backend:
        version = backend.store.baselines.list("late")[-1].version
        left = backend.storage.list_partitions("late", version)
        assert left[0] < done.first_kept, "windows of kept slices look back on them"
        assert day_of(0) not in left
        assert done.files > 0 < done.bytes
        assert backend.store.incidents.list("late"), "incidents stay"
        assert backend.store.labels.coverage("late", day_of(0)).n_labelled > 0
    again = pruned(world, later=timedelta())
    assert set(again.rows.values()) == {0}
    assert again.files == 0


def test_what_follows_is_judged_as_without_it(judged: World, world: World, tmp_path: Path):
    with judged.copy(tmp_path / "whole") as whole:
        pruned(world, later=timedelta())
        for one in (world, whole):
            one.clock.now = morning(DAYS) + timedelta(hours=1)
            one.serve(DAYS)
            one.day(DAYS)
            one.job("alerts")
        a, b = (one.of_day(DAYS) for one in (world, whole))
        assert len(a) > 0
        assert all(x.same_verdict_as(y) for x, y in zip(a, b, strict=True))
        found = []
        for one in (world, whole):
            with one.store() as store:
                found.append([(i.status, i.opened_partition) for i in store.incidents.list("late")])
        assert found[0] == found[1]


def test_a_slice_of_an_open_incident_stays_whatever_its_age(world: World):
    with world.store() as store:
        (incident, *_) = store.incidents.list("late")
        store.incidents.save(
            replace(
                incident,
                status=IncidentStatus.OPEN,
                opened_partition=day_of(3),
                resolved_partition=None,
            )
        )
    assert pruned(world, later=timedelta(days=900)).first_kept <= day_of(3)
    assert world.of_day(3, "performance")


def test_the_last_slices_stay_however_long_ago_production_ended(world: World):
    pruned(world, later=timedelta(days=900))
    assert world.of_day(DAYS - 1, "drift")


def verdict_days(world: World) -> list[str]:
    with world.store() as store:
        return sorted({verdict.partition for verdict in store.verdicts.read("late")})


def test_verdicts_of_old_slices_go_and_the_incidents_stay_as_they_are(world: World):
    with world.store() as store:
        before = store.incidents.list("late")
    assert verdict_days(world)[0] == day_of(0)
    done = pruned(world, later=timedelta())
    assert done.rows["verdicts of old slices"] > 0
    assert verdict_days(world)[0] == done.first_kept
    world.clock.now += timedelta(hours=1)
    world.job("alerts")
    with world.store() as store:
        assert store.incidents.list("late") == before


def test_what_incidents_still_follow_from_stays(world: World):
    """Without its first days, the trouble of an incident would open another."""
    with world.store() as store:
        (over, *_) = store.incidents.list("late")
        assert over.opened_partition == day_of(0)
        store.incidents.save(
            replace(over, resolved_partition=day_of(DAYS - 2), last_partition=day_of(DAYS - 3))
        )
    assert pruned(world, later=timedelta()).first_kept == day_of(0)
    assert verdict_days(world)[0] == day_of(0)
