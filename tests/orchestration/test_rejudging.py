"""The same in real Dagster: what runs show of settings and counts, and what a sensor asks for."""

import dagster as dg
import pytest

from dagster_monitoring.evaluation import Status
from dagster_monitoring.orchestration.declarations import DECLARED_TAG
from tests.orchestration.test_labels import asked, days
from tests.orchestration.world import World, baseline_rows, day_of, new_world, rows, write

STRICT, LAX = ({"type": "absolute", "error": {"upper": limit}} for limit in (-1.0, 1e6))
LAST = 4


def monitors(threshold: dict[str, object]) -> list[dict[str, object]]:
    drift = {"type": "drift", "window": 2, "columns": ["temp"], "threshold": threshold}
    return [drift, {"type": "drift", "name": "same", "window": 1, "columns": ["size"]}]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    changes = {"monitors": monitors(STRICT), "ground_truth": None}
    with new_world(tmp_path_factory.mktemp("rejudged"), **changes) as found:
        for number in range(LAST + 1):
            if number != 1:
                found.serve(number)
        found.setup()
        found.range(0, LAST)
        yield found


@pytest.fixture
def world(judged: World, tmp_path):
    with judged.copy(tmp_path) as found:
        yield found


def shown(world: World, number: int) -> object:
    """The check of a day that was recorded last."""
    return next(r for r in world.checks("drift", "drift") if r.partition == day_of(number))


def test_a_slice_that_comes_late_has_its_successors_asked_for(world: World):
    assert asked(world.tick("late_slices_sensor")) == set()
    assert "window of 1 of 2 slices" in world.cell(2, "drift", "psi", "temp").reason
    world.serve(1)
    assert asked(world.tick("late_slices_sensor")) == set()
    world.day(1)
    late = world.tick("late_slices_sensor")
    assert asked(late) == days(2)
    assert asked(world.tick("late_slices_sensor", late.cursor)) == set()
    for request in late.run_requests:
        assert world.run("slices", request).success
    assert world.cell(2, "drift", "psi", "temp").n == 300
    assert asked(world.tick("late_slices_sensor")) == set()


def test_a_slice_written_anew_counts_only_where_its_rows_are_others(world: World):
    world.serve(3, rows(3))
    world.day(3)
    assert asked(world.tick("late_slices_sensor")) == set()
    world.serve(3, rows(3, seed=5))
    world.day(3)
    assert asked(world.tick("late_slices_sensor")) == days(4)


def test_a_window_that_finds_a_late_slice_has_its_own_day_asked_for(world: World):
    world.serve(1)
    world.day(2)
    assert asked(world.tick("late_slices_sensor")) == days(1)


def test_a_check_says_which_settings_judged_and_how_to_use_todays(world: World):
    tuned = world.declare(**{**world.changes, "monitors": monitors(LAX)})
    tuned.day(LAST)
    check = shown(tuned, LAST).evaluation
    version = tuned.cell(LAST, "drift", "psi", "temp").declaration_version
    assert not check.passed
    assert check.metadata["settings"].value == f"{version}, in force then"
    command = (
        f"dagster-monitoring backfill late --from {day_of(LAST)} --to {day_of(LAST)} "
        "--as-declared-now"
    )
    assert check.description.endswith(f"today's differ. To judge by today's: {command}")

    tuned.job("daily", partition_key=day_of(LAST), tags={DECLARED_TAG: "now"})
    check = shown(tuned, LAST).evaluation
    found = tuned.cell(LAST, "drift", "psi", "temp")
    assert check.passed
    assert (found.status, found.declared) == (Status.HEALTHY, "now")
    assert check.metadata["settings"].value == f"{found.declaration_version}, chosen by hand"
    assert "today's" not in check.description
    # Monitors whose settings did not change say nothing of it.
    same = tuned.checks("drift", "same")[0].evaluation
    assert same.metadata["settings"].value.endswith("chosen by hand")
    assert "today's" not in same.description


def test_slices_counted_on_a_new_baseline_are_said(world: World):
    world.serve(LAST + 1)
    write(baseline_rows(280), world.folder / "baseline.parquet")
    world.job("setup")
    with world.store() as store:
        old, new = (b.version for b in store.baselines.list("late"))
    run = world.day(LAST + 1)
    drift = dg.AssetKey(["late", "drift"])
    (record,) = world.instance.fetch_materializations(drift, limit=1).records
    metadata = record.asset_materialization.metadata
    assert metadata["slices counted again"].value == 1
    assert metadata["counted on baseline"].value == new
    logged = [e.message for e in world.instance.all_logs(run.run_id)]
    said = f"1 slice of its windows counted on baseline {new}, {day_of(LAST)} to {day_of(LAST)}"
    assert any(line.endswith(said) for line in logged)
    assert world.cell(LAST, "drift", "psi", "temp").baseline_version == old
    assert world.cell(LAST + 1, "drift", "psi", "temp").baseline_version == new
