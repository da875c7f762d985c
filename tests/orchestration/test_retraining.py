"""One drift is one retraining: asked for, trained, judged, promoted or refused, rolled over."""

import shutil
from datetime import timedelta

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.incidents import IncidentStatus
from dagster_monitoring.orchestration.retraining import next_version
from dagster_monitoring.orchestration.running import RunFailedError
from dagster_monitoring.orchestration.training_rows import labelled_rows
from dagster_monitoring.stores import BaselineInForce, RetrainingOutcome
from tests.orchestration.world import (
    ROWS,
    World,
    baseline_rows,
    day_of,
    fields_of,
    labels,
    morning,
    new_world,
    rows,
    write,
)

TURNED, LAST = 3, 8
MONITORS = [
    {"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20},
    {"type": "drift", "columns": ["temp"]},
]
RETRAINING = {
    "trainer": "tests.orchestration.trainers:good",
    "cooldown_days": 7,
    "train_days": 3,
    "holdout_days": 3,
    "minimum_rows": 200,
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """The relation turns on day 3; the alert job opened the incident."""
    folder = tmp_path_factory.mktemp("retraining")
    with new_world(folder, monitors=MONITORS, retraining=RETRAINING) as found:
        for number in range(LAST + 1):
            found.serve(number)
            late = labels(rows(number), morning(number), flipped=number >= TURNED)
            found.label(f"l{number}", late)
        found.clock.now = morning(LAST)
        found.setup()
        found.range(0, LAST)
        found.job("alerts")
        yield found


@pytest.fixture
def world(judged, tmp_path):
    with judged.copy(tmp_path) as found:
        yield found


def with_trainer(world: World, name: str) -> World:
    trainer = f"tests.orchestration.trainers:{name}"
    return world.declare(**{**world.changes, "retraining": {**RETRAINING, "trainer": trainer}})


def asked(world: World) -> list:
    return world.tick("retraining_sensor").run_requests or []


def last_retraining(world: World):
    with world.store() as store:
        return store.retrainings.last("late")


def incident(world: World):
    with world.store() as store:
        return next(iter(store.incidents.open_ones("late")), None)


def test_days_whose_slice_retention_deleted_are_left_out(world: World):
    shutil.rmtree(world.folder / "slices" / f"day={day_of(4)}")
    with world.backend() as backend:
        found = labelled_rows(backend, [day_of(3), day_of(4), day_of(5)])
    assert set(found.days) == {day_of(3), day_of(5)}
    (request,) = asked(world)
    assert world.run("retraining", request).success


def test_one_incident_asks_once_and_a_better_challenger_takes_over(world: World):
    assert world.cell(LAST, "performance", "accuracy").severity is Severity.ERROR
    old = world.cell(LAST, "performance", "accuracy").baseline_version
    (request,) = asked(world)
    assert [r.run_key for r in asked(world)] == [request.run_key], "one request, however often"
    done = world.run("retraining", request)

    (gate,) = done.get_asset_check_evaluations()
    assert (gate.check_name, gate.passed) == ("gate", True)
    assert gate.metadata["challenger loss"].value < gate.metadata["champion loss"].value
    with world.backend() as backend:
        champion = backend.registry.champion()
        kept = backend.store.retrainings.last("late")
        assert (kept.outcome, kept.challenger_version) == (
            RetrainingOutcome.PROMOTED,
            champion.version,
        )
        in_force = backend.store.baselines.in_force("late", day_of(LAST + 1))
        assert (in_force.version, in_force.valid_from) == (
            champion.baseline_version,
            day_of(LAST + 1),
        )
        assert backend.store.baselines.in_force("late", day_of(LAST)).version == old
        serving = backend.registry.load(champion.version)
    assert asked(world) == [], "cooling down"
    world.clock.now += timedelta(days=5)
    assert asked(world) == []
    world.clock.now -= timedelta(days=5)

    day = LAST + 1
    table = rows(day)
    features = table.select(["temp", "size", "city", "kind"]).to_pandas()
    score = serving.predict_proba(features)[:, 1]
    table = table.drop(["late_proba", "late_pred"])
    table = table.append_column("late_proba", pa.array(score))
    world.serve(day, table.append_column("late_pred", pa.array((score > 0.5).astype(np.int64))))
    world.label("new", labels(rows(day), morning(day), flipped=True))
    world.clock.now = morning(day)
    world.day(day)
    after = world.cell(day, "performance", "accuracy")
    assert after.baseline_version == champion.baseline_version
    assert after.model_version == champion.version
    drift = world.cell(day, "drift", "psi", "temp")
    assert drift.n == 3 * len(table), "the window's older days are counted on the new bins"
    assert drift.baseline_version == champion.baseline_version

    world.day(LAST)
    assert world.cell(LAST, "performance", "accuracy").baseline_version == old


def test_a_challenger_that_is_no_better_is_refused(world: World):
    world = with_trainer(world, "stubborn")
    (request,) = asked(world)
    done = world.run("retraining", request)
    (gate,) = done.get_asset_check_evaluations()
    assert not gate.passed
    kept = last_retraining(world)
    assert kept.outcome is RetrainingOutcome.REFUSED
    assert "not lower than the champion's" in kept.reason
    with world.backend() as backend:
        assert backend.registry.champion() is None
        assert len(backend.store.baselines.list("late")) == 1
    assert incident(world).status is IncidentStatus.OPEN
    assert asked(world) == []


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        ("broken", "failed on 450 rows with ZeroDivisionError: no luck"),
        ("missing", "no function 'missing'"),
        ("unsafe", "trusted_types"),
    ],
)
def test_a_trainer_that_fails_is_kept_as_failed_and_the_incident_stays(world, trainer, words):
    world = with_trainer(world, trainer)
    (request,) = asked(world)
    with pytest.raises(RunFailedError):
        world.run("retraining", request)
    kept = last_retraining(world)
    assert kept.outcome is RetrainingOutcome.FAILED
    assert words in kept.reason
    assert f"trainers:{trainer}" in kept.reason or trainer == "unsafe"
    assert incident(world).status is IncidentStatus.OPEN
    assert asked(world) == [], "a broken trainer is not started again every minute"
    world.day(LAST)
    assert world.cell(LAST, "performance", "accuracy").status is Status.TRIGGERED


