"""From recorded verdicts to incidents: which days are judged, and what late news of one does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents import Cause, IncidentStatus
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.incidents import advance_incidents
from dagster_monitoring.stores import OutboxEntry
from tests.alerts.conftest import evaluation
from tests.orchestration.world import day_of, fields_of, morning

MONITORS = [{"type": "data_quality"}, {"type": "performance"}]


OPEN, RESOLVED = IncidentStatus.OPEN, IncidentStatus.RESOLVED


def declared(folder: Path, **changes: object) -> MonitoredModel:
    fields = {"monitors": MONITORS, "alerts": [{"type": "file", "path": "alerts.jsonl"}]}
    return MonitoredModel.read(fields_of("late", **(fields | changes))).rooted(folder)


@pytest.fixture
def backend(tmp_path) -> Iterator[Backend]:
    with open_backend(declared(tmp_path)) as opened:
        yield opened


def verdict(
    number: int, monitor: str = "performance", *, error: bool = False, version: int = 0
) -> Evaluation:
    """A monitor's one verdict of a day; a later version is a recomputation."""
    return evaluation(
        monitor,
        kind=monitor,
        model="late",
        partition=day_of(number),
        value=0.9 - version / 100 if error else 0.1,
        status=Status.TRIGGERED if error else Status.HEALTHY,
        severity=Severity.ERROR if error else None,
        evaluated_at=morning(number) + timedelta(hours=version),
    )


def days(marks: str, monitor: str = "performance", *, version: int = 0) -> list[Evaluation]:
    """A verdict a character: ``E`` is an ERROR, ``.`` healthy, a space no verdict."""
    return [
        verdict(number, monitor, error=mark == "E", version=version)
        for number, mark in enumerate(marks)
        if mark != " "
    ]


def judge(backend: Backend, news: Sequence[Evaluation], *, today: int = 5) -> None:
    """Records verdicts together and judges them."""
    backend.store.evaluations.record(news)
    advance_incidents(backend, now=morning(today), run_url=None)


def queued(backend: Backend) -> list[OutboxEntry]:
    """Every message about the model's incidents, in the order in which they were queued."""
    found = backend.store.incidents.list("late")
    entries = [e for incident in found for e in backend.store.outbox.of_incident(incident.id)]
    return sorted(entries, key=lambda entry: entry.id)


def incidents(backend: Backend) -> list[tuple[IncidentStatus, str, str]]:
    """Status, first and last bad day of each incident, open ones first."""
    found = backend.store.incidents.list("late")
    return sorted(((i.status, i.opened_partition, i.last_partition) for i in found), key=str)


def test_old_verdicts_of_a_monitor_that_was_taken_away_open_nothing(tmp_path):
    taken_away = declared(tmp_path, monitors=[{"type": "data_quality"}])
    with open_backend(taken_away) as now_without:
        judge(now_without, [*days("E"), *days(".", "data_quality")])
        assert incidents(now_without) == []
        judge(now_without, days(" E", "data_quality"))
        (incident,) = now_without.store.incidents.list("late")
        assert incident.monitors == ("data_quality",)


class TestLateLabels:
    """Labels that come when other monitors have long judged the days they are of."""

    @pytest.mark.parametrize(
        ("marks", "opened"),
        [
            ("EEEE.", [(OPEN, day_of(0), day_of(3))]),
            ("E..E.", [(OPEN, day_of(0), day_of(3))]),
            ("E...E", [(OPEN, day_of(4), day_of(4)), (RESOLVED, day_of(0), day_of(0))]),
            ("E.. ..", [(RESOLVED, day_of(0), day_of(0))]),
            ("E..  ", [(OPEN, day_of(0), day_of(0))]),
            ("EE...", [(RESOLVED, day_of(0), day_of(1))]),
            (".....", []),
        ],
    )
    def test_of_days_together_tell_unless_all_was_well_since(self, backend, marks, opened):
        judge(backend, days(".....", "data_quality"))
        judge(backend, days(marks))
        assert incidents(backend) == opened
        told = queued(backend)
        assert [m.transition for m in told] == ["OPENED" for status, *_ in opened if status == OPEN]

    def test_of_a_day_left_behind_open_no_second_incident(self, backend):
        for number, mark in enumerate(".E......"):
            news = [verdict(number, error=mark == "E"), verdict(number, "data_quality")]
            judge(backend, news, today=number)
        once = [(RESOLVED, day_of(1), day_of(1))]
        assert incidents(backend) == once
        judge(backend, days("EE", version=90), today=9)
        assert incidents(backend) == once

    def test_of_a_day_already_told_of_leave_newer_trouble_alone(self, backend):
        for number, mark in enumerate(".E...E"):
            news = [verdict(number, error=mark == "E"), verdict(number, "data_quality")]
            judge(backend, news, today=number)
        told = [(OPEN, day_of(5), day_of(5)), (RESOLVED, day_of(1), day_of(1))]
        assert incidents(backend) == told
        for version in (90, 91):
            judge(backend, days(" E", version=version), today=6)
            assert incidents(backend) == told

    def test_that_are_still_to_come_leave_what_was_known_before(self, backend):
        judge(backend, days(".E......", "performance"), today=8)
        waiting = [
            replace(
                e, status=Status.NO_DATA, value=None, severity=Severity.WARN, reason="no labels"
            )
            for e in days("        ..")
        ]
        judge(backend, waiting, today=10)
        before = incidents(backend)
        judge(backend, days(" E", version=90), today=10)
        assert incidents(backend) == before == [(RESOLVED, day_of(1), day_of(1))]

    def test_of_days_whose_rows_were_broken_join_that_incident(self, backend):
        judge(backend, days("..EEE", "data_quality"))
        judge(backend, days("...EE"))
        (incident,) = backend.store.incidents.list("late")
        assert incident.monitors == ("data_quality", "performance")
        assert incident.cause is Cause.DATA

    def test_of_days_before_the_rows_were_broken_are_another_incident(self, backend):
        judge(backend, days("..EEE", "data_quality"))
        judge(backend, days(".EEEE"))
        found = backend.store.incidents.list("late")
        assert {i.cause for i in found} == {Cause.DATA, Cause.MODEL}

    def test_that_are_well_close_an_incident_of_long_ago(self, backend):
        judge(backend, days("E", "performance"), today=60)
        judge(backend, days("    .", "data_quality"), today=60)
        assert [i.historical for i in backend.store.incidents.list("late")] == [True]
        judge(backend, days("   ..."), today=60)
        assert incidents(backend) == [(RESOLVED, day_of(0), day_of(0))]


def test_days_that_come_for_the_first_time_are_judged_in_order(backend):
    judge(backend, days("E...."))
    assert incidents(backend) == [(RESOLVED, day_of(0), day_of(0))]


def test_a_standard_error_that_became_known_since_tells_nobody_anything(backend):
    """As when days are judged again after an upgrade from a version that knew none."""
    for number, mark in enumerate(".E....EE"):
        judge(backend, [verdict(number, error=mark == "E")], today=number)
    told = queued(backend)
    before = incidents(backend)
    assert [status for status, *_ in before] == [OPEN, RESOLVED]
    assert [m.transition for m in told] == ["OPENED", "RESOLVED", "OPENED"]
    later = morning(9)
    again = [replace(e, standard_error=0.01, evaluated_at=later) for e in days(".E....EE")]
    judge(backend, again, today=9)
    assert backend.store.evaluations.read("late") == again
    assert incidents(backend) == before
    assert queued(backend) == told
