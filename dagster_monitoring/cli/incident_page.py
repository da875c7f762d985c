"""Incidents on a terminal: a list, one with its history, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from dagster_monitoring.alerts import AlertImpact, impact_lines
from dagster_monitoring.cli.printing import inert
from dagster_monitoring.evaluation import Evaluation, value_text
from dagster_monitoring.incidents import Incident, Member, span_text
from dagster_monitoring.stores import Note

_STYLES = {"ERROR": "red", "WARN": "yellow"}


def print_list(found: Sequence[Incident], *, everything: bool) -> None:
    """Prints incidents as a table."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not found:
        console.print("no incident is known" if everything else "no incident is open")
        return
    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("id", "model", "cause", "severity", "status", "since", "last bad", "monitors"):
        table.add_column(name, no_wrap=name != "monitors", overflow="fold")
    for one in found:
        status = "historical" if one.historical and one.is_open else one.status.value
        cells = (
            one.id, one.model, one.cause.value, one.severity.value, status,
            one.opened_partition, one.last_partition, ", ".join(one.monitors),
        )  # fmt: skip
        table.add_row(*(inert(cell, style=_STYLES.get(cell, "")) for cell in cells))
    console.print(table)


def print_one(
    one: Incident,
    states: Sequence[Incident],
    notes: Sequence[Note],
    *,
    n_slices: int,
    impact: AlertImpact | None,
) -> None:
    """Prints an incident: facts, members, impact, the worst values, and what happened.

    Args:
        one: as it is.
        states: those it went through.
        notes: what was done about it.
        n_slices: how many slices it spans.
        impact: what the drift does to the model's error, where that is known.
    """
    from rich.console import Console

    console = Console(highlight=False)
    style = "green" if not one.is_open else _STYLES[one.severity]
    head = f"{one.id}  {one.status} {one.severity}  {one.model}, {one.cause}"
    console.print(inert(head, style=f"bold {style}"))
    for line in _facts(one, n_slices=n_slices):
        console.print(inert(line))
    happened = sorted([*_milestones(states), *((n.at, _note(n)) for n in notes)])
    sections = {
        "members": [line for member in one.members for line in _member(member)],
        "impact": impact_lines(impact) if impact else [],
        "worst": [_value(evaluation) for evaluation in one.worst],
        "what happened": [f"{at:%Y-%m-%d %H:%M}  {text}" for at, text in happened],
    }
    for heading, lines in sections.items():
        if lines:
            console.print()
            console.print(inert(heading, style="bold"))
        for line in lines:
            console.print(inert(f"  {line}"))


def _member(member: Member) -> Iterator[str]:
    days = member.first if member.first == member.last else f"{member.first} to {member.last}"
    yield f"{member.severity} {member.monitor}: {days}"
    if member.detail:
        yield f"  {member.trouble}"


def _facts(one: Incident, *, n_slices: int) -> list[str]:
    end = f", resolved on {one.resolved_partition}" if one.resolved_partition else ""
    counted = "1 slice" if n_slices == 1 else f"{n_slices} slices"
    facts = [f"from {one.opened_partition} to {one.last_partition} ({counted}){end}"]
    if not one.is_open:
        facts.append(f"closed {span_text(one.updated_at - one.opened_at)} after it was opened")
    facts += [f"owner {one.owner}"] if one.owner else []
    facts += [f"sleeps until {one.snoozed_until:%Y-%m-%d %H:%M %Z}"] if one.snoozed_until else []
    facts += ["nobody was told: it was found too late, or over"] if one.historical else []
    return [*facts, *(f"upstream: {change}" for change in one.changes)]


def _value(e: Evaluation) -> str:
    segment = f"[{e.segment}]" if e.segment else None
    what = " ".join(filter(None, (e.monitor, e.metric, e.column, segment)))
    shown = "no value" if e.value is None else value_text(e.value, e.standard_error)
    return f"{e.severity} {e.partition} {what}: {shown} ({e.reason})"


def _milestones(states: Sequence[Incident]) -> Iterator[tuple[datetime, str]]:
    """The states that differ in more than their last bad day."""
    before: Incident | None = None
    for state in states:
        shown = (state.status, state.severity, state.monitors, state.historical)
        known = before and (before.status, before.severity, before.monitors, before.historical)
        if shown != known:
            told = "" if not state.historical else ", nobody was told"
            monitors = ", ".join(state.monitors)
            yield state.updated_at, f"{state.status} {state.severity} ({monitors}){told}"
        before = state


def _note(note: Note) -> str:
    return f"{note.action} by {note.author}{': ' if note.text else ''}{note.text}"


def as_row(one: Incident) -> dict[str, object]:
    """An incident for JSON."""
    row = asdict(one)
    row["worst"] = [asdict(evaluation) for evaluation in one.worst]
    return row


def as_json(value: object) -> str:
    """JSON with moments as ISO 8601."""
    import json

    return json.dumps(value, indent=1, default=lambda o: o.isoformat(), allow_nan=False)
