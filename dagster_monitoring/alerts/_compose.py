"""What is said about an incident, the same for every channel, which only lays it out."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass, replace

from dagster_monitoring.alerts._privacy import shown_name, shown_reason, shown_words
from dagster_monitoring.alerts._text import bounded, safe_address
from dagster_monitoring.alerts.message import (
    AlertImpact,
    AlertMessage,
    AlertPlot,
    AlertRow,
    AlertStep,
)
from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.incidents import Cause, Incident, Transition, span_text

# A person reads a handful; the rest is one command away.
MAX_ROWS = 10
# A value from data can be of any length; a name that people gave is not longer.
MAX_LENGTH = 300
MAX_ADDRESS = 2_000

_FIRST_STEP = {
    Cause.PIPELINE: "Look at the runs that make the slice, and materialize what is missing.",
    Cause.DATA: "Show it to whoever makes the slices; retraining does not help.",
    Cause.LABELS: "Look at the deliveries of labels; they are taken in when they are repaired.",
    Cause.MODEL: "See how it came:",
    Cause.RETRAINING: "Look at the run that trained; the champion stays in service.",
    Cause.ALERTING: "Repair the channel, then try it: dagster-monitoring alerts test",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the store and the declaration know about an incident.

    ``impact`` is what the drift does to the model's error, where that was estimated; ``steps`` what
    was done, oldest first (an update is about the last); ``said`` what a person who acknowledged or
    closed it says, or the new champion's verdicts. ``names`` are columns', which errors may quote.
    """

    impact: AlertImpact | None = None
    steps: tuple[AlertStep, ...] = ()
    said: str | None = None
    names: frozenset[str] = frozenset()


def compose(
    incident: Incident,
    transition: Transition,
    *,
    run_url: str | None,
    asset_url: str | None = None,
    show_values_of: Collection[str] = (),
    n_slices: int | None = None,
    plot: AlertPlot | None = None,
    background: Background | None = None,
) -> AlertMessage:
    """The message about what just happened to an incident.

    Args:
        incident: the incident after the transition.
        transition: what happened.
        run_url: where the run that judged it can be seen; dropped unless http or https.
        asset_url: where what was judged can be seen; dropped likewise.
        show_values_of: columns whose values may be told; of others a segment is ``carrier=…``.
        n_slices: how many slices it spans so far, where that is known.
        plot: the worst value's slices.
        background: what is known beyond the incident itself.
    """
    known = background or Background()
    steps = tuple(_told(step, known.names, show_values_of) for step in known.steps)
    last = steps[-1] if steps and transition is Transition.UPDATED else None
    # The monitors that made it an incident first; what else was amber that day after them.
    ranked = sorted(incident.worst, key=lambda e: e.monitor not in incident.monitors)
    worst = [] if last else ranked[:MAX_ROWS]
    return AlertMessage(
        dedup_key=dedup_key(incident, transition, step=last),
        transition=transition,
        incident_id=incident.id,
        model=incident.model,
        severity=incident.severity,
        cause=incident.cause,
        opened_partition=incident.opened_partition,
        partition=incident.resolved_partition or incident.last_partition,
        title=f"{incident.model}: {last.what}" if last else _title(incident, transition),
        summary=last.why if last else _summary(incident, transition, n_slices, known.said),
        details=() if last else _details(incident, known.names, show_values_of),
        changes=() if last else _changes(incident),
        owner=bounded(incident.owner, MAX_LENGTH),
        monitors=incident.monitors,
        rows=tuple(_row(evaluation, show_values_of) for evaluation in worst),
        n_more=0 if last else len(ranked) - len(worst),
        baseline_version=next((e.baseline_version for e in ranked if e.baseline_version), None),
        model_version=bounded(
            next((e.model_version for e in ranked if e.model_version), None), MAX_LENGTH
        ),
        run_url=_web_address(run_url),
        asset_url=_web_address(asset_url),
        next_step=_whole(incident) if last else _next_step(incident, transition, show_values_of),
        updated_at=last.at if last else incident.updated_at,
        n_slices=n_slices,
        plot=None if last else plot,
        impact=None if last else known.impact,
        steps=() if last else steps,
    )


def dedup_key(incident: Incident, transition: Transition, *, step: AlertStep | None = None) -> str:
    """Names a transition of an incident, whoever composes it and however often.

    Example: ``inc-8d1f0c2ab3e4:ESCALATED:5b2e9a10``. An incident opens once; what can happen to it
    again is named with the state that it made, an update with the step that it tells of.
    """
    if transition is Transition.OPENED:
        return f"{incident.id}:{transition}"
    if step is not None:
        return f"{incident.id}:{transition}:{step.key}"
    state = "|".join(
        [
            incident.severity,
            *sorted(incident.monitors),
            *(str(moment) for moment in (incident.escalated_at, incident.acknowledged_at)),
            incident.resolved_partition or "",
            str(incident.announced_at) if transition is Transition.REMINDED else "",
            # It may open again more than once, each time by another partition.
            incident.last_partition if transition is Transition.REOPENED else "",
        ]
    )
    return (
        f"{incident.id}:{transition}:{hashlib.blake2b(state.encode(), digest_size=4).hexdigest()}"
    )


