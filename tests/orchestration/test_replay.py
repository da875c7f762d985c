"""A replay counts what live counted, or another declaration would have, and keeps nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.incidents import Verdict
from dagster_monitoring.orchestration.deriving import derive_groups
from dagster_monitoring.orchestration.replay import replay, replay_verdicts
from dagster_monitoring.stores import Mark, MarkKind
from tests.orchestration.world import START, World, day_of, labels, morning, new_world, rows

LAST, SHIFTED, WRONG = 8, (4, 5), 2
MONITORS = [
    {"type": "data_quality"},
    {"type": "drift", "columns": ["temp"], "window": 1},
    {
        "type": "drift", "name": "learned", "window": 1, "columns": ["temp"],
        "metrics": ["mean_shift"],
        "threshold": {"type": "learned", "slices": 5, "minimum_slices": 3},
    },
    {"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20, "window": 1},
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A column moves on two days, and on another the model is wrong."""
    policy = {"keep_firing_for": 1, "max_age_days": None}
    with new_world(
        tmp_path_factory.mktemp("replay"), monitors=MONITORS, alert_policy=policy
    ) as made:
        for number in range(LAST + 1):
            table = rows(number)
            if number in SHIFTED:
                moved = [value + 3 for value in table["temp"].to_pylist()]
                table = table.set_column(2, "temp", [moved])
            made.serve(number, table)
            made.label(f"l{number}", labels(rows(number), morning(number), flipped=number == WRONG))
        made.setup()
        made.range(0, LAST)
        made.job("alerts")
        yield made


def replayed(world: World, **changes: object):
    model = world.declare(**{**world.changes, **changes}).model if changes else world.model
    with world.backend() as backend:
        return replay(backend, model, first=START, last=day_of(LAST), now=world.clock())


def shape(groups) -> list[tuple[object, ...]]:
    return [
        (g.cause, g.severity, g.first, g.fired, g.last, g.resolved, [m.monitor for m in g.members])
        for g in groups
    ]


def test_a_replay_counts_exactly_what_live_counted(world: World):
    before = world.evaluations()
    found = replayed(world)
    assert world.evaluations() == before, "nothing is recorded"
    with world.backend() as backend:
        verdicts = backend.store.verdicts.read("late")
        live = derive_groups(world.model, verdicts)
        again = replay_verdicts(
            backend,
            world.model.active_monitors,
            first=START,
            last=day_of(LAST),
            now=world.clock(),
        )
        incidents = backend.store.incidents.list("late")
    key = lambda v: (v.monitor, v.partition)  # noqa: E731 - the same order on both sides
    assert sorted(again, key=key) == sorted(verdicts, key=key)
    assert shape(found.alarms) == shape(live)
    assert len(found.alarms) == len(incidents) >= 2
    assert {g.first for g in found.alarms} == {i.opened_partition for i in incidents}


def test_the_stores_verdicts_are_those_of_its_evaluations(world: World):
    by_key: dict[tuple[str, str], list] = {}
    for evaluation in world.evaluations():
        by_key.setdefault((evaluation.monitor, evaluation.partition), []).append(evaluation)
    with world.store() as store:
        verdicts = store.verdicts.read("late")
    assert [Verdict.of(by_key[v.monitor, v.partition]) for v in verdicts] == verdicts
    assert len(verdicts) == len(by_key)


def test_another_declaration_is_tried_without_living_it(world: World):
    patient = replayed(world, alert_policy={"for": 2, "keep_firing_for": 1})
    assert [g.fired for g in patient.alarms] == [day_of(SHIFTED[1])]
    blind = replayed(
        world, monitors=[{"type": "performance", "metrics": ["accuracy"], "window": 1}]
    )
    assert [g.first for g in blind.alarms] == [day_of(WRONG)]


def test_what_should_have_been_found_is_held_against_it(world: World):
    def mark(first: int, last: int, kind: MarkKind) -> Mark:
        return Mark(
            model="late", first=day_of(first), last=day_of(last), kind=kind, note="", author="ada",
            at=world.clock(),
        )  # fmt: skip

    with world.store() as store:
        store.marks.add(mark(3, 5, MarkKind.BAD))
        store.marks.add(mark(7, 7, MarkKind.BAD))
    found = replayed(world)
    assert [(t.first, t.what, t.delay) for t in found.troubles] == [
        (day_of(WRONG), "performance", 0),
        (day_of(3), "marked bad", 1),
        (day_of(7), "marked bad", None),
    ]
    assert found.missed == 1
    assert found.alarms_a_month == pytest.approx(len(found.alarms) / (LAST + 1) * 30)
    with world.store() as store:
        store.marks.add(mark(3, 5, MarkKind.NORMAL))
        assert store.marks.remove("late", day_of(7), day_of(7))
    found = replayed(world)
    assert [g.fired for g in found.false] == [day_of(SHIFTED[0])]
    assert {t.what for t in found.troubles} == {"performance"}
    assert timedelta(days=LAST + 1) / timedelta(days=30) == pytest.approx(found.months)


def test_a_suite_is_not_run_again_and_what_it_said_counts(world: World, tmp_path):
    suite = tmp_path / "suite.json"
    suite.write_text('{"name": "own", "expectations": []}')
    tried = [*MONITORS, {"type": "great_expectations", "name": "own", "path": str(suite)}]
    assert replayed(world, monitors=tried).skipped == ("own",)
    with world.copy(tmp_path / "copy") as lived:
        declared = lived.declare(**{**lived.changes, "monitors": tried})
        row = next(e for e in lived.of_day(7, "data_quality") if e.value is not None)
        said = replace(
            row, monitor="own", monitor_kind="great_expectations", status=Status.TRIGGERED,
            severity=Severity.ERROR, reason="7 is above 5",
        )  # fmt: skip
        with declared.store() as store:
            store.evaluations.record([said])
        found = replayed(declared)
        assert found.skipped == ()
        assert [g.first for g in found.alarms if "own" in [m.monitor for m in g.members]] == [
            day_of(7)
        ]
        stricter = [*MONITORS, {**tried[-1], "severity": "WARN"}]
        with declared.backend() as backend:
            model = declared.declare(**{**lived.changes, "monitors": stricter}).model
            other = replay(backend, model, first=START, last=day_of(LAST), now=lived.clock())
        assert other.skipped == ("own",), "another declaration than the one that judged"
