"""From evaluations to incidents: what opens, worsens and resolves them, and queues the messages.

The evaluation store is what is watched, not Dagster's event log: a failed check does not fail its
run, so run-failure sensors never see it, and the store has a cursor of its own (one query on an
indexed id, whatever the history behind it).
"""

from dataclasses import replace
from datetime import datetime

from dagster_monitoring.alerts import AlertStep
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import (
    Change,
    Incident,
    Transition,
    due_by_time,
    held_until,
    is_awake,
    is_quiet,
    is_told,
    woken,
)
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.deriving import derive_changes
from dagster_monitoring.orchestration.faults import channel_of, open_faults
from dagster_monitoring.orchestration.steps import cure_of, steps_of
from dagster_monitoring.orchestration.telling import message_about
from dagster_monitoring.orchestration.upstream import Lineage
from dagster_monitoring.orchestration.upstream_changes import changes_upstream
from dagster_monitoring.orchestration.worst_values import worst_of
from dagster_monitoring.stores import Note


def advance_incidents(
    backend: Backend, *, now: datetime, run_url: str | None, lineage: Lineage | None = None
) -> tuple[Incident, ...]:
    """Brings the incidents up to what was evaluated, and to the time.

    All of a model's verdicts are looked at, a row a monitor and partition: the same verdicts give
    the same incidents, in whichever order they came. What changes is saved in one transaction with
    the messages about it and the cursor, so that none is there without the others.

    Args:
        backend: open.
        now: the clock.
        run_url: where the run that does this can be seen.
        lineage: what Dagster knows of the assets upstream; ``None``: they are not looked at.
    """
    store, model = backend.store, backend.model
    with store.transaction():
        latest = store.evaluations.latest_id(model.model)
        changes = derive_changes(backend, now=now, lineage=lineage)
        changed = [
            _save(backend, _explained(backend, change, lineage), now=now, run_url=run_url)
            for change in changes
        ]
        changed += _remind(backend, now=now, run_url=run_url)
        store.cursors.set(news_cursor(model), str(latest))
    return tuple(changed)


def has_news(
    backend: Backend, latest: int, *, now: datetime, lineage: Lineage | None = None
) -> bool:
    """Whether :func:`advance_incidents` would find something to do.

    Args:
        backend: open.
        latest: the id of the evaluation that was recorded last.
        now: the clock.
        lineage: as there.
    """
    store, model = backend.store, backend.model
    if latest > int(store.cursors.get(news_cursor(model)) or 0):
        return True
    known = store.incidents.list(model.model, open_only=True)
    if any(
        is_awake(incident, now=now) or due_by_time(incident, model.alert_policy, now=now)
        for incident in known
    ):
        return True
    there = {(e.monitor, e.detail) for e in open_faults(backend, now=now, lineage=lineage)}
    told = {
        (m.monitor, m.detail) for i in known for m in i.members if m.detail and m.resolved is None
    }
    return there != told


def announce_change(
    backend: Backend,
    change: Change,
    *,
    now: datetime,
    run_url: str | None,
    said: str | None = None,
    step: AlertStep | None = None,
) -> None:
    """Queues the messages about a change, in the transaction that saves it.

    Args:
        backend: open.
        change: what happened.
        now: the clock.
        run_url: where the run that found it can be seen.
        said: what a person says of it.
        step: what an update tells of.
    """
    if change.transition is None or change.incident.historical:
        return
    incident, transition = change.incident, change.transition
    if is_quiet(incident, transition, now=now):
        return
    outbox, policy = backend.store.outbox, backend.model.alert_policy
    if transition is Transition.RESOLVED:
        said = said or cure_of(backend, incident)
    message = message_about(
        backend,
        incident,
        transition,
        run_url=run_url,
        steps=steps_of(backend, incident) if step is None else [step],
        said=said,
    )
    is_minor = step is not None and step.is_minor
    # Of a channel that is out of order the others are told.
    dead = {channel_of(member.monitor) for member in incident.members}
    knowing, owners = outbox.knows(incident.id), backend.model.owners
    for channel in backend.model.alerts:
        # A warning waits for the digest; an error pages at once.
        waits = channel.digest is not None and incident.severity is Severity.WARN
        if channel.name in dead or waits or (is_minor and not channel.updates_quietly):
            continue
        if not is_told(
            channel.when,
            incident,
            transition,
            escalations_only=channel.escalation,
            knows=channel.name in knowing,
            owners=owners,
            now=now,
        ):
            continue
        outbox.enqueue(
            model=incident.model,
            incident_id=incident.id,
            transition=transition,
            channel=channel.name,
            dedup_key=f"{message.dedup_key}:{channel.name}",
            payload=message.to_json(),
            now=now,
            not_before=held_until(policy.downtime, transition, now=now),
        )


def act_by_hand(
    backend: Backend, after: Incident, note: Note, *, transition: Transition | None
) -> None:
    """Keeps what a person did about an incident, and queues the messages about it."""
    with backend.store.transaction():
        backend.store.incidents.save(after)
        backend.store.incidents.note(after.id, note)
        change = Change(transition=transition, incident=after)
        said = f"{note.author}: {note.text}" if note.text else f"By {note.author}."
        announce_change(backend, change, now=note.at, run_url=None, said=said)


def news_cursor(model: MonitoredModel) -> str:
    """Names the store's cursor that stands at the last evaluation incidents were advanced by."""
    return f"{model.model}/alerts"


def _explained(backend: Backend, change: Change, lineage: Lineage | None) -> Change:
    """An incident that has just opened, with what changed upstream; looked up only then."""
    if change.transition not in {Transition.OPENED, Transition.REOPENED}:
        return change
    lines = changes_upstream(backend, lineage, change.incident)
    return replace(change, incident=replace(change.incident, changes=lines))


def _save(backend: Backend, change: Change, *, now: datetime, run_url: str | None) -> Incident:
    incident = replace(change.incident, worst=worst_of(backend, change.incident))
    transition = change.transition
    is_told_now = transition is not None and not is_quiet(incident, transition, now=now)
    if is_told_now and not incident.historical:
        incident = _as_told(incident, now=now)
    backend.store.incidents.save(incident)
    announce_change(backend, replace(change, incident=incident), now=now, run_url=run_url)
    return incident


def _remind(backend: Backend, *, now: datetime, run_url: str | None) -> list[Incident]:
    """Escalates and reminds of what lasts, as time passes."""
    found = []
    for incident in backend.store.incidents.open_ones(backend.model.model):
        due = _due(backend, incident, now=now)
        if due is not None:
            is_escalation = due is Transition.ESCALATED
            told = replace(
                _as_told(incident, now=now),
                escalated_at=now if is_escalation else incident.escalated_at,
                updated_at=now,
            )
            backend.store.incidents.save(told)
            announce_change(
                backend, Change(transition=due, incident=told), now=now, run_url=run_url
            )
            found.append(told)
    return found


def _due(backend: Backend, incident: Incident, *, now: datetime) -> Transition | None:
    by_time = due_by_time(incident, backend.model.alert_policy, now=now)
    if not is_awake(incident, now=now):
        return by_time
    after_sleep = woken(incident, backend.store.incidents.history(incident.id), now=now)
    # That nobody answered in time is more than that it is still there.
    return after_sleep if after_sleep is not Transition.REMINDED else by_time or after_sleep


def _as_told(incident: Incident, *, now: datetime) -> Incident:
    """People are told now; a sleep that is over is done with."""
    until = incident.snoozed_until
    still = until if until is not None and now < until else None
    return replace(incident, announced_at=now, snoozed_until=still)
