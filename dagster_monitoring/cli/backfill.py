"""``dagster-monitoring backfill``: judge slices of the past."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import click
import dagster as dg

from dagster_monitoring.cli.dates import first_slice, last_slice, partition
from dagster_monitoring.cli.project import load_definitions, model_of, project_options
from dagster_monitoring.orchestration.running import run_range, run_setup


@click.command("backfill")
@click.argument("model")
@click.option(
    "--from",
    "first",
    type=partition,
    required=True,
    metavar="PARTITION",
    help="First slice, YYYY-MM-DD or YYYY-MM-DD-HH:00; of hours and weeks a day will do too.",
)
@click.option(
    "--to",
    "last",
    type=partition,
    required=True,
    metavar="PARTITION",
    help="Last slice, included.",
)
@click.option(
    "--slices-per-run",
    type=click.IntRange(min=1),
    show_default="those of 31 days",
    help="Slices of one run: what is judged together, and lost together if a run dies.",
)
@click.option(
    "--as-declared-now",
    "declared_by",
    flag_value="now",
    help="Judge by today's monitors and the newest baseline, and stay with them; the evaluations "
    "say so.",
)
@click.option(
    "--as-declared-then",
    "declared_by",
    flag_value="then",
    help="Judge by the monitors and the baseline in force at each slice again.",
)
@project_options
def command(
    model: str,
    first: str,
    last: str,
    slices_per_run: int | None,
    declared_by: Literal["now", "then"] | None,
    project: Path,
    module: str | None,
) -> None:
    """Judges the slices of MODEL from --from to --to, in range runs.

    Builds the baseline first where there is none. The runs are recorded in the Dagster instance of
    DAGSTER_HOME, and every slice's checks stand under its own partition. Those that were judged
    before are judged again; the same verdict changes nothing. Each slice is judged by the monitors
    and the baseline in force at it, unless today's are chosen.
    """
    from rich.progress import Progress

    definitions = load_definitions(project=project, module=module)
    declared = model_of(definitions, model)
    keys, every = declared.partitions, declared.partitions.every
    first, last = first_slice(keys, first, option="--from"), last_slice(keys, last, option="--to")
    found = keys.between(first, last)
    if not found:
        raise click.UsageError(f"no {every} of {model} lies from {first} to {last}")
    with _instance() as instance, Progress() as progress:
        task = progress.add_task(f"{model}: baseline", total=len(found))
        run_setup(definitions, declared, instance=instance)
        progress.update(task, description=f"{model}: {found[0]} to {found[-1]}")
        for start, end in run_range(
            definitions,
            declared,
            first=first,
            last=last,
            instance=instance,
            slices_per_run=slices_per_run or keys.slices_of(31),
            declared=declared_by,
        ):
            progress.advance(task, keys.distance(start, end) + 1)
    click.echo(
        f"{len(found)} {every}s judged. See them: dagster-monitoring history {model} "
        f"--since {found[0]} --until {found[-1]}"
    )


def _instance() -> dg.DagsterInstance:
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    raise click.UsageError(
        "set DAGSTER_HOME to the folder of your Dagster instance, so that the runs are recorded "
        "where `dg dev` shows them"
    )