@pytest.mark.parametrize(("cooldown", "wait"), [(7, 7), (0, 1)])
def test_a_retraining_that_failed_is_tried_again_after_the_cool_down(world: World, cooldown, wait):
    settings = {**RETRAINING, "trainer": "tests.orchestration.trainers:broken"}
    settings["cooldown_days"] = cooldown
    world = world.declare(**{**world.changes, "retraining": settings})
    (request,) = asked(world)
    with pytest.raises(RunFailedError):
        world.run("retraining", request)
    world.clock.now += timedelta(days=wait, minutes=-1)
    assert asked(world) == []
    world.clock.now += timedelta(minutes=1)
    (again,) = asked(world)
    assert again.run_key != request.run_key


def test_a_run_that_died_does_not_block_retraining_for_ever(world: World):
    (request,) = asked(world)
    world.clock.now += timedelta(days=8)
    (another,) = asked(world)
    assert another.run_key != request.run_key
    with world.store() as store:
        lost = store.retrainings.get(request.run_key)
    assert lost.outcome is RetrainingOutcome.FAILED
    assert "no run finished" in lost.reason


def test_the_declared_rows_brought_back_judge_again(world: World):
    file = world.folder / "baseline.parquet"
    kept = file.read_bytes()
    write(baseline_rows(400), file)
    world.job("setup")
    file.write_bytes(kept)
    for _ in range(2):
        world.job("setup")
    with world.backend() as backend:
        first, second, third = [b.version for b in backend.store.baselines.list("late")]
        assert first == third != second
        assert backend.baseline_in_force(day_of(LAST + 1)).version == first


def test_a_baseline_with_boolean_labels_is_trained_on_beside_a_feed_of_numbers(world: World):
    table = baseline_rows()
    table = table.set_column(
        table.schema.get_field_index("late"), "late", table["late"].cast("bool")
    )
    write(table, world.folder / "baseline.parquet")
    longer = {**RETRAINING, "train_days": 30}
    done = world.declare(**{**world.changes, "retraining": longer}).job("retraining")
    (gate,) = done.get_asset_check_evaluations()
    assert gate.metadata["rows"].value == 3 * ROWS


