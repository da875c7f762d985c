"""A mark is knowledge that comes late: the verdicts that rest on it are judged again, no others."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from dagster_monitoring.evaluation import Status
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.judging import Judging
from dagster_monitoring.stores import MarkKind
from tests.orchestration.schedules import Production, like, production
from tests.orchestration.world import day_of, morning

DAYS, SLICES = 12, 4
LEARNED = {"type": "learned", "slices": SLICES, "minimum_slices": 3}
DRIFT = {
    "type": "drift", "window": 1, "columns": ["temp"], "metrics": ["mean_shift"],
    "threshold": LEARNED,
}  # fmt: skip
FIXED = {"type": "absolute", "error": {"upper": 0.5}}
QUALITY = {"type": "data_quality", "metrics": ["missing_share"], "threshold": FIXED}
ASSETS = ("drift", "data_quality")
MONITORS = {"monitors": [DRIFT, QUALITY], "ground_truth": None}


def days(*numbers: int) -> tuple[str, ...]:
    return tuple(map(day_of, numbers))


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Twelve judged days; of the fourth the temperatures are others."""
    folder = tmp_path_factory.mktemp("marks")
    with production(folder, "live", **MONITORS) as found:
        for number in range(DAYS):
            found.serve(number, seed=2 if number == 3 else 0)
        found.now = morning(DAYS)
        found.whole([day_of(number) for number in range(DAYS)], ASSETS)
    return folder


@pytest.fixture
def live(judged, tmp_path):
    shutil.copytree(judged, tmp_path, dirs_exist_ok=True)
    with production(tmp_path, "live", **MONITORS) as found:
        found.now = morning(DAYS)
        yield found


def limits(live: Production, number: int) -> tuple[float | None, float | None]:
    day = day_of(number)
    (found,) = live.backend.store.evaluations.read(live.name, monitor="drift", since=day, until=day)
    return found.lower, found.upper


def settled(live: Production) -> Production:
    live.now += timedelta(minutes=1)
    live.settle()
    return live


def judged_anew(live: Production, other: Production) -> list[object]:
    """All verdicts as one range judges them, with everything known that is known now."""
    like(live, other)
    other.now = live.now
    other.whole([day_of(number) for number in range(DAYS)], ASSETS)
    return other.verdicts()


def test_those_that_learned_of_a_marked_day_are_outdated_and_judged_again(live, tmp_path):
    before = [limits(live, number) for number in range(DAYS)]
    assert live.mark(3, 3) == days(4, 5, 6, 7)
    assert [limits(live, number) for number in range(DAYS)] == before
    assert limits(settled(live), 7) != before[7]
    assert limits(live, 3) == before[3], "its own day does not learn from it"
    with production(tmp_path, "other", **MONITORS) as other:
        assert judged_anew(live, other) == live.verdicts()


def test_a_mark_that_is_taken_away_leaves_what_was_there_before_it(live):
    before = live.verdicts()
    live.mark(3, 3)
    settled(live)
    # Passed over, it is looked at still: five days back as four others were needed.
    assert live.unmark(3, 3) == days(4, 5, 6, 7)
    settled(live)
    assert [replace(e, evaluated_at=live.now) for e in before] == live.verdicts()
    assert live.unmark(3, 3) is None


def test_what_a_mark_is_called_outdates_nothing(live):
    live.mark(3, 3, MarkKind.BAD)
    settled(live)
    assert live.mark(3, 3, MarkKind.NORMAL) == ()
    assert live.mark(3, 3, MarkKind.NORMAL) == ()


def test_marks_that_overlap_outdate_only_by_what_is_new(live):
    live.mark(3, 4)
    settled(live)
    assert live.unmark(3, 4)
    live.mark(3, 4)
    settled(live)
    assert live.mark(4, 4) == ()
    # The fourth day stays marked; the third is learned from again.
    assert live.unmark(3, 4)[0] == day_of(4)
    settled(live)
    assert limits(live, 4) != (None, None)


def test_a_mark_of_days_to_come_waits_for_them(live):
    assert live.mark(DAYS + 3, DAYS + 4) == ()
    assert live.mark(DAYS - 1, DAYS - 1) == ()


def test_a_mark_made_while_a_day_is_judged_outdates_it(live):
    class Interrupted(Judging):
        def _judgement(self, *arguments: object, **options: object) -> object:
            live.mark(6, 6)
            return super()._judgement(*arguments, **options)

    live.now += timedelta(minutes=1)
    judging = Interrupted(
        live.backend, "drift", Declarations(backend=live.backend, now=live.now),
        run_id=None, now=live.now,
    )  # fmt: skip
    before = limits(live, 8)
    judging.judge(day_of(8))
    assert limits(live, 8) == before
    assert limits(settled(live), 8) != before


def test_so_many_marks_that_nothing_is_left_to_learn_from(live):
    live.mark(0, 6)
    settled(live)
    day = day_of(7)
    (found,) = live.backend.store.evaluations.read(live.name, monitor="drift", since=day, until=day)
    assert found.status is Status.NO_DATA
    assert live.unmark(0, 6) == days(*range(1, 11)), "the last day learned of none of them"
    assert limits(settled(live), 7) != (None, None)
