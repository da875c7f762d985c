"""``dagster-monitoring check``: a declaration held against the real data and services."""

from __future__ import annotations

from pathlib import Path

import click

from dagster_monitoring.cli.project import load_definitions, models_of, project_options
from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.validation import Finding, validate

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red")}


@click.command("check")
@click.argument("model", required=False)
@click.option("--partition", metavar="DAY", help="The slice to look at; by default the newest.")
@project_options
def command(model: str | None, partition: str | None, project: Path, module: str | None) -> None:
    """Holds the declaration of MODEL, or of all models, against the real files and services.

    Prints a line for each finding: ✓ in order, ! it runs but verdicts will show it, ✗ it can't
    run. Ends with exit code 1 if there is any ✗. Nothing is built or judged.
    """
    models = models_of(load_definitions(project=project, module=module))
    if model is not None and model not in models:
        raise UnknownNameError("model", model, models)
    if not models:
        raise click.UsageError("the project declares no model; dagster-monitoring init writes one")
    chosen = [models[model]] if model is not None else list(models.values())
    faults = sum(_check(one, partition) for one in chosen)
    if faults:
        raise click.exceptions.Exit(1)


def _check(model: MonitoredModel, partition: str | None) -> int:
    """Prints a model's findings; gives the number of faults."""
    if partition is not None:
        model.partitions.require(partition)
    findings = validate(model, partition=partition)
    _print(model.model, findings)
    return sum(finding.level == "fault" for finding in findings)


def _print(name: str, findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(name, style="bold underline"))
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        mark, colour = MARKS[finding.level]
        # Text, not str: a value in the data is never read as markup.
        line = Text.assemble((mark, colour), " ", (finding.what.ljust(width), "bold"), "  ")
        line.append(_inert(finding.found))
        if finding.remedy:
            line.append(f" → {_inert(finding.remedy)}", style="dim")
        console.print(line, soft_wrap=True)
    counts = {level: sum(f.level == level for f in findings) for level in MARKS}
    console.print(
        f"{counts['ok']} in order, {counts['warning']} to look at, {counts['fault']} faults"
    )


def _inert(text: str) -> str:
    """One line without control characters, which data may hold."""
    return "".join(c if c.isprintable() else " " for c in text)
