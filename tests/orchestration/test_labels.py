"""The ground-truth sensor asks for the days whose verdict new labels change, and for no others."""

from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.evaluation import Status
from dagster_monitoring.orchestration.training_rows import labelled_rows
from tests.flaky import failing
from tests.orchestration.world import (
    MONITORS,
    World,
    day_of,
    labels,
    morning,
    new_world,
    rows,
    truth,
)

NOW = datetime(2024, 5, 13, 7, tzinfo=UTC)
LABELLED = [m for m in MONITORS if m["type"] in {"performance", "label_coverage"}]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Eight days judged, with labels of all but day 3."""
    with new_world(tmp_path_factory.mktemp("labels"), monitors=LABELLED) as found:
        for number in range(8):
            found.serve(number)
            if number != 3:
                found.label(f"l{number}", labels(rows(number), morning(number)))
        found.setup()
        found.range(0, 7)
        yield found


@pytest.fixture
def world(judged: World, tmp_path):
    with judged.copy(tmp_path) as found:
        yield found


def asked(result) -> set[str]:
    """The days that a tick asks for."""
    days: set[str] = set()
    for request in result.run_requests or []:
        if request.partition_key:
            days.add(request.partition_key)
        else:
            first = request.tags["dagster/asset_partition_range_start"]
            last = request.tags["dagster/asset_partition_range_end"]
            days |= {day_of(n) for n in range(40) if first <= day_of(n) <= last}
    return days


def days(*numbers: int) -> set[str]:
    return {day_of(n) for n in numbers}


def test_labels_in_time_order_ask_for_what_they_change_and_no_more(world: World):
    first = world.tick("ground_truth_sensor")
    assert asked(first) == set()
    assert world.cell(3, "label_coverage", "label_coverage").status is Status.TRIGGERED

    world.label("l3", labels(rows(3), NOW))
    late = world.tick("ground_truth_sensor", first.cursor)
    assert asked(late) == days(3, 4, 5)
    assert asked(world.tick("ground_truth_sensor", late.cursor)) == set()
    # A restart that lost the cursor before the runs were made asks for the same again.
    again = world.tick("ground_truth_sensor", first.cursor)
    assert [r.run_key for r in again.run_requests] == [r.run_key for r in late.run_requests]

    for request in late.run_requests:
        assert world.run("labels", request).success
    assert world.cell(3, "label_coverage", "label_coverage").status is Status.HEALTHY
    for cursor in (late.cursor, first.cursor, None):
        assert asked(world.tick("ground_truth_sensor", cursor)) == set()

    world.label("l3-again", labels(rows(3), NOW))
    redelivered = world.tick("ground_truth_sensor", late.cursor)
    assert asked(redelivered) == set()

    turned = 1 - truth(rows(6))
    world.label("l6-corrected", labels(rows(6), NOW, values=turned, revision=2, only=range(80)))
    corrected = world.tick("ground_truth_sensor", redelivered.cursor)
    assert asked(corrected) == days(6, 7)
    before = world.cell(6, "performance", "accuracy")
    for request in corrected.run_requests:
        assert world.run("labels", request).success
    after = world.cell(6, "performance", "accuracy")
    assert after.value < before.value
    assert after.n_labelled == before.n_labelled


def test_a_day_whose_run_died_is_asked_for_again_in_an_hour(world: World):
    first = world.tick("ground_truth_sensor")
    world.label("l3", labels(rows(3), NOW))
    lost = world.tick("ground_truth_sensor", first.cursor)
    assert asked(lost) == days(3, 4, 5)
    world.clock.now += timedelta(minutes=59)
    waiting = world.tick("ground_truth_sensor", lost.cursor)
    assert asked(waiting) == set()
    # Other days go on meanwhile, and labels that change again are no repetition.
    world.label("l7-corrected", labels(rows(7), NOW, values=1 - truth(rows(7)), revision=2))
    other = world.tick("ground_truth_sensor", waiting.cursor)
    assert asked(other) == days(7)
    world.clock.now += timedelta(minutes=1)
    again = world.tick("ground_truth_sensor", other.cursor)
    assert asked(again) == days(3, 4, 5)
    assert not {r.run_key for r in again.run_requests} & {r.run_key for r in lost.run_requests}
    for request in [*again.run_requests, *other.run_requests]:
        assert world.run("labels", request).success
    world.clock.now += timedelta(hours=2)
    assert asked(world.tick("ground_truth_sensor", again.cursor)) == set()


def test_labels_dated_in_the_future_count_from_then_on(world: World):
    """Day 3's labels say that they become available tomorrow, half of them the day after."""
    cursor = world.tick("ground_truth_sensor").cursor
    tomorrow, later = NOW + timedelta(days=1), NOW + timedelta(days=2)
    half = len(rows(3)) // 2
    world.label("l3-a", labels(rows(3), tomorrow, only=range(half)))
    world.label("l3-b", labels(rows(3), later, only=range(half, len(rows(3)))))
    for now, share in ((NOW, 0.0), (tomorrow, 0.5), (later, 1.0)):
        world.clock.now = now - timedelta(seconds=1)
        if share:
            assert asked(world.tick("ground_truth_sensor", cursor)) == set()
        world.clock.now = now
        tick = world.tick("ground_truth_sensor", cursor)
        assert asked(tick) == days(3, 4, 5), now
        for request in tick.run_requests:
            assert world.run("labels", request).success
        assert world.cell(3, "label_coverage", "label_coverage").value == pytest.approx(share)
        with world.backend() as backend:
            found = labelled_rows(backend, [day_of(3)], as_of=now)
            assert found.table.num_rows == pytest.approx(share * len(rows(3)), abs=1)
        cursor = tick.cursor
    assert asked(world.tick("ground_truth_sensor", cursor)) == set()


