"""``dagster-monitoring demo``: a real model through three and a half months, in a minute."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from dagster_monitoring.demo.definitions import DEFAULT_FOLDER


@click.command("demo")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_FOLDER)
def command(folder: Path) -> None:
    """Lays a project out in FOLDER and plays production with it.

    A classifier of late flights serves New York from April to mid July 2013: slices come daily,
    labels late, storms hit in June. Everything runs as it would in service, on real data, without
    server, account or network. With SLACK_TOKEN set, alerts go to Slack's #ml-alerts as well.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from threadpoolctl import threadpool_limits

    from dagster_monitoring.demo.play import Play
    from dagster_monitoring.demo.summary import show

    console = Console()
    play = Play(folder)
    with (
        # Small fits: threads that wait for each other cost more than they bring.
        threadpool_limits(1),
        warnings.catch_warnings(),
        Progress(
            TextColumn("{task.description}", table_column=None),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=console,
        ) as bar,
    ):
        warnings.simplefilter("ignore")
        task = bar.add_task("start", total=play.progress.total)
        for progress in play.run():
            bar.update(task, completed=progress.step, description=progress.words)
        bar.update(task, completed=play.progress.total, description="done")
    show(play.model, play.progress, folder, console)
