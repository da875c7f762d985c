"""``dagster-monitoring backfill``: judge days of the past."""

from __future__ import annotations

import os
from pathlib import Path

import click
import dagster as dg

from dagster_monitoring.cli.dates import day
from dagster_monitoring.cli.project import load_definitions, model_of, project_options
from dagster_monitoring.orchestration.running import run_range, run_setup


@click.command("backfill")
@click.argument("model")
@click.option(
    "--from", "first", type=day, required=True, metavar="PARTITION", help="First day, YYYY-MM-DD."
)
@click.option(
    "--to", "last", type=day, required=True, metavar="PARTITION", help="Last day, included."
)
@click.option(
    "--days-per-run",
    type=click.IntRange(min=1),
    default=31,
    show_default=True,
    help="Days of one run: what is judged together, and lost together if a run dies.",
)
@project_options
def command(
    model: str, first: str, last: str, days_per_run: int, project: Path, module: str | None
) -> None:
    """Judges the days of MODEL from --from to --to, in range runs.

    Builds the baseline first where there is none. The runs are recorded in the Dagster instance of
    DAGSTER_HOME, and every day's checks stand under its own partition. Days that were judged
    before are judged again; the same verdict changes nothing.
    """
    from rich.progress import Progress

    definitions = load_definitions(project=project, module=module)
    declared = model_of(definitions, model)
    days = declared.partitions.between(first, last)
    if not days:
        raise click.UsageError(f"no day of {model} lies from {first} to {last}")
    with _instance() as instance, Progress() as progress:
        task = progress.add_task(f"{model}: baseline", total=len(days))
        run_setup(definitions, declared, instance=instance)
        progress.update(task, description=f"{model}: {days[0]} to {days[-1]}")
        for start, end in run_range(
            definitions,
            declared,
            first=first,
            last=last,
            instance=instance,
            days_per_run=days_per_run,
        ):
            progress.advance(task, len(declared.partitions.between(start, end)))
    click.echo(
        f"{len(days)} days judged. See them: dagster-monitoring history {model} "
        f"--since {days[0]} --until {days[-1]}"
    )


def _instance() -> dg.DagsterInstance:
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    raise click.UsageError(
        "set DAGSTER_HOME to the folder of your Dagster instance, so that the runs are recorded "
        "where `dg dev` shows them"
    )
