"""A suggestion is the default set, as patient as the model's own history asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from dagster_monitoring.cli.suggest import as_yaml
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.orchestration.suggest import suggest
from dagster_monitoring.stores import Mark, MarkKind
from tests.orchestration.world import START, World, day_of, labels, morning, new_world, rows

LAST, WRONG = 8, (1, 4, 7)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The model is wrong on single days."""
    performance = {"type": "performance", "metrics": ["accuracy"], "window": 1}
    with new_world(tmp_path_factory.mktemp("suggest"), monitors=[performance]) as made:
        for number in range(LAST + 1):
            made.serve(number)
            made.label(f"l{number}", labels(rows(number), morning(number), flipped=number in WRONG))
        made.setup()
        made.range(0, LAST)
        yield made


def suggested(world: World, alarms_a_month: float):
    with world.backend() as backend:
        found = suggest_of(backend, world, alarms_a_month=alarms_a_month)
    return {s.monitor.name: s for s in found}


def suggest_of(backend, world: World, *, alarms_a_month: float = 1.0, last: str = day_of(LAST)):
    return suggest(
        backend, first=START, last=last, alarms_a_month=alarms_a_month, now=world.clock()
    )


def test_with_alarms_to_spend_nothing_waits(world: World):
    found = suggested(world, 100)
    assert {s.monitor.for_ for s in found.values() if s.fired} == {1}
    assert found["performance"].fired == 1, "windows of three days overlap: one time of trouble"


def test_a_monitor_that_fires_more_often_than_its_share_waits_or_only_warns(world: World):
    found = suggested(world, 0.0)["performance"]
    assert found.fired == 0 or found.monitor.severity is Severity.WARN
    assert found.monitor.severity is Severity.WARN or found.monitor.for_ > 1


def test_what_is_marked_bad_is_what_a_monitor_is_for(world: World):
    with world.store() as store:
        store.marks.add(
            Mark(
                model="late", first=START, last=day_of(LAST), kind=MarkKind.BAD, note="",
                author="ada", at=world.clock(),
            )
        )  # fmt: skip
    found = suggested(world, 0.0)["performance"]
    assert (found.monitor.for_, found.monitor.severity) == (1, Severity.ERROR)
    assert found.of_bad == found.fired >= 1
    with world.store() as store:
        store.marks.remove("late", START, day_of(LAST))


def test_impact_is_suggested_and_says_when_it_could_not_be_tried(world: World):
    found = suggested(world, 1.0)["impact"]
    assert (found.fired, found.monitor.severity) == (0, Severity.ERROR)
    assert found.reason.endswith("the next one has them (job late_setup)")
    with world.backend() as backend:
        baseline = backend.baseline_in_force(START)
        backend._baselines[baseline.version] = replace(baseline, reference=None)
        names = [s.monitor.name for s in suggest_of(backend, world)]
    assert "impact" not in names


def test_impact_is_tried_where_the_baseline_has_what_it_needs(tmp_path):
    with new_world(tmp_path, monitors=[{"type": "impact", "window": 1}]) as made:
        made.serve(0)
        made.setup()
        with made.backend() as backend:
            found = {s.monitor.name: s for s in suggest_of(backend, made, last=START)}
    assert found["impact"].reason == "fired 0 times, 0 of them in times marked bad"


def test_the_yaml_is_a_declaration_of_the_same_monitors(world: World):
    found = suggested(world, 1.0)
    text = as_yaml(list(found.values()))
    given = yaml.safe_load(text)["monitors"]
    again = world.declare(**{**world.changes, "monitors": given}).model.active_monitors
    assert [m.name for m in again] == list(found)
    assert [m.for_ for m in again] == [s.monitor.for_ for s in found.values()]
    told = [s.monitor.model_dump() for s in found.values()]
    assert [m.model_dump() for m in again] == told
