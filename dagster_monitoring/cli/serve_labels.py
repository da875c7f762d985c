"""``dagster-monitoring serve-labels``: takes labels over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from dagster_monitoring.cli.project import load_definitions, models_of, project_options
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.orchestration.label_service import build_label_service

TOKEN_VARIABLE = "DAGSTER_MONITORING_LABELS_TOKEN"  # noqa: S105 - a variable's name


@click.command("serve-labels")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8765,
    show_default=True,
    help="Port to listen on.",
)
@project_options
def command(host: str, port: int, project: Path, module: str | None) -> None:
    """Takes labels over HTTP for all models of the project.

    Callers send POST /models/MODEL/labels with the header "Authorization: Bearer TOKEN", where
    TOKEN is what the environment variable DAGSTER_MONITORING_LABELS_TOKEN holds here. Put TLS
    before it where others could listen.
    """
    import uvicorn

    token = EnvironmentVariable(env=TOKEN_VARIABLE).read()
    models = models_of(load_definitions(project=project, module=module))
    service = build_label_service(models, token=token)
    click.echo(f"taking labels of {', '.join(sorted(models))} on http://{host}:{port}")
    uvicorn.run(service, host=host, port=port, log_level="warning")
