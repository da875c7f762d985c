"""``dagster-monitoring prune``: take out of the store what nothing needs any more."""

from __future__ import annotations

from pathlib import Path

import click

from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.pruning import prune


@click.command("prune")
@click.argument("model")
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    default=365,
    show_default=True,
    help="So many days back everything is kept.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@project_options
def command(
    model: str,
    keep_days: int,
    dry_run: bool,  # noqa: FBT001 - click gives options by position
    project: Path,
    module: str | None,
) -> None:
    """Deletes evaluations, profiles and sent messages of MODEL that are older than --keep-days.

    Files that processes were writing when they were killed go after a day.

    Verdicts that were replaced so long ago go too: history --as-of an earlier date then no longer
    shows them. Whatever their age, the slices of open incidents stay, and those that windows,
    rolling baselines and learned limits of kept slices look back on. Baselines, models, labels and
    incidents always stay. It may run beside everything else, and again.
    """
    declared = load_model(model, project=project, module=module)
    with open_backend(declared) as backend:
        done = prune(backend, keep_days=keep_days, now=utc_now(), dry_run=dry_run)
    click.echo(f"{model}: slices from {done.first_kept} on are kept")
    for kind, count in done.rows.items():
        click.echo(f"{count:>12,} {kind}")
    click.echo(f"{done.files:>12,} profiles ({done.bytes:,} bytes)")
    click.echo(
        f"{done.leftovers:>12,} files begun by processes that died ({done.leftover_bytes:,} bytes)"
    )
    click.echo("nothing was deleted (--dry-run)" if dry_run else "deleted")
