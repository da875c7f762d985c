"""Trouble that no monitor tells of: labels that can't be read, assets upstream that failed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Episode, Member
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.upstream import Lineage, Made, sources_of
from dagster_monitoring.stores import RetrainingOutcome

# A channel that fails now and then is tried again; one that fails for so long is out of order.
DEAD_AFTER = timedelta(minutes=15)
DEAD_ATTEMPTS = 3

LABEL_DELIVERIES = "label_deliveries"
ALERT_CHANNEL = "alert_channel"
UPSTREAM = "upstream"
RETRAINING = "retraining"
_CAUSES = {
    UPSTREAM: Cause.PIPELINE,
    LABEL_DELIVERIES: Cause.LABELS,
    RETRAINING: Cause.RETRAINING,
}
# What failed longer ago than people are told of is history.
LOOK_BACK_SLICES = 14


def open_faults(
    backend: Backend, *, now: datetime, lineage: Lineage | None = None
) -> list[Episode]:
    """Every fault that is there now, as an episode that lasts; one that is gone is not in it.

    Args:
        backend: open.
        now: the clock.
        lineage: what Dagster knows of the assets upstream; ``None``: they are not looked at.
    """
    sources: Sequence[Callable[..., list[Episode]]] = (
        _set_aside,
        _dead_channels,
        _failed_retraining,
    )
    found = [episode for source in sources for episode in source(backend, now=now)]
    return [*found, *(failed_upstream(backend, lineage, now=now) if lineage else [])]


def past_faults(
    backend: Backend, there: Sequence[Episode] = (), *, looked_upstream: bool = False
) -> list[Episode]:
    """The faults that incidents tell of and that are over; dead channels explain nothing.

    A fault that went stays a part of what it explains: the drift that came of an asset that failed
    is no incident of its own once the asset is materialized again.

    Args:
        backend: open.
        there: those that are there now, see :func:`open_faults`.
        looked_upstream: whether assets upstream were looked at for it; where they were not, theirs
            last for all that is known.
    """
    latest = backend.store.verdicts.latest(backend.model.model) or ""
    found = []
    for incident in backend.store.incidents.list(backend.model.model):
        for member in incident.members:
            lasts = any(e.monitor == member.monitor and e.first <= member.last for e in there)
            if member.kind not in _CAUSES or lasts:
                continue
            over = member.resolved or incident.resolved_partition
            if over is None and (looked_upstream or member.kind != UPSTREAM):
                over = max(latest, member.last)
            found.append(_recorded(backend, member, over))
    return found


def failed_upstream(backend: Backend, lineage: Lineage, *, now: datetime) -> list[Episode]:
    """The user's assets of slices and labels whose last run failed, in the last 14 slices."""
    days, found = backend.model.partitions, []
    today = _production(backend, now)
    recent = list(days.between(max(days.shift(today, 1 - LOOK_BACK_SLICES), days.first), today))
    for key in sources_of(backend.model):
        name = key.to_user_string()
        states = lineage.state(backend.model, key, recent)
        failed = tuple(day for day in recent if states.get(day) is Made.FAILED)
        if failed:
            more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
            detail = f"asset {name} failed for {failed[-1]}{more}. Materialize it again"
        else:
            run = None if Made.DONE in states.values() else lineage.failed_run(key)
            if run is None:
                continue
            failed = (_production(backend, run.at),)
            detail = f"asset {name} failed. Materialize it again"
        found.append(
            Episode(
                monitor=f"{UPSTREAM}:{name}",
                kind=UPSTREAM,
                cause=Cause.PIPELINE,
                severity=Severity.ERROR,
                first=failed[0],
                fired=failed[0],
                bad=failed,
                resolved=None,
                ends=tuple(days.bounds(day)[1] for day in failed),
                detail=detail,
            )
        )
    return found


def channel_of(watcher: str) -> str | None:
    """The channel that a member of an incident is about, if it is about one."""
    kind, _, channel = watcher.partition(":")
    return channel if kind == ALERT_CHANNEL else None


def _set_aside(backend: Backend, *, now: datetime) -> list[Episode]:
    """Label deliveries that can't be taken in until somebody repairs them."""
    found = backend.store.deliveries.set_aside(backend.model.label_ledger)
    if not found:
        return []
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    detail = (
        f"{found[0].fault}{more}. Repair or remove it; it is read again when it changes, and the "
        "others are taken in"
    )
    since = found[0].noted_at or now
    return [_episode(backend, LABEL_DELIVERIES, Cause.LABELS, detail, since=since, now=now)]


def _dead_channels(backend: Backend, *, now: datetime) -> list[Episode]:
    """Channels that took no message for a while although they were tried several times."""
    since: dict[str, datetime] = {}
    errors: dict[str, str] = {}
    for entry in backend.store.outbox.failing():
        tried_long = now - entry.created_at >= DEAD_AFTER
        is_own = entry.model == backend.model.model
        if is_own and not entry.undeliverable and tried_long and entry.attempts >= DEAD_ATTEMPTS:
            since[entry.channel] = min(entry.created_at, since.get(entry.channel, now))
            errors[entry.channel] = entry.last_error or "no error was given"
    return [
        _episode(
            backend,
            f"{ALERT_CHANNEL}:{name}",
            Cause.ALERTING,
            f"channel {name} takes no message: {errors[name]}",
            since=begun,
            now=now,
        )
        for name, begun in sorted(since.items())
    ]


def _failed_retraining(backend: Backend, *, now: datetime) -> list[Episode]:
    """The last retraining, when it failed while the incident that asked for it lasts."""
    last = backend.store.retrainings.last(backend.model.model)
    if last is None or last.outcome is not RetrainingOutcome.FAILED or last.incident_id is None:
        return []
    asking = backend.store.incidents.get(last.incident_id)
    if asking is None or not asking.is_open:
        return []
    detail = f"retraining {last.id} failed: {last.reason}"
    since = last.finished_at or now
    return [_episode(backend, RETRAINING, Cause.RETRAINING, detail, since=since, now=now)]


def _episode(
    backend: Backend, name: str, cause: Cause, detail: str, *, since: datetime, now: datetime
) -> Episode:
    key = _production(backend, since)
    return Episode(
        monitor=name,
        kind=name.partition(":")[0],
        cause=cause,
        severity=Severity.ERROR,
        first=key,
        fired=key,
        bad=(key,),
        resolved=None,
        ends=(now,),
        detail=detail,
    )


def _recorded(backend: Backend, member: Member, resolved: str | None) -> Episode:
    """A fault as its incident keeps it."""
    return Episode(
        monitor=member.monitor,
        kind=member.kind,
        cause=_CAUSES[member.kind],
        severity=member.severity,
        first=member.first,
        fired=member.first,
        bad=tuple(sorted({member.first, member.last})),
        resolved=resolved,
        ends=(backend.model.partitions.bounds(member.last)[1],),
        detail=member.detail,
    )


def _production(backend: Backend, moment: datetime) -> str:
    """The partition that a moment falls into, or the nearest one of production."""
    keys = backend.model.partitions
    return max(keys.key_of(moment), keys.first)
