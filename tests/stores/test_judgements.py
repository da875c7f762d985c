"""Which verdicts are outdated: those that looked at what changed, and no others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import sqlalchemy as sa

from dagster_monitoring.schema import Partitions
from dagster_monitoring.stores import Changes, Judgement, Store, open_store
from dagster_monitoring.stores._judged_rows import adopt_judged_labels

DAYS = Partitions(start="2024-05-01")
NOW = datetime(2024, 5, 20, tzinfo=UTC)
FIRST = "2024-05-01"


def judge(
    store: Store,
    day: str,
    *,
    back: int = 2,
    asset: str = "drift",
    knew: Changes | None = None,
    due: datetime | None = None,
    made: frozenset[int] = frozenset(),
) -> None:
    store.judgements.note(
        Judgement(
            model="m",
            asset=asset,
            days=DAYS.between(DAYS.shift(day, -back), day),
            knew=knew or store.judgements.changes("m"),
            on_labels=asset == "performance",
            due=due,
            made=made,
        )
    )


def outdated(store: Store, asset: str = "drift", now: datetime = NOW) -> list[str]:
    found = store.judgements.outdated("m", [asset], now=now, partitions=DAYS)
    return [o.partition[-2:] for o in found]


def count(store: Store, day: str, content: bytes, on: str = "b-1") -> int | None:
    return store.judgements.count_slice("m", day, on, content)


def label(store: Store, day: str) -> None:
    store.labels.register_predictions("m", day, [day])
    moment = pa.array([NOW], pa.timestamp("us", tz="UTC"))
    table = pa.table(
        {
            "prediction_id": [day],
            "label": [1],
            "event_time": moment,
            "available_at": moment,
            "revision": [1],
        }
    )
    store.labels.append("m", table, day)


def test_a_changed_slice_outdates_those_that_look_at_it(store: Store):
    for day in DAYS.between(FIRST, "2024-05-08"):
        count(store, day, b"a")
        judge(store, day)
    assert outdated(store) == []
    assert count(store, "2024-05-03", b"a") is None
    assert outdated(store) == []
    assert count(store, "2024-05-03", b"b") is not None
    assert outdated(store) == ["03", "04", "05"]
    judge(store, "2024-05-04")
    assert outdated(store) == ["03", "05"]


def test_a_slice_counted_on_further_bins_did_not_change(store: Store):
    assert count(store, FIRST, b"a") is not None
    assert count(store, FIRST, b"other", on="b-2") is None
    assert count(store, FIRST, b"else", on="b-2") is not None
    assert store.judgements.counted_on("m", FIRST) == ["b-1", "b-2"]


def test_labels_outdate_only_what_rests_on_them(store: Store):
    for asset in ("drift", "performance"):
        judge(store, "2024-05-02", asset=asset)
        judge(store, "2024-05-09", asset=asset)
    label(store, FIRST)
    assert outdated(store, "drift") == []
    assert outdated(store, "performance") == ["02"]


def test_a_change_while_judging_leaves_the_verdict_outdated(store: Store):
    knew = store.judgements.changes("m")
    count(store, "2024-05-02", b"a")
    judge(store, "2024-05-03", knew=knew)
    assert outdated(store) == ["03"]
    judge(store, "2024-05-03")
    assert outdated(store) == []


def test_a_change_that_judging_itself_made_is_known_to_it_alone(store: Store):
    judge(store, "2024-05-02")
    knew = store.judgements.changes("m")
    made = count(store, "2024-05-02", b"a")
    assert made is not None
    judge(store, "2024-05-03", knew=knew, made=frozenset({made}))
    assert outdated(store) == ["02"]


def test_a_verdict_is_outdated_once_its_moment_has_passed(store: Store):
    judge(store, FIRST, asset="performance", due=NOW)
    assert outdated(store, "performance", NOW - timedelta(seconds=1)) == []
    assert outdated(store, "performance", NOW) == ["01"]
    judge(store, FIRST, asset="performance")
    assert outdated(store, "performance", NOW) == []


def test_a_shorter_look_back_is_not_outdated_by_what_it_never_saw(store: Store):
    judge(store, "2024-05-04", back=1)
    judge(store, "2024-05-05", back=4)
    count(store, FIRST, b"a")
    assert outdated(store) == ["05"]


def test_another_models_changes_are_its_own(store: Store):
    judge(store, FIRST)
    store.judgements.count_slice("other", FIRST, "b-1", b"a")
    assert outdated(store) == []


def test_the_state_is_another_when_it_changes_again(store: Store):
    judge(store, FIRST)
    states = set()
    for content in (b"a", b"b", b"c"):
        count(store, FIRST, content)
        (found,) = store.judgements.outdated("m", ["drift"], now=NOW, partitions=DAYS)
        states.add(found.now)
    assert len(states) == 3


def test_what_changed_is_followed_by_indexes_however_long_history_is(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        for day in DAYS.between(FIRST, "2024-05-04"):
            count(store, day, b"a")
            judge(store, day, due=NOW + timedelta(days=1))
        count(store, FIRST, b"b")
        asked: list[tuple[str, object]] = []

        def note(_connection, _cursor, statement, parameters, *_):
            asked.append((statement, parameters))

        sa.event.listen(store._database.engine, "after_cursor_execute", note)
        assert outdated(store) == ["01", "02", "03"]
        judge(store, "2024-05-02")
        sa.event.remove(store._database.engine, "after_cursor_execute", note)
        plans = []
        with store._database.read() as connection:
            for statement, parameters in asked:
                if statement.startswith(("SELECT", "UPDATE")) and "IN (__" not in statement:
                    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                    plans += [row[-1] for row in rows]
    assert len(plans) > 10
    assert [plan for plan in plans if plan.startswith("SCAN monitoring")] == []


def test_an_older_stores_judged_labels_are_taken_over(store: Store):
    label(store, FIRST)
    store.cursors.set("m/judged-labels/2024-05-02", "1")
    store.cursors.set("m/judged-labels/2024-05-03", f"1 {NOW.isoformat()}")
    with store._database.write() as connection:
        adopt_judged_labels(connection)
    assert outdated(store, "performance", NOW - timedelta(days=1)) == []
    assert outdated(store, "performance") == ["03"]
    label(store, "2024-05-02")
    assert outdated(store, "performance") == ["02", "03"]
    assert store.cursors.starting_with("m/judged-labels/") == {}
