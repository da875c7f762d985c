from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents import Cause, Incident, IncidentStatus, Member
from dagster_monitoring.stores import Note, Store
from dagster_monitoring.stores._tables import incidents
from dagster_monitoring.stores.incidents import _row

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
    cause=Cause.DATA,
    status=IncidentStatus.OPEN,
    severity=Severity.ERROR,
    opened_partition="2024-05-01",
    last_partition="2024-05-01",
    resolved_partition=None,
    members=(
        Member(
            monitor="feature_drift",
            kind="drift",
            severity=Severity.ERROR,
            first="2024-05-01",
            last="2024-05-01",
        ),
        Member(
            monitor="label_deliveries",
            kind="label_deliveries",
            severity=Severity.WARN,
            first="2024-05-01",
            last="2024-05-01",
            detail="file <b>l.parquet</b> is cut off",
        ),
    ),
    changes=("the schema changed: column temp is text",),
    owner="ada",
    acknowledged_at=NOW,
    snoozed_until=NOW + timedelta(hours=1),
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
    assert store.incidents.open_ones("m") == [OPEN]
    assert store.incidents.get("i-1") == OPEN
    assert store.incidents.open_ones("other") == []
    assert store.incidents.get("i-2") is None


def test_every_state_is_kept_and_saving_the_same_again_adds_none(store: Store):
    for state in (OPEN, OPEN, RESOLVED, RESOLVED):
        store.incidents.save(state)
    assert store.incidents.history("i-1") == [OPEN, RESOLVED]
    assert store.incidents.open_ones("m") == []
    assert store.incidents.list("m") == [RESOLVED]


def test_open_ones_are_worst_first_and_without_those_nobody_was_told_of(store: Store):
    older = NOW - timedelta(days=1)
    states = [
        replace(OPEN, id="warn", severity=Severity.WARN, opened_at=older),
        replace(OPEN, id="error"),
        replace(OPEN, id="past", historical=True, opened_at=older),
        replace(OPEN, id="mine", status=IncidentStatus.ACKNOWLEDGED, opened_at=older),
    ]
    for state in states:
        store.incidents.save(state)
    assert [i.id for i in store.incidents.open_ones("m")] == ["mine", "error", "warn"]


def test_all_incidents_are_listed_unless_fewer_are_asked_for(store: Store):
    """Trouble is matched with what is listed: an incident that is not would open anew."""
    many = 1_001
    over = _row(RESOLVED) | {"is_current": True}
    with store._database.write() as connection:
        rows = [{**over, "id": f"i-{number:04}"} for number in range(many)]
        connection.execute(sa.insert(incidents), rows)
    store.incidents.save(replace(OPEN, id="past", historical=True))
    store.incidents.save(replace(OPEN, id="mine", status=IncidentStatus.ACKNOWLEDGED))
    assert len(store.incidents.list("m")) == many + 2
    assert len(store.incidents.list("m", limit=7)) == 7
    assert {i.id for i in store.incidents.list("m", open_only=True)} == {"past", "mine"}


def test_a_few_letters_find_an_incident_of_the_model(store: Store):
    for name in ("inc-12ab", "inc-12cd", "inc-34ef"):
        store.incidents.save(replace(OPEN, id=name))
    store.incidents.save(replace(OPEN, id="inc-12zz", model="other"))
    assert {i.id for i in store.incidents.find("m", "inc-12")} == {"inc-12ab", "inc-12cd"}


def test_notes_are_kept_in_order_as_they_were_written(store: Store):
    hostile = "<script>alert(1)</script> \x00'; DROP TABLE monitoring_incidents; --"
    for number, text in enumerate(("looking at it", hostile)):
        note = Note(at=NOW + timedelta(minutes=number), author="ada", action="note", text=text)
        store.incidents.note("i-1", note)
    found = store.incidents.notes("i-1")
    assert [n.text for n in found] == ["looking at it", hostile.replace("\x00", "\uffff")]
    assert [n.author for n in found] == ["ada", "ada"]
    assert store.incidents.notes("i-2") == []
