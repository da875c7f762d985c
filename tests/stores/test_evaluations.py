from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.errors import StoreError
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.stores import Store, open_store

NOW = datetime(2024, 5, 2, 6, tzinfo=UTC)
HEALTHY = Evaluation(
    model="m",
    monitor="feature_drift",
    monitor_kind="drift",
    metric="psi",
    column="temp",
    segment=None,
    baseline_kind="training",
    baseline_version="b-1",
    partition="2024-05-01",
    window_start=datetime(2024, 5, 1, 4, tzinfo=UTC),
    window_end=datetime(2024, 5, 2, 4, tzinfo=UTC),
    value=0.1 + 0.2,
    lower=None,
    upper=1e-300,
    status=Status.HEALTHY,
    severity=None,
    reason=None,
    n=2**40,
    n_labelled=None,
    model_version="v1",
    evaluated_at=NOW,
    run_id="run-1",
    standard_error=1 / 3,
    coverage=2 / 3,
    label_delay_p50_hours=0.1,
    label_delay_p90_hours=1e5 / 3,
)
BAD = replace(
    HEALTHY,
    value=0.9,
    status=Status.TRIGGERED,
    severity=Severity.ERROR,
    evaluated_at=NOW + timedelta(hours=1),
    run_id="run-2",
)


def test_what_is_recorded_comes_back_to_the_last_bit(store: Store):
    store.evaluations.record([HEALTHY])
    assert store.evaluations.read("m") == [HEALTHY]


def test_a_standard_error_that_became_known_is_another_verdict(store: Store):
    unknown = replace(HEALTHY, standard_error=None)
    store.evaluations.record([unknown])
    assert store.evaluations.read("m") == [unknown]
    later = replace(HEALTHY, evaluated_at=NOW + timedelta(hours=1))
    assert store.evaluations.record([later]).superseded == 1
    assert store.evaluations.read("m") == [later]


@pytest.mark.parametrize("name", ["coverage", "label_delay_p50_hours", "label_delay_p90_hours"])
def test_labels_that_came_since_are_another_verdict(store: Store, name: str):
    store.evaluations.record([replace(HEALTHY, **{name: None})])
    later = replace(HEALTHY, evaluated_at=NOW + timedelta(hours=1))
    assert store.evaluations.record([later]).superseded == 1
    assert store.evaluations.read("m") == [later]


def test_the_same_verdict_of_another_run_writes_nothing(store: Store):
    store.evaluations.record([HEALTHY])
    before = store.evaluations.latest_id("m")
    again = store.evaluations.record(
        [replace(HEALTHY, run_id="other", evaluated_at=NOW + timedelta(days=1))]
    )
    assert (again.inserted, again.unchanged, again.superseded) == (0, 1, 0)
    assert store.evaluations.latest_id("m") == before
    assert store.evaluations.read("m") == [HEALTHY]


def test_a_changed_verdict_supersedes_and_history_answers_as_of(store: Store):
    store.evaluations.record([HEALTHY])
    done = store.evaluations.record([BAD])
    assert (done.inserted, done.unchanged, done.superseded) == (0, 0, 1)
    assert store.evaluations.read("m") == [BAD]
    assert store.evaluations.read("m", as_of=NOW + timedelta(minutes=59)) == [HEALTHY]
    assert store.evaluations.read("m", as_of=NOW + timedelta(hours=1)) == [BAD]
    assert store.evaluations.read("m", as_of=NOW - timedelta(seconds=1)) == []


def test_an_older_computation_that_writes_last_stays_history(store: Store):
    store.evaluations.record([BAD])
    done = store.evaluations.record([HEALTHY])
    assert (done.inserted, done.superseded, done.stale) == (0, 0, 1)
    assert store.evaluations.read("m") == [BAD]
    assert store.evaluations.read("m", as_of=NOW) == [HEALTHY]
    assert [e for _, e in store.evaluations.after(0)] == [BAD]


def test_of_one_key_twice_in_one_call_the_last_counts(store: Store):
    done = store.evaluations.record([HEALTHY, replace(HEALTHY, value=0.5)])
    assert done.inserted == 1
    assert [e.value for e in store.evaluations.read("m")] == [0.5]


def test_missing_parts_of_a_key_are_told_from_empty_ones(store: Store):
    variants = [
        replace(HEALTHY, column=column, segment=segment)
        for column in (None, "", "temp")
        for segment in (None, "", "carrier=UA")
    ]
    assert store.evaluations.record(variants).inserted == 9
    assert store.evaluations.record(variants).unchanged == 9


def test_reading_filters_by_monitor_column_and_partition(store: Store):
    days = [replace(HEALTHY, partition=f"2024-05-0{day}") for day in range(1, 6)]
    other = [
        replace(HEALTHY, column="wind"),
        replace(HEALTHY, monitor="quality"),
        replace(HEALTHY, model="other"),
    ]
    store.evaluations.record(days + other)
    found = store.evaluations.read(
        "m", monitor="feature_drift", column="temp", since="2024-05-02", until="2024-05-04"
    )
    assert [e.partition for e in found] == ["2024-05-02", "2024-05-03", "2024-05-04"]
    assert len(store.evaluations.read("m")) == 7
    assert store.evaluations.read("nobody") == []


