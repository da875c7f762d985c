"""A verdict belongs to its partition: how and in which order it is computed changes nothing."""

from dataclasses import replace

import pytest

from dagster_monitoring.evaluation import Evaluation, Severity
from tests.orchestration.world import (
    World,
    day_of,
    labels,
    morning,
    new_world,
    rows,
    triggered,
)

SHIFT, LAST = 5, 6
MONITORS = {
    "data_quality": ("data_quality",),
    "drift": ("drift", "learned"),
    "performance": ("performance", "label_coverage"),
}


def served(world: World) -> World:
    for number in range(LAST + 1):
        table = rows(number)
        if number >= SHIFT:
            table = table.set_column(
                2, "temp", [[value + 6 for value in table["temp"].to_pylist()]]
            )
        world.serve(number, table)
        world.label(f"l{number}", labels(rows(number), morning(number), flipped=number == 4))
    world.setup()
    return world


def verdicts(world: World) -> list[Evaluation]:
    return [replace(e, run_id=None, evaluated_at=world.clock()) for e in world.evaluations()]


@pytest.fixture(scope="module")
def in_a_range(tmp_path_factory):
    with new_world(tmp_path_factory.mktemp("range"), on_disk=True) as world:
        served(world).range(0, LAST)
        yield world


def test_day_by_day_and_in_any_order_it_is_the_same(in_a_range, tmp_path):
    expected = verdicts(in_a_range)
    assert {e.partition for e in expected} == {day_of(n) for n in range(LAST + 1)}
    assert triggered(expected) >= {"drift/psi", "learned/mean_shift", "performance/accuracy"}
    for name, order in {"by_day": range(LAST + 1), "shuffled": (4, 1, 6, 0, 3, 5, 2)}.items():
        with new_world(tmp_path / name) as world:
            served(world)
            for number in order:
                world.day(number)
            assert verdicts(world) == expected, name


def test_learned_limits_do_not_learn_a_shift_that_lasts(in_a_range):
    for number in (SHIFT, LAST):
        assert in_a_range.cell(number, "learned", "mean_shift", "temp").severity is Severity.ERROR


def test_judging_again_records_nothing_new(in_a_range):
    before = in_a_range.evaluations()
    in_a_range.range(LAST - 1, LAST)
    assert in_a_range.evaluations() == before


@pytest.mark.parametrize(("asset", "check"), [(a, c) for a, cs in MONITORS.items() for c in cs])
def test_each_check_has_its_own_evaluation_in_each_partition(in_a_range, asset, check):
    records = in_a_range.checks(asset, check)
    assert {r.partition for r in records} == {day_of(n) for n in range(LAST + 1)}
    for record in records:
        found = record.evaluation
        assert found.partition == record.partition
        assert found.target_materialization_data is not None
        own = in_a_range.evaluations(check, since=record.partition, until=record.partition)
        table = found.metadata["evaluations"]
        assert len(table.records) == min(len(own), 40)
        assert found.passed == (not any(e.severity for e in own))
        values = [e for e in own if e.value is not None]
        assert ("plot" in found.metadata) == bool(values)


def test_the_table_and_plot_of_a_triggered_check_name_the_worst(in_a_range):
    (record, *_) = [
        r for r in in_a_range.checks("performance", "performance") if r.partition == day_of(4)
    ]
    assert not record.evaluation.passed
    first = record.evaluation.metadata["evaluations"].records[0].data
    assert first["status"] in {"WARN", "ERROR"}
    assert float(first["value"].split(" ± ")[0]) < first["lower"]
    assert first["reason"]
    plot = record.evaluation.metadata["plot"].md_str
    assert plot.startswith("![")
    assert first["metric"] in plot


def test_a_backfill_of_old_days_leaves_the_badge_at_the_latest_day(in_a_range):
    in_a_range.range(1, 2)
    for asset, checks in MONITORS.items():
        for check in checks:
            records = in_a_range.checks(asset, check)
            assert records[0].partition == day_of(LAST), check
            assert [r.partition for r in records[1:3]] == [day_of(2), day_of(1)], check


def test_one_check_alone_can_be_judged_again(in_a_range):
    job = in_a_range.definitions.resolve_job_def("late_daily")
    key = next(k for k in job.asset_layer.asset_graph.asset_check_keys if k.name == "learned")
    before = {m: len(in_a_range.checks("drift", m)) for m in ("drift", "learned")}
    alone = job.get_subset(asset_selection=set(), asset_check_selection={key})
    result = alone.execute_in_process(instance=in_a_range.instance, partition_key=day_of(LAST))
    assert result.success
    after = {m: len(in_a_range.checks("drift", m)) for m in ("drift", "learned")}
    assert after == {"drift": before["drift"], "learned": before["learned"] + 1}
