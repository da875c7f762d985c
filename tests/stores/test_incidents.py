from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.errors import StoreError
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents import Incident, IncidentStatus
from dagster_monitoring.stores import Store, open_store

NOW = datetime(2024, 5, 2, 6, tzinfo=UTC)
WORST = Evaluation(
    model="m",
    monitor="feature_drift",
    monitor_kind="drift",
    metric="psi",
    column="temp\n<b>'\x01",
    segment="carrier=UA",
    baseline_kind="rolling",
    baseline_version="b-1",
    partition="2024-05-01",
    window_start=NOW - timedelta(days=3),
    window_end=NOW,
    value=1 / 3,
    lower=None,
    upper=0.25,
    status=Status.TRIGGERED,
    severity=Severity.ERROR,
    reason=None,
    n=10,
    n_labelled=None,
    model_version=None,
    evaluated_at=NOW,
    run_id=None,
)
OPEN = Incident(
    id="i-1",
    model="m",
    status=IncidentStatus.OPEN,
    severity=Severity.ERROR,
    opened_partition="2024-05-01",
    last_partition="2024-05-01",
    resolved_partition=None,
    monitors=("feature_drift", "quality"),
    worst=(WORST, replace(WORST, column=None)),
    historical=False,
    opened_at=NOW,
    updated_at=NOW,
)
RESOLVED = replace(
    OPEN,
    status=IncidentStatus.RESOLVED,
    resolved_partition="2024-05-03",
    worst=(),
    updated_at=NOW + timedelta(days=2),
)


def test_an_incident_comes_back_as_it_was_saved(store: Store):
    store.incidents.save(OPEN)
    assert store.incidents.open_incident("m") == OPEN
    assert store.incidents.get("i-1") == OPEN
    assert store.incidents.open_incident("other") is None
    assert store.incidents.get("i-2") is None


def test_every_state_is_kept_and_saving_the_same_again_adds_none(store: Store):
    for state in (OPEN, OPEN, RESOLVED, RESOLVED):
        store.incidents.save(state)
    assert store.incidents.history("i-1") == [OPEN, RESOLVED]
    assert store.incidents.open_incident("m") is None
    assert store.incidents.list("m") == [RESOLVED]


def test_a_second_open_incident_of_a_model_is_refused(store: Store):
    store.incidents.save(OPEN)
    with pytest.raises(StoreError, match="model m: incident i-1 is open already"):
        store.incidents.save(replace(OPEN, id="i-2"))
    store.incidents.save(replace(OPEN, id="i-3", model="other"))
    store.incidents.save(RESOLVED)
    store.incidents.save(replace(OPEN, id="i-2"))
    assert [i.id for i in store.incidents.list("m", status=IncidentStatus.OPEN)] == ["i-2"]


def test_historical_incidents_stand_apart(store: Store):
    past = replace(OPEN, id="i-0", historical=True)
    store.incidents.save(past)
    assert store.incidents.open_incident("m") is None
    assert store.incidents.open_incident("m", historical=True) == past
    store.incidents.save(OPEN)
    assert store.incidents.open_incident("m") == OPEN


def test_of_two_runs_that_open_at_once_one_is_told(store_url: str):
    outcomes: list[str] = []

    def open_one(name: str) -> None:
        with open_store(store_url) as own:
            try:
                own.incidents.save(replace(OPEN, id=name))
                outcomes.append("opened")
            except StoreError:
                outcomes.append("refused")

    threads = [threading.Thread(target=open_one, args=(f"i-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["opened", "refused", "refused"]
