"""``dagster-monitoring replay``: what a declaration would have alarmed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from dagster_monitoring.cli.dates import first_slice, last_slice, partition
from dagster_monitoring.cli.printing import inert
from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.incidents import Group
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.replay import Replay, replay

if TYPE_CHECKING:
    from rich.console import Console


@click.command("replay")
@click.argument("model")
@click.option(
    "--from", "first", type=partition, metavar="PARTITION", help="First slice; production's first."
)
@click.option(
    "--to", "last", type=partition, metavar="PARTITION", help="Last slice; the last judged one."
)
@click.option(
    "--monitors",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML with `monitors` (and `alert_policy`) to try instead of the model's.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text is for reading.",
)
@project_options
def command(
    model: str,
    first: str | None,
    last: str | None,
    file: Path | None,
    form: str,
    project: Path,
    module: str | None,
) -> None:
    """Says what MODEL's monitors, or others, would have alarmed on, next to what happened.

    From stored profiles; slices that were not counted are scanned. Nothing is recorded and nobody
    is told. Times that are marked bad, or at which performance was in ERROR, are what should have
    been found; alarms in times that are marked normal are false ones (dagster-monitoring mark).
    """
    declared = load_model(model, project=project, module=module)
    tried = declared if file is None else with_monitors(declared, file)
    keys = declared.partitions
    with open_backend(declared) as backend:
        latest = backend.store.verdicts.latest(model)
        begin = first_slice(keys, first, option="--from") if first else keys.first
        end = last_slice(keys, last, option="--to") if last else latest
        if end is None:
            raise DeclarationError(
                f"{model}: nothing was judged yet, so there is nothing to replay. Name the slices "
                "with --from and --to"
            )
        with _progress(len(keys.between(begin, end)), quiet=form == "json") as done:
            found = replay(backend, tried, first=begin, last=end, now=utc_now(), progress=done)
    if form == "json":
        click.echo(_json(found))
    else:
        _print(found)


def with_monitors(model: MonitoredModel, file: Path) -> MonitoredModel:
    """The model with the monitors of a YAML file, and its alert policy where it has one.

    Raises:
        DeclarationError: the file is no such YAML; names the field and what is allowed.
    """
    try:
        given = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise DeclarationError(f"{file} can't be read as YAML: {error}") from error
    if isinstance(given, list):
        given = {"monitors": given}
    if isinstance(given, dict) and isinstance(given.get("attributes"), dict):
        given = {k: v for k, v in given["attributes"].items() if k in _TRIED}
    if not isinstance(given, dict) or not given or set(given) - set(_TRIED):
        raise DeclarationError(
            f"{file} holds none of {', '.join(_TRIED)}: write monitors: [...] as in the model's "
            "own declaration"
        )
    fields: dict[str, Any] = {name: getattr(model, name) for name in type(model).model_fields}
    return MonitoredModel.read({**fields, **given}, where=f"{file}: ")


_TRIED = ("monitors", "alert_policy")


@contextmanager
def _progress(slices: int, *, quiet: bool) -> Iterator[Any]:
    from rich.progress import Progress

    with Progress(transient=True, disable=quiet) as bar:
        task = bar.add_task("slices", total=slices)
        yield lambda _: bar.advance(task)


def _print(found: Replay) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("cause", "severity", "since", "fired", "last bad", "over", "monitors"):
        table.add_column(name, no_wrap=name != "monitors", overflow="fold")
    for group in found.alarms:
        names = ", ".join(member.monitor for member in group.members)
        cells = (
            group.cause.value, group.severity.value, group.first, group.fired, group.last,
            group.resolved or "", names,
        )  # fmt: skip
        table.add_row(*(inert(cell) for cell in cells))
    if found.alarms:
        console.print(table)
    _summary(console, found)


def _summary(console: Console, found: Replay) -> None:
    live = [i for i in found.happened if not i.historical]
    head = (
        f"{found.first} to {found.last}: {_count(found.alarms, 'alarm')}, "
        f"{found.alarms_a_month:.2g} a month; there were {_count(found.happened, 'incident')} "
        f"({len(live)} told)"
    )
    lines = [head]
    if found.troubles:
        hits = [t.delay for t in found.troubles if t.delay is not None]
        late = f", after {sum(hits) / len(hits):.1f} slices on average" if hits else ""
        lines.append(
            f"{_count(found.troubles, 'time')} something was wrong: {len(hits)} found{late}; "
            f"{found.missed} missed"
        )
        lines += [_trouble(t.first, t.last, t.what, t.alarm) for t in found.troubles]
    if found.false:
        days = ", ".join(group.fired for group in found.false[:5])
        lines.append(f"{_count(found.false, 'alarm')} in times that are marked normal: {days}")
    if found.skipped:
        lines.append(f"left out, for they read raw rows: {', '.join(found.skipped)}")
    for line in lines:
        console.print(inert(line))


def _trouble(first: str, last: str, what: str, alarm: str | None) -> str:
    days = first if first == last else f"{first} to {last}"
    return f"  {days} ({what}): {f'found on {alarm}' if alarm else 'missed'}"


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _json(found: Replay) -> str:
    import json
    from dataclasses import asdict

    def group(one: Group) -> dict[str, object]:
        return {
            "cause": one.cause,
            "severity": one.severity,
            "first": one.first,
            "fired": one.fired,
            "last": one.last,
            "resolved": one.resolved,
            "monitors": [member.monitor for member in one.members],
        }

    whole = {
        "first": found.first,
        "last": found.last,
        "alarms": [group(one) for one in found.alarms],
        "alarms_a_month": found.alarms_a_month,
        "incidents": [
            {"id": i.id, "cause": i.cause, "opened": i.opened_partition, "historical": i.historical}
            for i in found.happened
        ],
        "troubles": [asdict(trouble) for trouble in found.troubles],
        "missed": found.missed,
        "false": [one.fired for one in found.false],
        "skipped": list(found.skipped),
    }
    return json.dumps(whole, indent=1, default=datetime.isoformat)
