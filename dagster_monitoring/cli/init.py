"""``dagster-monitoring init``: a first declaration, told from the baseline."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import yaml

from dagster_monitoring.drafting.choices import Choices, Note, TaskType
from dagster_monitoring.drafting.draft import Draft, draft
from dagster_monitoring.drafting.facts import gather_facts
from dagster_monitoring.drafting.places import (
    default_output,
    find_labels,
    find_slices,
    model_name,
    project_root,
    relative_path,
)
from dagster_monitoring.drafting.text import Paths, declaration_text
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.sources import ParquetSource, Request

TASKS = ("binary_classification", "multiclass_classification", "regression")


@click.command("init")
@click.argument("path_to_baseline")
@click.option("--model", help="The model's name; by default the baseline's folder or the label.")
@click.option("--task", type=click.Choice(TASKS), help="What is predicted.")
@click.option("--label", metavar="COLUMN", help="Column of the true class or value.")
@click.option("--prediction", metavar="COLUMN", help="Column of the predicted class or value.")
@click.option("--score", metavar="COLUMN", help="Column of the positive class's probability.")
@click.option("--id", "id_column", metavar="COLUMN", help="Column that identifies a prediction.")
@click.option("--timestamp", metavar="COLUMN", help="Column of the prediction's moment.")
@click.option("--timezone", metavar="ZONE", help="Zone of the days, as America/New_York.")
@click.option(
    "--output",
    metavar="FILE",
    help="Where to write, - for the terminal. Default: where the dg project around the current "
    "folder finds it, else defs.yaml.",
)
def command(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    path_to_baseline: str,
    model: str | None,
    task: TaskType | None,
    label: str | None,
    prediction: str | None,
    score: str | None,
    id_column: str | None,
    timestamp: str | None,
    timezone: str | None,
    output: str | None,
) -> None:
    """Writes a first declaration of a model, told from the rows of PATH_TO_BASELINE.

    PATH_TO_BASELINE is a Parquet file, a folder or glob of them, or any fsspec URL: rows of known
    good, with features, out-of-sample predictions and labels. What the rows do not tell for sure
    is said in the file's comments and here; options overrule it.
    """
    baseline = _files(path_to_baseline)
    choices = Choices(
        model=model,
        task=task,
        label=label,
        prediction=prediction,
        score=score,
        id=id_column,
        timestamp=timestamp,
        timezone=timezone,
    )
    facts = gather_facts(ParquetSource(path=baseline).batches(Request()))
    found = draft(facts, choices)
    name = model or model_name(baseline, found.task.label)
    written = _write(found, name=name, baseline=baseline, output=output)
    _report(found, name=name, rows=facts.rows, written=written)


def _files(path: str) -> str:
    """A folder means the Parquet files in it."""
    return f"{path.rstrip('/')}/*.parquet" if Path(path).is_dir() else path


def _write(found: Draft, *, name: str, baseline: str, output: str | None) -> Path | None:
    """Where it was written; ``None`` for the terminal."""
    root = project_root(Path())
    paths = Paths(
        baseline=relative_path(baseline, root=root),
        slices=find_slices(baseline, root=root),
        labels=find_labels(baseline, root=root),
    )
    text = declaration_text(found, model=name, paths=paths)
    MonitoredModel.read(yaml.safe_load(text)["attributes"])
    if output == "-":
        sys.stdout.write(text)
        return None
    file = Path(output) if output else default_output(root, name)
    _write_new(file, text)
    return file


def _write_new(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise DeclarationError(
            f"{file} is there already and is left as it is. Name another file with --output, or "
            f"- to see the declaration here"
        ) from None


def _report(found: Draft, *, name: str, rows: int, written: Path | None) -> None:
    """What was told, on the error stream: the output may be the declaration itself."""
    columns, task = found.columns, found.task
    click.echo(
        f"{name}: {task.type}, label {task.label}, prediction {task.prediction}; "
        f"{len(columns.numeric)} numeric and {len(columns.categorical)} categorical features "
        f"from {rows:,} rows; production from {found.partitions.start}",
        err=True,
    )
    for column, reason in found.left_out.items():
        click.echo(f"  left out: {_inert(column)}: {reason}", err=True)
    for note in found.notes:
        click.secho(f"  ! {_line(note)}", fg="yellow", err=True)
    if written is not None:
        click.echo(f"wrote {written}. Next: dagster-monitoring check {name}", err=True)


def _line(note: Note) -> str:
    return f"{note.field}: {_inert(note.text)}"


def _inert(text: str) -> str:
    """No control characters of the data reach the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