def test_a_challenger_never_gets_the_name_of_a_model_that_serves_already(world: World):
    with world.backend() as backend:
        assert next_version(backend) == "v1"
        backend.store.baselines.put_in_force(
            BaselineInForce(
                model="late",
                version="b-1",
                model_version="v1",
                valid_from=day_of(0),
                created_at=world.clock.now,
            )
        )
        assert next_version(backend) == "v2"
    table = baseline_rows()
    served = pa.array(["v2"] * len(table))
    write(table.append_column("served_by", served), world.folder / "baseline.parquet")
    columns = {**fields_of("late")["columns"], "model_version": "served_by"}
    with world.declare(**{**world.changes, "columns": columns}).backend() as backend:
        assert next_version(backend) == "v3"


def test_without_ground_truth_a_new_baseline_leaves_the_past_alone(tmp_path):
    drift = [{"type": "drift", "columns": ["temp"]}]
    with new_world(tmp_path, monitors=drift, ground_truth=None) as world:
        for number in range(2):
            world.serve(number)
        world.setup()
        world.range(0, 1)
        write(baseline_rows(400), tmp_path / "baseline.parquet")
        world.job("setup")
        with world.backend() as backend:
            first, second = backend.store.baselines.list("late")
    assert (first.valid_from, second.valid_from) == (day_of(0), day_of(2))


@pytest.mark.parametrize("column", ["late_proba", "late_pred"])
def test_rows_that_the_champion_did_not_score_are_left_out_and_counted(world: World, column):
    table = rows(LAST)
    some = [None if i < 7 else value for i, value in enumerate(table[column].to_pylist())]
    index = table.schema.get_field_index(column)
    world.serve(LAST, table.set_column(index, column, pa.array(some, table[column].type)))
    (gate,) = world.job("retraining").get_asset_check_evaluations()
    assert gate.passed
    assert gate.metadata["rows"].value == 3 * ROWS - 7
    assert "7 rows without the champion's prediction or score are left out" in gate.description


def serving(world: World) -> tuple[str, str, str]:
    """The champion, its baseline, and the baseline that judges the next day."""
    with world.backend() as backend:
        champion = backend.registry.champion()
        judging = backend.baseline_in_force(day_of(LAST + 1)).version
        return champion.version, champion.baseline_version, judging


@pytest.mark.parametrize("after", ["nothing", "refused", "failed"])
def test_a_promotion_by_hand_lasts(world: World, after):
    world.job("retraining")
    candidate, own, _ = serving(world)
    with world.backend() as backend:
        declared = backend.baseline_in_force(day_of(LAST)).version
        fitted = backend.registry.load(candidate)
        backend.registry.register(fitted, version="hotfix")
        backend.registry.promote("hotfix", baseline_version=declared)
    if after == "refused":
        with_trainer(world, "stubborn").job("retraining")
    if after == "failed":
        with pytest.raises(RunFailedError):
            with_trainer(world, "broken").job("retraining")
    world.job("setup")
    assert serving(world) == ("hotfix", declared, declared)
    with world.backend() as backend:
        backend.registry.promote(candidate, baseline_version=own)
    world.job("setup")
    assert serving(world) == (candidate, own, own)


def test_a_candidate_that_was_not_promoted_is_forgotten_when_the_next_is_refused(world: World):
    definition = world.definitions.resolve_implicit_global_asset_job_def()
    definition.execute_in_process(
        instance=world.instance, asset_selection=[dg.AssetKey(["late", "challenger"])]
    )
    with_trainer(world, "stubborn").job("retraining")
    with world.backend() as backend:
        assert backend.registry.champion() is None


def test_declared_rows_that_changed_are_read_again_for_a_champion_of_theirs(world: World):
    world.job("retraining")
    with world.backend() as backend:
        champion = backend.registry.champion().version
        declared = backend.baseline_in_force(day_of(LAST)).version
        backend.registry.promote(champion, baseline_version=declared)
    write(baseline_rows(400), world.folder / "baseline.parquet")
    world.job("setup")
    version, own, judging = serving(world)
    assert (version, own) == (champion, judging)
    assert own != declared


def test_a_person_may_ask_without_an_incident(world: World):
    done = world.job("retraining")
    (gate,) = done.get_asset_check_evaluations()
    assert gate.passed
    with world.backend() as backend:
        assert backend.registry.champion() is not None