def test_a_cursor_of_an_earlier_version_is_taken_for_none(world: World):
    world.label("l3", labels(rows(3), NOW))
    assert asked(world.tick("ground_truth_sensor", "17")) == days(3, 4, 5)


def test_a_daily_run_that_takes_labels_of_earlier_days_in_counts_them(world: World):
    """The day's window holds earlier days: their labels count whoever took them in."""
    world.serve(8)
    world.label("l8", labels(rows(8), morning(8)))
    world.label("l7-corrected", labels(rows(7), NOW, values=1 - truth(rows(7)), revision=2))
    world.day(8)
    live = world.of_day(8, "performance")
    tick = world.tick("ground_truth_sensor")
    assert asked(tick) == days(7)
    for request in tick.run_requests:
        world.run("labels", request)
    world.range(6, 8)
    assert [e.value for e in world.of_day(8, "performance")] == [e.value for e in live]


def test_a_corrupt_file_is_left_aside_and_the_others_go_on(world: World):
    cursor = world.tick("ground_truth_sensor").cursor
    broken = world.label("broken", labels(rows(5), NOW))
    broken.write_bytes(broken.read_bytes()[:90])
    world.label("zz", labels(rows(3), NOW))
    log: list[str] = []
    tick = world.tick("ground_truth_sensor", cursor, log)
    assert asked(tick) == days(3, 4, 5)
    (line,) = log
    assert "broken.parquet" in line
    assert "Write it again" in line
    silent: list[str] = []
    assert asked(world.tick("ground_truth_sensor", tick.cursor, silent)) == days()
    assert silent == []
    # Written anew, it is read.
    world.label("broken", labels(rows(5), NOW, values=1 - truth(rows(5)), revision=3))
    assert asked(world.tick("ground_truth_sensor", tick.cursor)) == days(5, 6, 7)


def test_a_file_that_the_storage_does_not_give_is_tried_again(world: World):
    path = f"flaky://{world.folder}/labels/*.parquet"
    far = world.declare(
        **{**world.changes, "ground_truth": {"type": "parquet", "path": path}, "monitors": LABELLED}
    )
    cursor = far.tick("ground_truth_sensor").cursor
    far.label("l3", labels(rows(3), NOW))
    log: list[str] = []
    with failing(TimeoutError("took too long")):
        refused = far.tick("ground_truth_sensor", cursor, log)
    assert asked(refused) == set()
    (line,) = log
    assert line.startswith("tried again next time: late: file flaky://")
    assert asked(far.tick("ground_truth_sensor", refused.cursor)) == days(3, 4, 5)


@pytest.mark.parametrize(("purpose", "taken"), [("daily", 60), ("sensor", 50)])
def test_a_run_takes_all_label_files_in_and_a_tick_a_bounded_number(
    world: World, purpose: str, taken: int
):
    world.tick("ground_truth_sensor")
    with world.store() as store:
        before = store.deliveries.count("late")
    for number in range(60):
        world.label(f"many-{number:02}", labels(rows(3), NOW, only=[number]))
    if purpose == "daily":
        world.day(3)
    else:
        world.tick("ground_truth_sensor")
    with world.store() as store:
        assert store.deliveries.count("late") - before == taken
        assert store.labels.coverage("late", day_of(3)).n_labelled == taken


def test_labels_that_come_before_their_predictions_wait_for_them(world: World):
    cursor = world.tick("ground_truth_sensor").cursor
    world.label("early", labels(rows(9), NOW))
    tick = world.tick("ground_truth_sensor", cursor)
    assert asked(tick) == set()
    with world.store() as store:
        assert store.labels.unknown("late") == len(rows(9))
    world.serve(9)
    world.day(9)
    assert world.cell(9, "label_coverage", "label_coverage").value == pytest.approx(1.0)
    assert asked(world.tick("ground_truth_sensor", tick.cursor)) == set()


def test_labels_of_unknown_predictions_are_counted_and_change_nothing(world: World):
    cursor = world.tick("ground_truth_sensor").cursor
    world.label("foreign", labels(rows(4, prefix="x"), NOW))
    assert asked(world.tick("ground_truth_sensor", cursor)) == set()
    with world.store() as store:
        assert store.labels.unknown("late") == len(rows(4))


def test_labels_of_another_type_are_taken_for_what_they_mean(world: World):
    """The feed turned from 0 and 1 to text: the same labels, so the same performance."""
    cursor = world.tick("ground_truth_sensor").cursor
    before = world.cell(7, "performance", "accuracy").value
    values = [str(value) for value in truth(rows(7))]
    log: list[str] = []
    world.label("l7-text", labels(rows(7), NOW, values=values, revision=2))
    tick = world.tick("ground_truth_sensor", cursor, log)
    for request in tick.run_requests or []:
        world.run("labels", request)
    assert world.cell(7, "performance", "accuracy").value == before
    (line,) = log
    assert line.startswith("late: ")
    assert "l7-text.parquet, column 'late' holds text, where labels were numbers so far" in line


def test_rows_without_id_or_moment_are_left_out_and_said(world: World):
    cursor = world.tick("ground_truth_sensor").cursor
    holes = labels(rows(3), NOW, only=range(9)).set_column(0, "id", [[None] * 2 + ["x"] * 7])
    log: list[str] = []
    world.label("holes", holes)
    assert asked(world.tick("ground_truth_sensor", cursor, log)) == set()
    (line,) = log
    assert "holes.parquet" in line
    assert "2 rows have no id" in line
