"""From incidents to messages that arrive: the job that sends, and the sensor that asks for it."""

import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from dagster_monitoring.alerts import AlertMessage, Channel
from dagster_monitoring.errors import DeliveryError, MissingExtraError, MonitoringError
from dagster_monitoring.incidents import Incident
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.digest import due_digests, queue_digests
from dagster_monitoring.orchestration.incident_asset import incident_materialization
from dagster_monitoring.orchestration.incidents import advance_incidents, has_news
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.orchestration.upstream import Lineage, lineage_of
from dagster_monitoring.stores import OutboxEntry

# Dagster asks for a run key once, whatever became of the run: after so long, a crashed one again.
ASK_AGAIN_SECONDS = 600
# Longer than a send can take: two time-outs of a channel are at most four minutes.
LEASE_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What one run of the alert job did, with a line for each message that did not go out.

    ``failed`` are tried again; ``undeliverable`` are not, for their channel was taken away.
    """

    incidents: tuple[Incident, ...]
    sent: int
    failed: tuple[str, ...]
    undeliverable: tuple[str, ...]


def announce(
    backend: Backend, *, now: datetime, run_url: str | None, lineage: Lineage | None = None
) -> Announced:
    """Advances the incidents, then sends what is due.

    A channel that fails does not stop the others, and is tried again later.
    """
    incidents = advance_incidents(backend, now=now, run_url=run_url, lineage=lineage)
    queue_digests(backend, now=now, run_url=run_url)
    channels = {channel.name: channel for channel in backend.model.alerts}
    sent = 0
    failed: list[str] = []
    undeliverable: list[str] = []
    out_of_order: set[str] = set()
    for entry in _due(backend, now=now, without=out_of_order):
        if entry.channel not in channels:
            undeliverable.append(_give_up(backend, entry))
            continue
        error = _send(backend, entry, channels[entry.channel], now=now)
        if error is None:
            sent += 1
        else:
            failed.append(error)
            out_of_order.add(entry.channel)
    return Announced(
        incidents=incidents,
        sent=sent,
        failed=tuple(failed),
        undeliverable=tuple(undeliverable),
    )


def _due(backend: Backend, *, now: datetime, without: AbstractSet[str]) -> Iterator[OutboxEntry]:
    """Each message whose turn it is; what one that was sent held back comes after it.

    One is claimed when it is about to be sent, so that its lease is not used up by slow ones before
    it. A channel that failed is left alone until the next run: it would fail for each message in
    turn, and keep the other channels waiting.

    Args:
        backend: open.
        now: when the run began.
        without: channels to leave alone; it may grow.
    """
    outbox = backend.store.outbox
    begun = time.monotonic()
    is_new = True
    while is_new:
        is_new = False
        for entry in outbox.due(now, model=backend.model.model, without=tuple(without)):
            moment = now + timedelta(seconds=time.monotonic() - begun)
            is_wanted = entry.channel not in without
            if is_wanted and outbox.claim(entry, now=moment, lease_seconds=LEASE_SECONDS):
                is_new = True
                yield entry


def _send(backend: Backend, entry: OutboxEntry, channel: Channel, *, now: datetime) -> str | None:
    """Sends one message; gives what went wrong."""
    outbox = backend.store.outbox
    try:
        thread = outbox.thread(entry.incident_id, entry.channel)
        reference = channel.send(AlertMessage.from_json(entry.payload), thread=thread)
    except (DeliveryError, MissingExtraError, MonitoringError) as error:
        wait = getattr(error, "retry_after_seconds", None)
        outbox.mark_failed(entry.id, str(error), now=now, retry_after_seconds=wait)
        if wait is not None:
            # A receiver counts what it is sent by sender, not by incident.
            until = now + timedelta(seconds=wait)
            outbox.hold(entry.channel, model=entry.model, until=until)
        return str(error)
    outbox.mark_sent(entry.id, now=now, reference=reference)
    return None


def _give_up(backend: Backend, entry: OutboxEntry) -> str:
    error = (
        f"message {entry.id} ({entry.transition} of incident {entry.incident_id}) was not sent: "
        f"channel {entry.channel!r} is no longer declared (field alerts)"
    )
    backend.store.outbox.mark_undeliverable(entry.id, error)
    return error


def build_alert_job(model: MonitoredModel, *, clock: Clock) -> dg.JobDefinition:
    """The job that advances incidents and sends messages.

    It fails when a channel did not take a message, so that this is seen in Dagster; the message
    stays in the outbox, and the sensor asks for another run when it is due again.
    """

    @dg.op(
        name=job_name(model, "announce"),
        out=dg.Out(dg.Nothing),
        description="Opens and resolves incidents, and tells the channels.",
    )
    def announce_op(context: dg.OpExecutionContext) -> None:
        with open_backend(model) as backend:
            done = announce(
                backend,
                now=clock(),
                run_url=backend.run_url(context.run_id),
                lineage=lineage_of(context),
            )
            is_open = backend.store.incidents.open_ones(model.model)
        context.log_event(incident_materialization(model, is_open))
        for incident in done.incidents:
            context.log.info(
                f"incident {incident.id}: {incident.status} {incident.severity}, "
                f"monitors {', '.join(incident.monitors)}"
            )
            for line in incident.changes:
                context.log.info(f"incident {incident.id}, upstream: {line}")
        context.log.info(f"{done.sent} messages sent, {len(is_open)} incidents open")
        for line in done.undeliverable:
            context.log.warning(line)
        if done.failed:
            raise dg.Failure(
                description="some messages were not delivered and will be tried again: "
                + "; ".join(done.failed),
                metadata={"failed": len(done.failed), "sent": done.sent},
            )

    @dg.job(
        name=job_name(model, "alerts"),
        description=f"Tells the channels about incidents of {model.model}.",
        executor_def=dg.in_process_executor,
        tags={"dagster_monitoring/model": model.model},
    )
    def alert_job() -> None:
        announce_op()

    return alert_job


def build_alert_sensor(
    model: MonitoredModel, job: dg.JobDefinition, *, clock: Clock
) -> dg.SensorDefinition:
    """Asks for the alert job when something was evaluated, or a message is due again."""

    @dg.sensor(
        name=job_name(model, "alert_sensor"),
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Watches the evaluations of {model.model}.",
    )
    def alert_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with open_backend(model) as backend:
            latest = backend.store.evaluations.latest_id(model.model)
            now = clock()
            waiting = backend.store.outbox.due(now, model=model.model)
            is_due = bool(due_digests(backend, now=now))
            is_news = is_due or has_news(
                backend, latest, now=now, lineage=Lineage(instance=context.instance)
            )
        if not is_news and not waiting:
            return dg.SensorResult(skip_reason=dg.SkipReason("nothing new was evaluated"))
        bucket = int(now.timestamp() // ASK_AGAIN_SECONDS)
        key = f"{model.model}-{latest}-{_attempts(waiting)}-{bucket}"
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=key)])

    return alert_sensor


def _attempts(waiting: Sequence[OutboxEntry]) -> str:
    return "-".join(f"{entry.id}.{entry.attempts}" for entry in waiting[:20]) or "new"
