"""``dagster-monitoring gx-suite``: the default quality set as a Great Expectations suite."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.orchestration.suites import default_suite


@click.command("gx-suite")
@click.argument("model")
@click.option(
    "--output",
    metavar="FILE",
    default="-",
    show_default="the terminal",
    help="Where to write the suite's JSON; a file that is there is not overwritten.",
)
@project_options
def command(model: str, output: str, project: Path, module: str | None) -> None:
    """Writes what the quality monitor expects of MODEL's slices as an expectation suite.

    It is a start for a suite of one's own, told from the baseline that is in force, or else from
    the declared one. Great Expectations itself is not needed to write it.
    """
    declared = load_model(model, project=project, module=module)
    suite = default_suite(declared)
    if output == "-":
        sys.stdout.write(suite)
        return
    file = Path(output)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(suite)
    except FileExistsError:
        raise DeclarationError(
            f"{file} is there already and is left as it is. Name another file with --output"
        ) from None
    click.echo(
        f"wrote {file}. Run it on every slice with an entry in field monitors: "
        f"{{type: great_expectations, path: {file.absolute()}}}",
        err=True,
    )
