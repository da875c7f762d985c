"""``dagster-monitoring incidents``: what needs a person, and what people do about it."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import click

from dagster_monitoring.cli.printing import inert
from dagster_monitoring.cli.project import load_definitions, models_of, project_options
from dagster_monitoring.errors import IncidentError, UnknownNameError
from dagster_monitoring.evaluation import Evaluation, value_text
from dagster_monitoring.incidents import (
    Incident,
    Transition,
    acknowledge,
    assign,
    resolve,
    snooze,
    span_text,
)
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.incidents import act_by_hand
from dagster_monitoring.stores import IncidentStore, Note, open_store

Function = TypeVar("Function", bound=Callable[..., object])
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_STYLES = {"ERROR": "red", "WARN": "yellow"}


@click.group("incidents")
def command() -> None:
    """Lists incidents, shows one, and takes what people do about it."""


def _by_option(function: Function) -> Function:
    return click.option(
        "--by", default=getpass.getuser, show_default="the user of this computer", help="Who."
    )(function)


def duration(text: str) -> timedelta:
    """A time span as ``30m``, ``4h`` or ``2d``.

    Example:
        >>> duration("4h")
        datetime.timedelta(seconds=14400)
    """
    parts = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if parts is None or int(parts[1]) == 0:
        raise click.BadParameter(f"{text!r} is no time span: write 30m, 4h or 2d")
    return timedelta(**{_UNITS[parts[2]]: int(parts[1])})


@command.command("list")
@click.argument("model", required=False)
@click.option("--all", "everything", is_flag=True, help="Resolved and historical ones too.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
@project_options
def list_(
    model: str | None,
    everything: bool,  # noqa: FBT001 - click gives options by position
    form: str,
    project: Path,
    module: str | None,
) -> None:
    """Shows the open incidents of MODEL, or of all models; worst first."""
    models = _models(project, module)
    if model is not None and model not in models:
        raise UnknownNameError("model", model, models)
    chosen = [models[name] for name in ([model] if model is not None else sorted(models))]
    found = [
        incident
        for one, store in _stores(chosen)
        for incident in (store.list(one.model) if everything else store.open_ones(one.model))
    ]
    if form == "json":
        click.echo(_json([_plain(incident) for incident in found]))
    else:
        _print_list(found, everything=everything)


@command.command("show")
@click.argument("incident")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@project_options
def show(incident: str, form: str, project: Path, module: str | None) -> None:
    """Shows INCIDENT (its id, or the first letters of it): members, values, history."""
    with _found(incident, project, module) as (backend, one):
        states = backend.store.incidents.history(one.id)
        notes = backend.store.incidents.notes(one.id)
        keys = backend.model.partitions
        n_slices = keys.distance(one.opened_partition, one.last_partition) + 1
    if form == "json":
        whole = {**_plain(one), "notes": [{**asdict(n), "at": n.at.isoformat()} for n in notes]}
        click.echo(_json(whole))
    else:
        _print_one(one, states, notes, n_slices=n_slices)


@command.command("ack")
@click.argument("incident")
@_by_option
@click.option("--note", "text", default="", help="What you are going to do.")
@project_options
def ack(incident: str, by: str, text: str, project: Path, module: str | None) -> None:
    """Says that somebody works on INCIDENT, so that it is not escalated."""
    now = utc_now()
    with _found(incident, project, module) as (backend, one):
        after = acknowledge(one, by=by, now=now)
        note = Note(at=now, author=by, action="ack", text=text)
        act_by_hand(backend, after, note, transition=Transition.ACKNOWLEDGED)
    click.echo(f"{one.id} is acknowledged by {by}")


@command.command("snooze")
@click.argument("incident")
@click.option("--for", "span", type=duration, required=True, metavar="SPAN", help="30m, 4h or 2d.")
@_by_option
@project_options
def snooze_(incident: str, span: timedelta, by: str, project: Path, module: str | None) -> None:
    """Pages and reminds nobody of INCIDENT for a while; its end is told all the same."""
    now = utc_now()
    with _found(incident, project, module) as (backend, one):
        after = snooze(one, until=now + span, now=now)
        text = f"until {now + span:%Y-%m-%d %H:%M %Z}"
        note = Note(at=now, author=by, action="snooze", text=text)
        act_by_hand(backend, after, note, transition=None)
    click.echo(f"{one.id} sleeps {text}")


@command.command("resolve")
@click.argument("incident")
@click.option("--why", "text", required=True, help="Why it is over; kept with it.")
@_by_option
@project_options
def resolve_(incident: str, text: str, by: str, project: Path, module: str | None) -> None:
    """Closes INCIDENT; only trouble of partitions that are still to come opens another."""
    now = utc_now()
    with _found(incident, project, module) as (backend, one):
        latest = backend.store.verdicts.latest(one.model) or one.last_partition
        after = resolve(one, latest=latest, now=now)
        note = Note(at=now, author=by, action="resolve", text=text)
        told = None if one.historical else Transition.RESOLVED
        act_by_hand(backend, after, note, transition=told)
    click.echo(f"{one.id} is resolved")


@command.command("note")
@click.argument("incident")
@click.argument("text")
@click.option("--owner", help="Makes it this person's.")
@_by_option
@project_options
def note_(
    incident: str, text: str, owner: str | None, by: str, project: Path, module: str | None
) -> None:
    """Keeps TEXT with INCIDENT."""
    now = utc_now()
    with _found(incident, project, module) as (backend, one):
        after = assign(one, owner=owner, now=now) if owner else one
        note = Note(at=now, author=by, action="note", text=text)
        act_by_hand(backend, after, note, transition=None)
    click.echo(f"noted with {one.id}")


@contextmanager
def _found(beginning: str, project: Path, module: str | None) -> Iterator[tuple[Backend, Incident]]:
    """The incident whose id begins so, with its model's backend open."""
    models = list(_models(project, module).values())
    places = [
        (model, one)
        for model, store in _stores(models)
        for one in store.find(model.model, beginning)
    ]
    exact = [place for place in places if place[1].id == beginning]
    places = exact or places
    if not places:
        raise IncidentError(
            f"no incident's id begins with {beginning!r}. See dagster-monitoring incidents list "
            "--all"
        )
    if len({one.id for _, one in places}) > 1:
        ids = ", ".join(sorted(one.id for _, one in places)[:5])
        raise IncidentError(f"several incidents begin with {beginning!r}: {ids}. Write more of it")
    model, one = places[0]
    with open_backend(model) as backend:
        yield backend, one


