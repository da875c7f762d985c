"""What is done about an incident, kept with it and told where it was told."""

from datetime import datetime

from dagster_monitoring.alerts import AlertStep
from dagster_monitoring.incidents import Change, Transition
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.incidents import announce_change
from dagster_monitoring.orchestration.steps import ROLLBACK, step_of
from dagster_monitoring.stores import Note, Retraining

MACHINE = "dagster-monitoring"


def tell_retraining(backend: Backend, retraining: Retraining, *, now: datetime) -> None:
    """Keeps and tells how far a retraining got, in the transaction that says so in the store.

    The same outcome again is not told again. One that a person asked for answers no incident.
    """
    if retraining.incident_id is None:
        return
    step = step_of(retraining)
    text = f"{step.what}: {step.why}" if step.why else step.what
    note = Note(at=now, author=MACHINE, action="retraining", text=text)
    _tell(backend, retraining.incident_id, note, step)


def tell_rollback(backend: Backend, model: str, *, by: str, text: str, now: datetime) -> None:
    """Keeps a rollback with the model's open incidents, and tells it where they were told."""
    note = Note(at=now, author=by, action=ROLLBACK, text=text)
    for incident in backend.store.incidents.open_ones(model):
        _tell(backend, incident.id, note, step_of(note))


def _tell(backend: Backend, incident_id: str, note: Note, step: AlertStep) -> None:
    with backend.store.transaction():
        backend.store.incidents.note(incident_id, note)
        incident = backend.store.incidents.get(incident_id)
        if incident is not None:
            change = Change(transition=Transition.UPDATED, incident=incident)
            announce_change(backend, change, now=note.at, run_url=None, step=step)
