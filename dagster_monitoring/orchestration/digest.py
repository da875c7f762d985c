"""One message a day and model: what is open, what came and went, what warned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from dagster_monitoring.alerts import AlertMessage, Channel, shown_name
from dagster_monitoring.evaluation import Evaluation, Severity, worst_first
from dagster_monitoring.incidents import Cause, Incident, Transition, held_until
from dagster_monitoring.orchestration.backend import Backend

_DAY = timedelta(days=1)
# A page, not a book.
_MAX_LINES = 30
_MAX_COLUMNS = 5
_MAX_NAME = 100
# Verdicts that come later (labels of long ago) are history, as for incidents.
_DEFAULT_AGE_DAYS = 14.0


def due_digests(backend: Backend, *, now: datetime) -> list[tuple[Channel, datetime]]:
    """The channels whose digest is due, each with the moment at which it fell due."""
    found: list[tuple[Channel, datetime]] = []
    for channel in backend.model.alerts:
        if channel.digest is not None:
            due = channel.digest.last_due(now)
            last = _last(backend, channel)
            if last is None or last < due:
                found.append((channel, due))
    return found


def queue_digests(backend: Backend, *, now: datetime, run_url: str | None) -> int:
    """Queues the digests that are due; how many.

    One that was missed because nothing ran is not made up for: the next tells of the time since
    the last.
    """
    with backend.store.transaction():
        due = due_digests(backend, now=now)
        for channel, moment in due:
            since = _last(backend, channel) or moment - _DAY
            message = _compose(backend, channel, since=since, due=moment, now=now, run_url=run_url)
            backend.store.outbox.enqueue(
                model=backend.model.model,
                incident_id=message.incident_id,
                transition=Transition.DIGEST,
                channel=channel.name,
                dedup_key=message.dedup_key,
                payload=message.to_json(),
                now=now,
                not_before=held_until(
                    backend.model.alert_policy.downtime, Transition.DIGEST, now=now
                ),
            )
            backend.store.cursors.set(_cursor(backend, channel), now.isoformat())
    return len(due)


def _compose(
    backend: Backend,
    channel: Channel,
    *,
    since: datetime,
    due: datetime,
    now: datetime,
    run_url: str | None,
) -> AlertMessage:
    model = backend.model.model
    # What a digest is of is the channel's to say, but not how bad, nor the hour.
    when = channel.when.model_copy(update={"severities": None, "hours": None})
    incidents = [
        one
        for one in backend.store.incidents.list(model)
        if not one.historical and when.fits(one, owners=backend.model.owners, now=now)
    ]
    is_open = [one for one in incidents if one.is_open]
    closed = [one for one in incidents if not one.is_open and one.updated_at > since]
    opened = [one for one in incidents if one.opened_at > since]
    warned = list(_warnings(backend, channel, since=since, now=now))
    lines = [*_incident_lines(is_open, closed, since), *_warning_lines(backend, warned)]
    more = [f"and {len(lines) - _MAX_LINES} more"] if len(lines) > _MAX_LINES else []
    latest = backend.store.verdicts.latest(model) or backend.model.partitions.first
    key = f"digest:{model}:{channel.name}:{due:%Y-%m-%dT%H:%M}"
    return AlertMessage(
        dedup_key=key,
        transition=Transition.DIGEST,
        incident_id=key,
        model=model,
        severity=max((one.severity for one in is_open), default=Severity.WARN, key=_rank),
        cause=is_open[0].cause if is_open else Cause.MODEL,
        opened_partition=min((one.opened_partition for one in is_open), default=latest),
        partition=latest,
        title=f"{model}: {_count(len(is_open), 'open incident')}, {_count(len(warned), 'warning')}",
        summary=f"Since {since:%Y-%m-%d %H:%M %Z}: {len(opened)} opened, {len(closed)} closed.",
        details=(*lines[:_MAX_LINES], *more) or ("All is quiet.",),
        monitors=tuple(
            sorted({e.monitor for e in warned} | {m for i in is_open for m in i.monitors})
        ),
        rows=(),
        n_more=0,
        baseline_version=None,
        model_version=None,
        run_url=run_url,
        next_step=f"See them: dagster-monitoring incidents list {model}",
        updated_at=now,
    )


def _warnings(
    backend: Backend, channel: Channel, *, since: datetime, now: datetime
) -> Iterator[Evaluation]:
    """The warnings that came since the last digest, of monitors that the channel is told of."""
    keys, when = backend.model.partitions, channel.when
    age = backend.model.alert_policy.max_age_days
    oldest = now - timedelta(days=_DEFAULT_AGE_DAYS if age is None else age)
    wanted = {
        monitor.name
        for monitor in backend.model.active_monitors
        if (when.causes is None or monitor.cause in when.causes)
        and (when.monitors is None or not {monitor.name, monitor.kind}.isdisjoint(when.monitors))
    }
    first = max(keys.key_of(oldest), keys.first)
    for said in backend.store.evaluations.read(backend.model.model, since=first):
        is_new = said.evaluated_at > since and said.severity is Severity.WARN
        if is_new and said.monitor in wanted:
            yield said


def _incident_lines(
    is_open: Sequence[Incident], closed: Sequence[Incident], since: datetime
) -> Iterator[str]:
    for one in sorted(is_open, key=lambda i: (-_rank(i.severity), i.opened_at)):
        word = "new" if one.opened_at > since else "open"
        owner = f", {one.owner}'s" if one.owner else ""
        yield (
            f"{word}: {one.severity} {one.id}, {one.cause}, since {one.opened_partition}"
            f"{owner}: {', '.join(one.monitors)}"
        )
    for one in closed:
        yield (
            f"closed: {one.id}, {one.cause}, {one.opened_partition} to {one.last_partition}: "
            f"{', '.join(one.monitors)}"
        )


def _warning_lines(backend: Backend, warned: Sequence[Evaluation]) -> Iterator[str]:
    """A line a monitor: how many warnings, on which columns, the worst first."""
    shown = backend.model.alert_policy.show_values_of
    for monitor, count in sorted(Counter(e.monitor for e in warned).items()):
        own = worst_first([e for e in warned if e.monitor == monitor])
        names = dict.fromkeys(
            name[:_MAX_NAME] for e in own if (name := shown_name(e.column, shown))
        )
        more = f" and {len(names) - _MAX_COLUMNS} more" if len(names) > _MAX_COLUMNS else ""
        columns = f" ({', '.join([*names][:_MAX_COLUMNS])}{more})" if names else ""
        yield f"{monitor}: {_count(count, 'warning')}{columns}"


def _last(backend: Backend, channel: Channel) -> datetime | None:
    """When the channel's last digest was written."""
    kept = backend.store.cursors.get(_cursor(backend, channel))
    return datetime.fromisoformat(kept) if kept else None


def _cursor(backend: Backend, channel: Channel) -> str:
    return f"{backend.model.model}/digest/{channel.name}"


def _rank(severity: Severity) -> int:
    return 1 if severity is Severity.ERROR else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