def _details(incident: Incident, names: Collection[str], shown: Collection[str]) -> tuple[str, ...]:
    """What is wrong where no evaluation says it; an error of a channel is in words of our own."""
    own = incident.cause is Cause.ALERTING
    told = [
        member.trouble if own else shown_words(member.trouble, names=names, shown=shown)
        for member in incident.members
        if member.detail
    ]
    return tuple(bounded(text, MAX_LENGTH) or "" for text in told)


def _changes(incident: Incident) -> tuple[str, ...]:
    return tuple(bounded(line, MAX_LENGTH) or "" for line in incident.changes[:MAX_ROWS])


def _told(step: AlertStep, names: Collection[str], shown: Collection[str]) -> AlertStep:
    """A step whose reason, such as a trainer's error, quotes no value of data."""
    what = bounded(step.what, MAX_LENGTH) or ""
    why = bounded(shown_words(step.why, names=names, shown=shown), MAX_LENGTH) or ""
    return replace(step, what=what, why=why)


def _web_address(url: str | None) -> str | None:
    # An address that was cut leads elsewhere: one that is too long is left out.
    if url is None or len(url) > MAX_ADDRESS or not re.match(r"https?://\S+\Z", url):
        return None
    return safe_address(url, 3 * MAX_ADDRESS)


def _title(incident: Incident, transition: Transition) -> str:
    owner = bounded(incident.owner, 100)
    what = {
        Transition.OPENED: f"{incident.severity}: {incident.model} needs attention",
        Transition.ESCALATED: f"{incident.severity}: {incident.model} got worse",
        Transition.REOPENED: f"{incident.severity}: {incident.model} is not well after all",
        Transition.ACKNOWLEDGED: f"Acknowledged: {incident.model}, by {owner}",
        Transition.REMINDED: f"{incident.severity}: {incident.model} still needs attention",
        Transition.DIGEST: f"{incident.model}: the day in one message",
        Transition.UPDATED: f"{incident.model}: something was done",
        Transition.RESOLVED: f"Closed by hand: {incident.model}"
        if incident.closed_by_hand
        else f"Resolved: {incident.model} is healthy again",
    }
    return what[transition]


def _summary(
    incident: Incident, transition: Transition, n_slices: int | None, said: str | None
) -> str:
    names = ", ".join(incident.monitors)
    since = incident.opened_partition
    words = f" {bounded(said, MAX_LENGTH)}" if said else ""
    if transition is Transition.RESOLVED:
        took = f"{span_text(incident.updated_at - incident.opened_at)} after it was opened"
        lasted = f" ({_slices(n_slices)})" if n_slices else ""
        return (
            f"{_ended(incident)}; it lasted from {since} to {incident.last_partition}{lasted}, "
            f"and was closed {took}. Monitors: {names}.{words}"
        )
    if transition is Transition.ACKNOWLEDGED and words:
        # What somebody is about to do is the news; what it is about was told.
        return words.strip()
    counted = f", {_slices(n_slices)}" if n_slices else ""
    begun = f" (since {since}{counted})" if since != incident.last_partition else ""
    return f"Partition {incident.last_partition}{begun}. Monitors: {names}.{words}"


def _ended(incident: Incident) -> str:
    if incident.closed_by_hand:
        return f"A person closed it on {incident.resolved_partition}"
    return f"All clear on {incident.resolved_partition}"


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count:,} slices"


def _next_step(incident: Incident, transition: Transition, shown: Collection[str]) -> str:
    step = _FIRST_STEP[incident.cause]
    if not incident.worst:
        return _whole(incident) if step.endswith(":") else f"{step} {_whole(incident)}"
    command = f"dagster-monitoring history {incident.model} --since {incident.opened_partition}"
    if transition is Transition.RESOLVED:
        return f"Nothing to do. What it was: {command}"
    column = incident.worst[0].column
    if column and column.isprintable() and len(column) <= MAX_LENGTH:
        # A class that may not be told is left out of the command too.
        command += f" --column {shlex.quote(column)}" if shown_name(column, shown) == column else ""
    if step.endswith(":"):
        return f"{step} {command}"
    return f"{step} See how it came: {command}"


def _whole(incident: Incident) -> str:
    return f"See it whole: dagster-monitoring incidents show {incident.id}"


def _row(evaluation: Evaluation, shown: Collection[str]) -> AlertRow:
    return AlertRow(
        monitor=evaluation.monitor,
        metric=evaluation.metric,
        column=bounded(shown_name(evaluation.column, shown), MAX_LENGTH),
        segment=bounded(shown_name(evaluation.segment, shown), MAX_LENGTH),
        value=evaluation.value,
        limit=_limit(evaluation),
        severity=evaluation.severity,
        reason=bounded(shown_reason(evaluation, shown), MAX_LENGTH),
        n=evaluation.n,
        standard_error=evaluation.standard_error,
    )


def _limit(evaluation: Evaluation) -> float | None:
    """The limit that was passed, else whichever there is."""
    if evaluation.value is None:
        return None
    lower, upper = evaluation.lower, evaluation.upper
    if lower is not None and (upper is None or evaluation.value < lower):
        return lower
    return upper
