"""From evaluations to incidents: what opens, worsens and resolves them, and queues the messages.

The evaluation store is what is watched, not Dagster's event log: a failed check does not fail its
run, so run-failure sensors never see it, and the store has a cursor of its own (one query on an
indexed id, whatever the history behind it).
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from dagster_monitoring.alerts import advance, compose
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incident import Incident, IncidentStatus, Transition
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend

# Writers of the store take turns, so ids are committed in the order in which they were given, and
# a cursor on them misses nothing.
BATCH = 20_000


def advance_incidents(
    backend: Backend, *, now: datetime, run_url: str | None
) -> tuple[Incident, ...]:
    """Opens, worsens and resolves incidents by what was evaluated since the last call.

    Each partition with news is judged once, oldest first; messages are queued in the transaction
    that saves the incident, so neither is there without the other.
    """
    store, name, model = backend.store, news_cursor(backend.model), backend.model.model
    changed: list[Incident] = []
    cursor = int(store.cursors.get(name) or 0)
    while news := store.evaluations.after(cursor, model=model, limit=BATCH):
        for partition in sorted({e.partition for _, e in news}):
            changed += _judge(backend, partition, now=now, run_url=run_url)
            seen = store.cursors.get(_frontier(backend.model)) or ""
            store.cursors.set(_frontier(backend.model), max(seen, partition))
        cursor = news[-1][0]
        store.cursors.set(name, str(cursor))
    return tuple(changed)


def _judge(
    backend: Backend, partition: str, *, now: datetime, run_url: str | None
) -> list[Incident]:
    model, store = backend.model, backend.store
    names = [monitor.name for monitor in model.active_monitors]
    found = store.evaluations.read(model.model, since=partition, until=partition)
    # The store keeps the verdicts of a monitor that was taken away since.
    verdicts = [evaluation for evaluation in found if evaluation.monitor in names]
    delay = model.ground_truth.expected_delay_days if model.ground_truth else 0.0
    if _is_over(backend, partition, verdicts):
        return []
    incidents = store.incidents
    current = incidents.open_incident(model.model) or incidents.open_incident(
        model.model, historical=True
    )
    steps = advance(
        current,
        verdicts,
        now=now,
        policy=model.alert_policy,
        declared=names,
        expected_delay_days=delay,
        partitions=model.partitions,
    )
    steps = [step for step in steps if not _already_over(backend, step[1])]
    for transition, incident in steps:
        _save(backend, transition, incident, now=now, run_url=run_url)
    return [incident for _, incident in steps]


def _is_over(backend: Backend, partition: str, verdicts: Sequence[Evaluation]) -> bool:
    """Whether late news of a day says nothing about today.

    Labels that come late judge a day again that was judged and left behind: where every monitor in
    trouble on it has since been well for as long as closes an incident, or an incident that is over
    spoke of it, the new verdict is kept, and nobody is told. Days that come for the first time are
    never over.
    """
    model, store = backend.model, backend.store
    seen = store.cursors.get(_frontier(model))
    if seen is None or partition > seen:
        return False
    current = store.incidents.open_incident(model.model)
    if current is not None and partition >= current.opened_partition:
        return False
    trouble = {e.monitor for e in verdicts if _is_trouble(e, model)}
    if not trouble:
        return False
    return _was_told(backend, partition, trouble) or all(
        _calm_since(backend, partition, monitor) >= model.alert_policy.resolve_after
        for monitor in trouble
    )


def _was_told(backend: Backend, partition: str, trouble: set[str]) -> bool:
    """Whether an incident that is over already spoke of these monitors on this day."""
    over = backend.store.incidents.list(backend.model.model, status=IncidentStatus.RESOLVED)
    return any(
        incident.opened_partition <= partition <= (incident.resolved_partition or "")
        and trouble <= set(incident.monitors)
        for incident in over
    )


def _calm_since(backend: Backend, partition: str, monitor: str) -> int:
    """Partitions without trouble at the end of those a monitor judged after one of them.

    A partition whose labels are still to come is not judged, and doesn't count for either side.
    """
    model = backend.model
    later = backend.store.evaluations.read(
        model.model, monitor=monitor, since=model.partitions.shift(partition, 1)
    )
    in_trouble: dict[str, bool] = {}
    for evaluation in later:
        bad = _is_trouble(evaluation, model)
        if bad or evaluation.status is not Status.NO_DATA:
            day = evaluation.partition
            in_trouble[day] = bad or in_trouble.get(day, False)
    newest_first = (in_trouble[day] for day in sorted(in_trouble, reverse=True))
    return sum(1 for _ in takewhile(lambda bad: not bad, newest_first))


def _is_trouble(evaluation: Evaluation, model: MonitoredModel) -> bool:
    return evaluation.severity in {Severity.ERROR, model.alert_policy.severity}


def _already_over(backend: Backend, incident: Incident) -> bool:
    known = backend.store.incidents.get(incident.id)
    return known is not None and known.status is IncidentStatus.RESOLVED


def _save(
    backend: Backend,
    transition: Transition | None,
    incident: Incident,
    *,
    now: datetime,
    run_url: str | None,
) -> None:
    with backend.store.transaction():
        if transition is not None and not incident.historical:
            message = compose(incident, transition, run_url=run_url)
            for channel in backend.model.alerts:
                backend.store.outbox.enqueue(
                    model=incident.model,
                    incident_id=incident.id,
                    transition=transition,
                    channel=channel.name,
                    dedup_key=f"{message.dedup_key}:{channel.name}",
                    payload=message.to_json(),
                    now=now,
                )
        backend.store.incidents.save(incident)


def news_cursor(model: MonitoredModel) -> str:
    """Names the store's cursor that stands at the last evaluation incidents were advanced by."""
    return f"{model.model}/alerts"


def _frontier(model: MonitoredModel) -> str:
    return f"{model.model}/alerts/latest-partition"
