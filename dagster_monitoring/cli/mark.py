"""``dagster-monitoring mark``: what people know about slices of the past."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from dagster_monitoring.cli.dates import first_slice, last_slice, partition
from dagster_monitoring.cli.printing import inert
from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.cli.words import NOTE, by_option
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.marks import mark, unmark
from dagster_monitoring.stores import Mark, MarkKind, open_store


@click.command("mark")
@click.argument("model")
@click.argument("kind", required=False, type=click.Choice([k.value for k in MarkKind]))
@click.option("--from", "first", type=partition, metavar="PARTITION", help="First slice.")
@click.option(
    "--to",
    "last",
    type=partition,
    metavar="PARTITION",
    help="Last slice, included; the first one when left out.",
)
@click.option("--note", type=NOTE, default="", help="Why.")
@by_option
@click.option("--remove", is_flag=True, help="Take the mark of these slices away.")
@project_options
def command(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    model: str,
    kind: str | None,
    first: str | None,
    last: str | None,
    note: str,
    by: str,
    remove: bool,  # noqa: FBT001 - click gives options by position
    project: Path,
    module: str | None,
) -> None:
    """Marks slices of MODEL as KIND (normal, whatever the monitors said, or bad), or lists marks.

    Limits learn from neither: slices that were judged with limits learned from these are judged
    again, and it says how many. A replay is held against marks: an alarm in a normal time is a
    false one, a bad time without an alarm was missed.
    """
    declared = load_model(model, project=project, module=module)
    if first is None:
        if kind is not None or remove:
            raise click.UsageError("name the slices: --from 2024-05-01, and --to for several")
        _print(declared.storage.database_url, model)
        return
    keys = declared.partitions
    begin = first_slice(keys, first, option="--from")
    end = last_slice(keys, last or first, option="--to")
    if end < begin:
        raise click.UsageError(f"--to ({end}) lies before --from ({begin})")
    if not remove and kind is None:
        raise click.UsageError("say what they are: normal or bad")
    now, said = utc_now(), "no mark has these slices"
    with open_backend(declared) as backend:
        if kind is None or remove:
            outdated = unmark(backend, begin, end, now=now)
            said = said if outdated is None else "the mark is gone"
        else:
            one = Mark(
                model=model,
                first=begin,
                last=end,
                kind=MarkKind(kind),
                note=note,
                author=by,
                at=now,
            )
            outdated = mark(backend, one, now=now)
            said = f"{begin} to {end} of {model} is marked {kind}"
    click.echo(said if outdated is None else f"{said}\n{_what_next(declared, outdated)}")


def _what_next(model: MonitoredModel, outdated: Sequence[str]) -> str:
    """How many verdicts are others by it, and how they are made anew."""
    if not outdated:
        return "No judged slice looks back on it."
    slices = f"{len(outdated)} judged slice{'s' if len(outdated) > 1 else ''}"
    return (
        f"{slices} from {outdated[0]} to {outdated[-1]} look back on it, and are outdated. The "
        f"sensors have them judged again where Dagster's daemon runs; else: dagster-monitoring "
        f"backfill {model.model} --from {outdated[0]} --to {outdated[-1]}"
    )


def _print(url: str, model: str) -> None:
    from rich.console import Console

    with open_store(url) as store:
        found = store.marks.list(model)
    console = Console(highlight=False)
    for one in found:
        days = one.first if one.first == one.last else f"{one.first} to {one.last}"
        console.print(inert(f"{one.kind:7} {days}  {one.author}: {one.note}"))
    if not found:
        console.print(f"nothing of {model} is marked")
