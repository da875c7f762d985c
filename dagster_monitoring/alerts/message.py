"""What is said about an incident, the same for every channel, which only lays it out."""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from dagster_monitoring.alerts._text import as_ascii, bounded
from dagster_monitoring.evaluation import Evaluation, Severity, number, value_text
from dagster_monitoring.incidents import Cause, Incident, Transition

# A person reads a handful; the rest is one command away.
MAX_ROWS = 10
# A value from data can be of any length; a name that people gave is not longer.
MAX_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One triggered evaluation: its value (unit of the metric) and the limit it passed.

    ``limit`` is ``None`` where nothing could be computed; then ``reason`` says why.
    ``standard_error`` is the value's sampling error, ``None`` where it is not known.
    """

    monitor: str
    metric: str
    column: str | None
    segment: str | None
    value: float | None
    limit: float | None
    severity: Severity | None
    reason: str | None
    n: int
    standard_error: float | None = None

    @property
    def subject(self) -> str:
        """Column and segment; empty where a monitor looks at whole rows of all segments."""
        parts = (self.column, f"[{self.segment}]" if self.segment else None)
        return " ".join(part for part in parts if part)

    @property
    def comparison(self) -> str:
        """Value against limit, such as ``0.31 ± 0.049 > 0.2``; without a value, the reason.

        Example:
            >>> row = AlertRow(monitor="m", metric="psi", column="temp", segment=None, value=0.31,
            ...                limit=0.2, severity=None, reason=None, n=900, standard_error=0.025)
            >>> row.comparison
            '0.31 ± 0.049 > 0.2'
        """
        if self.value is None:
            return f"no value: {self.reason or 'no reason given'}"
        shown = value_text(self.value, self.standard_error)
        if self.limit is None:
            return shown
        sign = ">" if self.value > self.limit else "<" if self.value < self.limit else "="
        return f"{shown} {sign} {number(self.limit)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """An incident's transition in words and rows.

    ``dedup_key`` names the transition: the same transition composed again has the same key.
    ``rows`` holds at most ``MAX_ROWS``, worst first; ``n_more`` counts those left out. ``details``
    say what is wrong where no evaluation does, ``changes`` what changed upstream when it began.
    """

    dedup_key: str
    transition: Transition
    incident_id: str
    model: str
    severity: Severity
    cause: Cause
    opened_partition: str
    partition: str
    title: str
    summary: str
    details: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    owner: str | None = None
    monitors: tuple[str, ...]
    rows: tuple[AlertRow, ...]
    n_more: int
    baseline_version: str | None
    model_version: str | None
    run_url: str | None
    next_step: str
    updated_at: datetime

    def to_json(self) -> str:
        """The message as one line of ASCII JSON; ``from_json`` gives the same message."""
        return as_ascii(_ADAPTER.dump_json(self).decode())

    @classmethod
    def from_json(cls, text: str) -> AlertMessage:
        """The message that ``to_json`` wrote.

        Raises:
            pydantic.ValidationError: the text is not such a message.
        """
        return _ADAPTER.validate_json(text)


_ADAPTER = TypeAdapter(AlertMessage)


def compose(incident: Incident, transition: Transition, *, run_url: str | None) -> AlertMessage:
    """The message about what just happened to an incident.

    Args:
        incident: the incident after the transition.
        transition: what happened.
        run_url: where the run that judged it can be seen; dropped unless http or https.
    """
    partition = incident.resolved_partition or incident.last_partition
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
        partition=partition,
        title=_title(incident, transition),
        summary=_summary(incident, transition),
        details=tuple(bounded(m.detail, MAX_LENGTH) or "" for m in incident.members if m.detail),
        changes=tuple(bounded(line, MAX_LENGTH) or "" for line in incident.changes[:MAX_ROWS]),
        owner=bounded(incident.owner, MAX_LENGTH),
        monitors=incident.monitors,
        rows=tuple(_row(evaluation) for evaluation in worst),
        n_more=len(incident.worst) - len(worst),
        baseline_version=next((e.baseline_version for e in worst if e.baseline_version), None),
        model_version=next((e.model_version for e in worst if e.model_version), None),
        run_url=run_url if run_url and re.match(r"https?://\S+\Z", run_url) else None,
        next_step=_next_step(incident, transition),
        updated_at=incident.updated_at,
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


def _title(incident: Incident, transition: Transition) -> str:
    what = {
        Transition.OPENED: f"{incident.severity}: {incident.model} needs attention",
        Transition.ESCALATED: f"{incident.severity}: {incident.model} got worse",
        Transition.REOPENED: f"{incident.severity}: {incident.model} is not well after all",
        Transition.ACKNOWLEDGED: f"Acknowledged: {incident.model}, by {incident.owner}",
        Transition.REMINDED: f"{incident.severity}: {incident.model} still needs attention",
        Transition.RESOLVED: f"Resolved: {incident.model} is healthy again",
    }
    return what[transition]


def _summary(incident: Incident, transition: Transition) -> str:
    names = ", ".join(incident.monitors)
    since = incident.opened_partition
    if transition is Transition.RESOLVED:
        return (
            f"All clear on {incident.resolved_partition}; it lasted from {since} to "
            f"{incident.last_partition}. Monitors: {names}."
        )
    begun = f" (since {since})" if since != incident.last_partition else ""
    return f"Partition {incident.last_partition}{begun}. Monitors: {names}."


def _next_step(incident: Incident, transition: Transition) -> str:
    if not incident.worst:
        return f"See it whole: dagster-monitoring incidents show {incident.id}"
    command = f"dagster-monitoring history {incident.model} --since {incident.opened_partition}"
    if transition is Transition.RESOLVED:
        return f"Nothing to do. What it was: {command}"
    column = incident.worst[0].column if incident.worst else None
    if column and column.isprintable() and len(column) <= MAX_LENGTH:
        command += f" --column {shlex.quote(column)}"
    return f"See how it came: {command}"


def _row(evaluation: Evaluation) -> AlertRow:
    return AlertRow(
        monitor=evaluation.monitor,
        metric=evaluation.metric,
        column=bounded(evaluation.column, MAX_LENGTH),
        segment=bounded(evaluation.segment, MAX_LENGTH),
        value=evaluation.value,
        limit=_limit(evaluation),
        severity=evaluation.severity,
        reason=bounded(evaluation.reason, MAX_LENGTH),
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
