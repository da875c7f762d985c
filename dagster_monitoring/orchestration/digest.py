"""One message a day and model: what is open, what came and went, what warned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from dagster_monitoring.alerts import (
    MOST_CLOSED,
    MOST_OPEN,
    MOST_WARNED,
    AlertDigest,
    AlertMessage,
    Channel,
    DigestIncident,
    DigestWarning,
    shown_name,
)
from dagster_monitoring.evaluation import Evaluation, Severity, worst_first
from dagster_monitoring.incidents import Cause, Incident, Transition, held_until
from dagster_monitoring.orchestration.backend import Backend

_DAY = timedelta(days=1)
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
    digest = _digest(backend, channel, incidents, since=since, now=now)
    is_open = [one for one in incidents if one.is_open]
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
        title=f"{model}: {_count(len(is_open), 'open incident')}, "
        f"{_count(digest.n_warnings, 'warning')}",
        summary=_summary(digest),
        monitors=tuple(
            sorted({w.monitor for w in digest.warned} | {m for i in is_open for m in i.monitors})
        ),
        rows=(),
        n_more=0,
        baseline_version=None,
        model_version=None,
        run_url=run_url,
        next_step=f"See them: dagster-monitoring incidents list {model}",
        updated_at=now,
        digest=digest,
    )


def _digest(
    backend: Backend,
    channel: Channel,
    incidents: Sequence[Incident],
    *,
    since: datetime,
    now: datetime,
) -> AlertDigest:
    is_open = sorted(
        (one for one in incidents if one.is_open), key=lambda i: (-_rank(i.severity), i.opened_at)
    )
    closed = [one for one in incidents if not one.is_open and one.updated_at > since]
    warnings = list(_warnings(backend, channel, since=since, now=now))
    warned = _by_monitor(backend, warnings)
    by_severity = Counter(one.severity for one in is_open)
    return AlertDigest(
        since=since,
        n_open={severity: by_severity[severity] for severity in (Severity.ERROR, Severity.WARN)},
        n_opened=sum(one.opened_at > since for one in incidents),
        n_closed=len(closed),
        n_warnings=len(warnings),
        open=tuple(_told(one, since) for one in is_open[:MOST_OPEN]),
        closed=tuple(_told(one, since) for one in closed[:MOST_CLOSED]),
        warned=tuple(warned[:MOST_WARNED]),
        n_more_open=max(len(is_open) - MOST_OPEN, 0),
        n_more_closed=max(len(closed) - MOST_CLOSED, 0),
        n_more_warned=max(len(warned) - MOST_WARNED, 0),
    )


def _summary(digest: AlertDigest) -> str:
    counts = ", ".join(f"{count} {severity}" for severity, count in digest.n_open.items() if count)
    came = f"{digest.n_opened} opened, {digest.n_closed} closed"
    quiet = not (counts or digest.n_opened or digest.n_closed or digest.n_warnings)
    said = "All is quiet." if quiet else f"Open: {counts or 'none'}."
    return f"Since {digest.since:%Y-%m-%d %H:%M %Z}: {came}. {said}"


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


def _told(one: Incident, since: datetime) -> DigestIncident:
    return DigestIncident(
        id=one.id,
        severity=one.severity,
        cause=one.cause,
        opened_partition=one.opened_partition,
        last_partition=one.last_partition,
        opened_at=one.opened_at,
        owner=one.owner[:_MAX_NAME] if one.owner else None,
        monitors=one.monitors,
        is_new=one.opened_at > since,
    )


def _by_monitor(backend: Backend, warnings: Sequence[Evaluation]) -> list[DigestWarning]:
    """The monitors that warned, those that did most often first, each with its worst columns."""
    shown = backend.model.alert_policy.show_values_of
    found = []
    for monitor, count in Counter(e.monitor for e in warnings).most_common():
        own = worst_first([e for e in warnings if e.monitor == monitor])
        names = [*dict.fromkeys(
            name[:_MAX_NAME] for e in own if (name := shown_name(e.column, shown))
        )]  # fmt: skip
        found.append(
            DigestWarning(
                monitor=monitor,
                count=count,
                columns=tuple(names[:_MAX_COLUMNS]),
                n_more=max(len(names) - _MAX_COLUMNS, 0),
            )
        )
    return found


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
