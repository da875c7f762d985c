"""``dagster-monitoring models``: the versions of a model, and the way back to an earlier one."""

from __future__ import annotations

from pathlib import Path

import click
import dagster as dg

from dagster_monitoring.cli.printing import inert
from dagster_monitoring.cli.project import (
    load_definitions,
    load_model,
    model_of,
    project_options,
)
from dagster_monitoring.cli.words import NOTE, by_option
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.rollback import roll_back


@click.group("models")
def command() -> None:
    """Lists a model's versions, and rolls back to the one before."""


@command.command("list")
@click.argument("model")
@project_options
def list_(model: str, project: Path, module: str | None) -> None:
    """Shows the versions of MODEL: which serves, since when, from which baseline."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    declared = load_model(model, project=project, module=module)
    with open_backend(declared) as backend:
        serving = backend.registry.champion()
        promoted = {one.version: one for one in backend.registry.history()}
        versions = backend.registry.versions()
    console = Console()
    if not versions:
        console.print("no version is registered: the model is served from elsewhere")
        return
    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("version", "serves", "registered", "promoted", "baseline", "gate"):
        table.add_column(name, overflow="fold")
    for version in versions:
        promotion = promoted.get(version.version)
        serves = serving is not None and serving.version == version.version
        table.add_row(
            inert(version.version),
            "yes" if serves else "",
            f"{version.created_at:%Y-%m-%d %H:%M}",
            f"{promotion.promoted_at:%Y-%m-%d %H:%M}" if promotion else "",
            inert(promotion.baseline_version if promotion else ""),
            inert(version.metadata.get("gate", "")),
        )
    console.print(table)


@command.command("rollback")
@click.argument("model")
@click.option("--why", type=NOTE, required=True, help="Why; kept with the model's open incidents.")
@by_option
@project_options
def rollback(model: str, why: str, by: str, project: Path, module: str | None) -> None:
    """Puts the champion before the present one of MODEL back in service, with its baseline.

    Recorded in the Dagster instance of DAGSTER_HOME. Slices that were judged keep their baseline;
    those to come are judged by the one that is back. Serving has to follow where the model is
    served from elsewhere.
    """
    definitions = load_definitions(project=project, module=module)
    declared = model_of(definitions, model)
    with dg.DagsterInstance.get() as instance:
        done = roll_back(definitions, declared, instance=instance, why=why, by=by, now=utc_now())
    serves = done.version or "the model that was served before the first promotion"
    click.echo(
        f"{done.withdrawn} is out of service; {serves} serves again, and baseline {done.baseline} "
        f"judges from {done.valid_from}"
    )