def _stores(models: Sequence[MonitoredModel]) -> Iterator[tuple[MonitoredModel, IncidentStore]]:
    """Each model with its incidents; a store that many models share is opened once."""
    urls = dict.fromkeys(model.storage.database_url for model in models)
    with ExitStack() as opened:
        stores = {url: opened.enter_context(open_store(url)).incidents for url in urls}
        for model in models:
            yield model, stores[model.storage.database_url]


def _models(project: Path, module: str | None) -> Mapping[str, MonitoredModel]:
    return models_of(load_definitions(project=project, module=module))


def _print_list(found: Sequence[Incident], *, everything: bool) -> None:
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


def _print_one(
    one: Incident, states: Sequence[Incident], notes: Sequence[Note], *, n_slices: int
) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    style = "green" if not one.is_open else _STYLES[one.severity]
    head = f"{one.id}  {one.status} {one.severity}  {one.model}, {one.cause}"
    console.print(inert(head, style=f"bold {style}"))
    for line in _facts(one, n_slices=n_slices):
        console.print(inert(line))
    console.print()
    console.print(inert("members", style="bold"))
    for member in one.members:
        days = member.first if member.first == member.last else f"{member.first} to {member.last}"
        console.print(inert(f"  {member.severity} {member.monitor}: {days}"))
        if member.detail:
            console.print(inert(f"    {member.detail}"))
    if one.worst:
        console.print()
        console.print(inert("worst", style="bold"))
        for evaluation in one.worst:
            console.print(inert(f"  {_value(evaluation)}"))
    console.print()
    console.print(inert("what happened", style="bold"))
    for at, text in sorted([*_milestones(states), *((n.at, _note(n)) for n in notes)]):
        console.print(inert(f"  {at:%Y-%m-%d %H:%M}  {text}"))


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


def _plain(one: Incident) -> dict[str, object]:
    row = asdict(one)
    row["worst"] = [asdict(evaluation) for evaluation in one.worst]
    return row


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=1, default=lambda o: o.isoformat(), allow_nan=False)
