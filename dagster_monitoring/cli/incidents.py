"""``dagster-monitoring incidents``: what needs a person, and what people do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from dagster_monitoring.cli.incident_page import as_json, as_row, print_list, print_one
from dagster_monitoring.cli.project import load_definitions, models_of, project_options
from dagster_monitoring.cli.words import NAME, NOTE, by_option
from dagster_monitoring.errors import IncidentError, UnknownNameError
from dagster_monitoring.incidents import (
    Incident,
    Transition,
    acknowledge,
    assign,
    resolve,
    snooze,
)
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.impact_told import impact_of
from dagster_monitoring.orchestration.incidents import act_by_hand
from dagster_monitoring.stores import IncidentStore, Note, open_store

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@click.group("incidents")
def command() -> None:
    """Lists incidents, shows one, and takes what people do about it."""


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
        click.echo(as_json([as_row(incident) for incident in found]))
    else:
        print_list(found, everything=everything)


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
        impact = impact_of(backend, one)
    if form == "json":
        whole = {
            **as_row(one),
            "impact": asdict(impact) if impact else None,
            "notes": [{**asdict(n), "at": n.at.isoformat()} for n in notes],
        }
        click.echo(as_json(whole))
    else:
        print_one(one, states, notes, n_slices=n_slices, impact=impact)


@command.command("ack")
@click.argument("incident")
@by_option
@click.option("--note", "text", type=NOTE, default="", help="What you are going to do.")
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
@by_option
@project_options
def snooze_(incident: str, span: timedelta, by: str, project: Path, module: str | None) -> None:
    """Pages and reminds nobody of INCIDENT for a while.

    Its end is told all the same. If it is still open when the time is over, that is told once.
    """
    now = utc_now()
    with _found(incident, project, module) as (backend, one):
        after = snooze(one, until=now + span, now=now)
        text = f"until {now + span:%Y-%m-%d %H:%M %Z}"
        note = Note(at=now, author=by, action="snooze", text=text)
        act_by_hand(backend, after, note, transition=None)
    click.echo(f"{one.id} sleeps {text}")


@command.command("resolve")
@click.argument("incident")
@click.option("--why", "text", type=NOTE, required=True, help="Why it is over; kept with it.")
@by_option
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
@click.argument("text", type=NOTE)
@click.option("--owner", type=NAME, help="Makes it this person's.")
@by_option
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
