"""A day of the past is judged by the settings in force then; today's are the user's choice."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg
import pytest

from dagster_monitoring.evaluation import Evaluation, Status
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.visible import declarations_of_run
from tests.orchestration.schedules import Production, production
from tests.orchestration.world import day_of, morning

STRICT = {"type": "absolute", "error": {"upper": 1e-6}, "widen": False}
LAX = {"type": "absolute", "error": {"upper": 1e6}, "widen": False}
DAYS = [day_of(n) for n in range(4)]
NEXT = day_of(4)


def drift(threshold: dict[str, object], name: str = "drift") -> dict[str, object]:
    return {
        "type": "drift",
        "name": name,
        "window": 2,
        "columns": ["temp"],
        "metrics": ["psi"],
        "threshold": threshold,
    }


def opened(root, *monitors: dict[str, object], **changes: object):
    return production(root, "monitoring", monitors=[*monitors], ground_truth=None, **changes)


def of(live: Production, day: str, monitor: str = "drift") -> Evaluation:
    (found,) = live.backend.store.evaluations.read(live.name, monitor=monitor, since=day, until=day)
    return found


@pytest.fixture
def root(tmp_path):
    """Four days served and judged with strict limits; the fifth served."""
    with opened(tmp_path, drift(STRICT)) as live:
        for number in range(5):
            live.serve(number, seed=0)
        live.now = morning(4)
        live.whole(DAYS, assets=("drift",))
    return tmp_path


def judge(live: Production, *days: str, chosen: str | None = None) -> None:
    live.now = live.now.replace(microsecond=live.now.microsecond + 1)
    live.whole(days, assets=("drift",), chosen=chosen)


def test_changed_settings_judge_what_was_not_judged_and_leave_the_past(root):
    with opened(root, drift(LAX)) as live:
        live.now = morning(5)
        before = live.verdicts()
        judge(live, *DAYS, NEXT)
        assert [e for e in live.verdicts() if e.partition in DAYS] == [
            replace(e, evaluated_at=live.now) for e in before
        ]
        old, new = of(live, DAYS[-1]), of(live, NEXT)
    assert (old.status, new.status) == (Status.TRIGGERED, Status.HEALTHY)
    assert old.declaration_version != new.declaration_version
    assert old.declared == new.declared == "then"


def test_todays_settings_are_a_choice_that_lasts_until_another(root):
    with opened(root, drift(LAX)) as live:
        live.now = morning(5)
        first = of(live, DAYS[2])
        judge(live, DAYS[2], chosen="now")
        chosen = of(live, DAYS[2])
        assert (chosen.status, chosen.declared) == (Status.HEALTHY, "now")
        assert of(live, DAYS[1]).status is Status.TRIGGERED
    # Others are declared since; a sensor that has the day judged again changes nothing.
    with opened(root, drift({**LAX, "error": {"upper": 0.0}})) as live:
        live.now = morning(6)
        judge(live, DAYS[2])
        assert of(live, DAYS[2]) == chosen
        judge(live, DAYS[2], chosen="then")
        again = of(live, DAYS[2])
        assert again.same_verdict_as(first)
        shown = live.backend.store.evaluations.read(live.name, as_of=chosen.evaluated_at)
        assert chosen in shown


def test_a_monitor_that_did_not_exist_uses_todays_settings(root):
    with opened(root, drift(STRICT), drift(LAX, "added")) as live:
        live.now = morning(5)
        judge(live, DAYS[1])
        added = of(live, DAYS[1], "added")
        assert (added.status, added.declared) == (Status.HEALTHY, "now")
        assert of(live, DAYS[1]).declared == "then"


def test_a_monitor_that_is_no_more_is_left_as_history(root):
    with opened(root, drift(LAX, "other")) as live:
        live.now = morning(5)
        before = of(live, DAYS[1])
        judge(live, DAYS[1])
        assert of(live, DAYS[1]) == before


def test_columns_and_segments_are_those_of_then_too(root):
    columns = {"id": "id", "timestamp": "at", "numeric": ["temp"], "categorical": []}
    with opened(root, drift(STRICT), columns=columns, segments=[]) as live:
        live.now = morning(5)
        declarations = Declarations(backend=live.backend, now=live.now)
        (then,) = declarations.rules(DAYS[0], live.backend.model.active_monitors)
        (now,) = declarations.rules(NEXT, live.backend.model.active_monitors)
    assert then.settings.columns.categorical == ("city",)
    assert then.settings.segments == ("city",)
    assert now.settings.columns.categorical == now.settings.segments == ()


def test_drafts_before_the_first_judgement_leave_no_trace(tmp_path):
    for threshold in (STRICT, LAX, STRICT):
        with opened(tmp_path, drift(threshold)) as live:
            draft = Declarations(backend=live.backend, now=live.now)
            (known,) = live.backend.store.declarations.list(live.name)
            assert (known.version, known.valid_from) == (draft.today.version, day_of(0))


def test_settings_that_come_back_are_in_force_once(root):
    for threshold in (LAX, STRICT, LAX, STRICT):
        with opened(root, drift(threshold)) as live:
            Declarations(backend=live.backend, now=live.now)
            found = live.backend.store.declarations.list(live.name)
    assert [v.valid_from for v in found] == [day_of(0), NEXT]
    assert found[0].version == found[1].version


def test_in_development_settings_judge_all_days_until_production_begins(root, monkeypatch):
    def version_of_the_past(threshold: dict[str, object], **tags: str) -> tuple[str, str]:
        with opened(root, drift(threshold)) as live:
            declarations = declarations_of_run(live.backend, tags, now=morning(5))
            (rule,) = declarations.rules(DAYS[0], live.backend.model.active_monitors)
            return rule.settings.version, declarations.today.version

    monkeypatch.setenv("DAGSTER_IS_DEV_CLI", "1")
    past, today = version_of_the_past(LAX)
    assert past == today
    past, today = version_of_the_past(STRICT, **{"dagster/schedule_name": "late_daily_schedule"})
    assert past != today
    past, today = version_of_the_past(STRICT)
    assert past != today


def test_a_tag_that_says_neither_now_nor_then_is_refused(root):
    with (
        opened(root, drift(LAX)) as live,
        pytest.raises(dg.Failure, match="write now, or then"),
    ):
        declarations_of_run(live.backend, {"dagster_monitoring/declared": "today"}, now=live.now)


def test_settings_are_the_same_wherever_the_project_lies(tmp_path):
    def version(folder: str) -> str:
        suite = {"type": "great_expectations", "path": "suite.json"}
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "suite.json").write_text('{"name": "s", "expectations": []}')
        with opened(tmp_path / folder, suite) as live:
            return Declarations(backend=live.backend, now=live.now).today.version

    assert version("here") == version("there")


def test_a_new_baseline_counts_what_its_windows_need_and_both_versions_are_told_apart(root):
    with opened(root, drift(LAX)) as live:
        live.now = morning(5)
        first = of(live, DAYS[3])
        live.promote(1)
        live.whole([NEXT], assets=("drift",))
        (old, new) = (b.version for b in live.backend.store.baselines.list(live.name))
        counted = live.backend.store.judgements.counted_on(live.name, DAYS[3])
        assert counted == sorted([old, new])
        assert live.backend.store.judgements.counted_on(live.name, DAYS[2]) == [old]
        assert of(live, DAYS[3]).baseline_version == old
        assert of(live, NEXT).baseline_version == new
        # The same day on both: the one that was, by the record of then.
        judge(live, DAYS[3], chosen="now")
        assert of(live, DAYS[3]).baseline_version == new
        (then,) = live.backend.store.evaluations.read(
            live.name, since=DAYS[3], until=DAYS[3], as_of=first.evaluated_at
        )
        assert then == first
        assert live.tick() == 0
