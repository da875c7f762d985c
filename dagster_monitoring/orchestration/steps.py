"""What was done about an incident: its retrainings, and rollbacks while it lasted."""

from dagster_monitoring.alerts import AlertStep
from dagster_monitoring.incidents import Incident
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.stores import Note, Retraining, RetrainingOutcome

ROLLBACK = "rollback"
# What comes of these is told in another message: a verdict, or an incident of its own.
_MINOR = frozenset({RetrainingOutcome.REQUESTED, RetrainingOutcome.FAILED})


def steps_of(backend: Backend, incident: Incident) -> tuple[AlertStep, ...]:
    """Each retraining as far as it got, and each rollback; oldest first."""
    retrainings = [
        step_of(one)
        for one in backend.store.retrainings.list(incident.model)
        if one.incident_id == incident.id
    ]
    notes = backend.store.incidents.notes(incident.id)
    rollbacks = [step_of(note) for note in notes if note.action == ROLLBACK]
    return tuple(sorted([*retrainings, *rollbacks], key=lambda step: step.at))


def cure_of(backend: Backend, incident: Incident) -> str | None:
    """Which promoted challenger's partitions are healthy; ``None`` where none ended the incident.

    Only one that was promoted for it, and judged the partition that closed it.
    """
    if incident.closed_by_hand or incident.resolved_partition is None:
        return None
    promoted = {
        one.challenger_version
        for one in backend.store.retrainings.list(incident.model)
        if one.incident_id == incident.id and one.outcome is RetrainingOutcome.PROMOTED
    }
    judging = backend.store.baselines.in_force(incident.model, incident.resolved_partition)
    if judging is None or judging.model_version not in promoted:
        return None
    return (
        f"{judging.model_version}, promoted for it, is the model since {judging.valid_from} and "
        "is healthy."
    )


def step_of(done: Retraining | Note) -> AlertStep:
    """A retraining as far as it got, or a rollback that was noted."""
    if isinstance(done, Note):
        return AlertStep(
            key=f"{ROLLBACK}:{done.at:%Y%m%dT%H%M%S}",
            at=done.at,
            what=f"rolled back by {done.author}",
            why=done.text,
        )
    what = {
        RetrainingOutcome.REQUESTED: "retraining asked for",
        RetrainingOutcome.PROMOTED: f"{done.challenger_version} passed the gate and is promoted",
        RetrainingOutcome.REFUSED: f"the gate refused {done.challenger_version}",
        RetrainingOutcome.FAILED: "retraining failed",
    }
    return AlertStep(
        key=f"{done.id}:{done.outcome}",
        at=done.finished_at or done.requested_at,
        what=what[done.outcome],
        why=done.reason or "",
        is_minor=done.outcome in _MINOR,
    )
