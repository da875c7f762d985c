"""From recorded verdicts to incidents: which days are judged, and what late news of one does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incident import IncidentStatus
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.alerting import advance_incidents
from dagster_monitoring.orchestration.backend import Backend, open_backend
from tests.alerts.conftest import evaluation
from tests.orchestration.world import day_of, fields_of, morning

MONITORS = [{"type": "data_quality"}, {"type": "performance"}]


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


def incidents(backend: Backend) -> list[tuple[IncidentStatus, str, str]]:
    """Status, first and last bad day of each incident, oldest first."""
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