def test_a_cursor_follows_every_new_and_changed_verdict_once(store: Store):
    store.evaluations.record([HEALTHY, replace(HEALTHY, column="wind")])
    first = store.evaluations.after(0)
    assert [e.column for _, e in first] == ["temp", "wind"]
    cursor = first[-1][0]
    assert store.evaluations.after(cursor) == []
    store.evaluations.record([BAD, replace(HEALTHY, column="wind")])
    assert [e for _, e in store.evaluations.after(cursor)] == [BAD]
    assert len(store.evaluations.after(0, limit=1)) == 1


def test_a_complete_set_withdraws_what_is_no_longer_watched(store: Store):
    gone, elsewhere = replace(HEALTHY, column="gone"), replace(HEALTHY, partition="2024-05-02")
    store.evaluations.record([HEALTHY, gone, elsewhere])
    later = replace(HEALTHY, evaluated_at=NOW + timedelta(hours=1))
    assert store.evaluations.record([later], complete=True).withdrawn == 1
    assert store.evaluations.read("m") == [HEALTHY, elsewhere]
    assert gone in store.evaluations.read("m", as_of=NOW)


def test_hostile_text_is_kept_as_text(store: Store):
    hostile = "'; DROP TABLE monitoring_evaluations; --\n<script>\x00\ud800 %s :x {}"
    bad = replace(BAD, segment=f"carrier={hostile}", reason=hostile)
    store.evaluations.record([bad])
    assert store.evaluations.record([bad]).unchanged == 1
    (found,) = store.evaluations.read("m")
    assert found.segment is not None
    assert found.segment.startswith("carrier='; DROP TABLE monitoring_evaluations; --\n<script>")


def test_nothing_to_record_is_fine(store: Store):
    assert store.evaluations.record([]).inserted == 0
    assert store.evaluations.latest_id("m") == 0


def test_a_moment_without_a_zone_is_refused_and_nothing_is_kept(store: Store):
    naive = replace(HEALTHY, column="wind", evaluated_at=NOW.replace(tzinfo=None))
    with pytest.raises(StoreError, match="no time zone"):
        store.evaluations.record([HEALTHY, naive])
    assert store.evaluations.read("m") == []


def test_two_writers_at_once_leave_one_current_verdict_each(store_url: str):
    """Each writer has its own store, as two runs have; both record the same keys, differing."""
    columns = [f"c{i}" for i in range(50)]
    faults: list[Exception] = []

    def write(writer: int) -> None:
        try:
            with open_store(store_url) as own:
                for turn in range(5):
                    moment = NOW + timedelta(minutes=2 * turn + writer)
                    own.evaluations.record(
                        [
                            replace(
                                HEALTHY, column=c, value=moment.minute / 100, evaluated_at=moment
                            )
                            for c in columns
                        ]
                    )
        except Exception as fault:  # noqa: BLE001 - handed to the test's thread
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with open_store(store_url) as store:
        found = store.evaluations.read("m")
        assert [e.value for e in found] == [0.09] * 50


def test_ten_thousand_evaluations_are_recorded_together(store: Store):
    many = [
        replace(
            HEALTHY,
            column=f"c{i % 100}",
            partition=f"2024-05-{1 + i // 100 % 28:02}",
            metric=f"x{i // 2800}",
        )
        for i in range(10_000)
    ]
    assert store.evaluations.record(many).inserted == 10_000
    assert store.evaluations.record(many).unchanged == 10_000


def test_news_of_one_model_is_no_news_of_another(store: Store):
    store.evaluations.record([HEALTHY])
    mine = store.evaluations.latest_id("m")
    theirs = replace(HEALTHY, model="other")
    store.evaluations.record([theirs])
    assert store.evaluations.latest_id("m") == mine < store.evaluations.latest_id("other")
    assert [e for _, e in store.evaluations.after(0, model="m")] == [HEALTHY]
    assert [e for _, e in store.evaluations.after(mine, model="other")] == [theirs]
    assert store.evaluations.after(mine, model="m") == []


def test_the_latest_id_is_one_that_reading_on_reaches(store: Store):
    store.evaluations.record([BAD])
    store.evaluations.record([HEALTHY])  # computed before: kept as history only
    assert store.evaluations.latest_id("m") == store.evaluations.after(0, model="m")[-1][0]


def test_the_last_partition_is_the_models_own(store: Store):
    assert store.evaluations.last_partition("m") is None
    later = replace(HEALTHY, partition="2024-05-03")
    store.evaluations.record([later, HEALTHY, replace(HEALTHY, model="n", partition="2024-06-01")])
    assert store.evaluations.last_partition("m") == "2024-05-03"


def test_a_series_is_of_one_measurement_and_ends_with_it(store: Store):
    days = ["2024-05-01", "2024-05-02", "2024-05-03"]
    own = [replace(HEALTHY, partition=day, value=float(i)) for i, day in enumerate(days)]
    others = [replace(e, segment="s=1", value=9.0) for e in own]
    others += [replace(own[0], metric="other"), replace(own[0], monitor="other")]
    store.evaluations.record([*own, *others])
    later = NOW + timedelta(hours=1)
    store.evaluations.record([replace(own[1], value=0.5, evaluated_at=later)])
    found = store.evaluations.series(own[1], since=days[0])
    assert [(e.partition, e.value) for e in found] == [(days[0], 0.0), (days[1], 0.5)]
    assert [e.partition for e in store.evaluations.series(own[2], since=days[2])] == [days[2]]
