"""What is said about an incident, the same for every channel, which only lays it out."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Collection

from dagster_monitoring.alerts._privacy import shown_name, shown_reason
from dagster_monitoring.alerts._text import bounded
from dagster_monitoring.alerts.message import AlertMessage, AlertPlot, AlertRow
from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.incidents import Cause, Incident, Transition, span_text

# A person reads a handful; the rest is one command away.
MAX_ROWS = 10
# A value from data can be of any length; a name that people gave is not longer.
MAX_LENGTH = 300

_FIRST_STEP = {
    Cause.PIPELINE: "Look at the runs that make the slice, and materialize what is missing.",
    Cause.DATA: "Show it to whoever makes the slices; retraining does not help.",
    Cause.LABELS: "Look at the deliveries of labels; they are taken in when they are repaired.",
    Cause.MODEL: "See how it came:",
    Cause.RETRAINING: "Look at the run that trained; the champion stays in service.",
    Cause.ALERTING: "Repair the channel, then try it: dagster-monitoring alerts test",
}


def compose(
    incident: Incident,
    transition: Transition,
    *,
    run_url: str | None,
    asset_url: str | None = None,
    show_values_of: Collection[str] = (),
    n_slices: int | None = None,
    plot: AlertPlot | None = None,
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
    """
    # The monitors that made it an incident first; what else was amber that day after them.
    ranked = sorted(incident.worst, key=lambda e: e.monitor not in incident.monitors)
    worst = ranked[:MAX_ROWS]
    return AlertMessage(
        dedup_key=dedup_key(incident, transition),
        transition=transition,
        incident_id=incident.id,
        model=incident.model,
        severity=incident.severity,
        cause=incident.cause,
        opened_partition=incident.opened_partition,
        partition=incident.resolved_partition or incident.last_partition,
        title=_title(incident, transition),
        summary=_summary(incident, transition, n_slices),
        details=tuple(bounded(m.trouble, MAX_LENGTH) or "" for m in incident.members if m.detail),
        changes=tuple(bounded(line, MAX_LENGTH) or "" for line in incident.changes[:MAX_ROWS]),
        owner=bounded(incident.owner, MAX_LENGTH),
        monitors=incident.monitors,
        rows=tuple(_row(evaluation, show_values_of) for evaluation in worst),
        n_more=len(incident.worst) - len(worst),
        baseline_version=next((e.baseline_version for e in worst if e.baseline_version), None),
        model_version=bounded(
            next((e.model_version for e in worst if e.model_version), None), MAX_LENGTH
        ),
        run_url=_web_address(run_url),
        asset_url=_web_address(asset_url),
        next_step=_next_step(incident, transition, show_values_of),
        updated_at=incident.updated_at,
        n_slices=n_slices,
        plot=plot,
    )


def dedup_key(incident: Incident, transition: Transition) -> str:
    """Names a transition of an incident, whoever composes it and however often.

    Example: ``inc-8d1f0c2ab3e4:ESCALATED:5b2e9a10``. An incident opens once; what can happen to it
    again is named with the state that it made.
    """
    if transition is Transition.OPENED:
        return f"{incident.id}:{transition}"
    state = "|".join(
        [
            incident.severity,
            *sorted(incident.monitors),
            *(str(moment) for moment in (incident.escalated_at, incident.acknowledged_at)),
            incident.resolved_partition or "",
            str(incident.announced_at) if transition is Transition.REMINDED else "",
        ]
    )
    return (
        f"{incident.id}:{transition}:{hashlib.blake2b(state.encode(), digest_size=4).hexdigest()}"
    )


def _web_address(url: str | None) -> str | None:
    return url if url and re.match(r"https?://\S+\Z", url) else None


def _title(incident: Incident, transition: Transition) -> str:
    what = {
        Transition.OPENED: f"{incident.severity}: {incident.model} needs attention",
        Transition.ESCALATED: f"{incident.severity}: {incident.model} got worse",
        Transition.REOPENED: f"{incident.severity}: {incident.model} is not well after all",
        Transition.ACKNOWLEDGED: f"Acknowledged: {incident.model}, by {incident.owner}",
        Transition.REMINDED: f"{incident.severity}: {incident.model} still needs attention",
        Transition.DIGEST: f"{incident.model}: the day in one message",
        Transition.RESOLVED: f"Resolved: {incident.model} is healthy again",
    }
    return what[transition]


def _summary(incident: Incident, transition: Transition, n_slices: int | None) -> str:
    names = ", ".join(incident.monitors)
    since = incident.opened_partition
    if transition is Transition.RESOLVED:
        took = f"{span_text(incident.updated_at - incident.opened_at)} after it was opened"
        lasted = f" ({_slices(n_slices)})" if n_slices else ""
        return (
            f"All clear on {incident.resolved_partition}; it lasted from {since} to "
            f"{incident.last_partition}{lasted}, and was closed {took}. Monitors: {names}."
        )
    counted = f", {_slices(n_slices)}" if n_slices else ""
    begun = f" (since {since}{counted})" if since != incident.last_partition else ""
    return f"Partition {incident.last_partition}{begun}. Monitors: {names}."


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count:,} slices"


def _next_step(incident: Incident, transition: Transition, shown: Collection[str]) -> str:
    step = _FIRST_STEP[incident.cause]
    if not incident.worst:
        whole = f"dagster-monitoring incidents show {incident.id}"
        return f"See it whole: {whole}" if step.endswith(":") else f"{step} See it whole: {whole}"
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
