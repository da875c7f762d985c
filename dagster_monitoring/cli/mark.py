"""``dagster-monitoring mark``: what people know about slices of the past."""

from __future__ import annotations

from pathlib import Path

import click

from dagster_monitoring.cli.dates import first_slice, last_slice, partition
from dagster_monitoring.cli.printing import inert
from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.cli.words import NOTE, by_option
from dagster_monitoring.orchestration.clock import utc_now
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

    Limits learn from neither, and a replay is held against them: an alarm in a normal time is a
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
    with open_store(declared.storage.database_url) as store:
        if remove:
            found = store.marks.remove(model, begin, end)
            click.echo("the mark is gone" if found else "no mark has these slices")
            return
        if kind is None:
            raise click.UsageError("say what they are: normal or bad")
        store.marks.add(
            Mark(
                model=model,
                first=begin,
                last=end,
                kind=MarkKind(kind),
                note=note,
                author=by,
                at=utc_now(),
            )
        )
    click.echo(f"{begin} to {end} of {model} is marked {kind}")


def _print(url: str, model: str) -> None:
    from rich.console import Console

    with open_store(url) as store:
        found = store.marks.list(model)
    console = Console(highlight=False)
    for mark in found:
        days = mark.first if mark.first == mark.last else f"{mark.first} to {mark.last}"
        console.print(inert(f"{mark.kind:7} {days}  {mark.author}: {mark.note}"))
    if not found:
        console.print(f"nothing of {model} is marked")
