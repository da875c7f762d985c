"""``dagster-monitoring history``: what was evaluated, one row each."""

from __future__ import annotations

import sys
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import click

from dagster_monitoring.cli.dates import first_slice, last_slice, moment, partition
from dagster_monitoring.cli.printing import inert, printable
from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.evaluation import Evaluation, value_text
from dagster_monitoring.orchestration.as_of import evaluate_as_of
from dagster_monitoring.stores import open_store

INTERVAL = ("interval_lower", "interval_upper")
COLUMNS = (*(field.name for field in fields(Evaluation)), *INTERVAL)
TABLE_COLUMNS = (
    "partition", "monitor", "metric", "column", "segment", "value", "lower", "upper", "status",
    "severity", "n", "n_labelled", "reason",
)  # fmt: skip
# Shown where labels matter.
LABEL_COLUMNS = ("coverage", "label_delay_p50_hours", "label_delay_p90_hours")
# Shown where they tell rows apart.
ORIGIN_COLUMNS = ("baseline_version", "declaration_version", "declared")
_FLOATS = ("value", "lower", "upper", "standard_error", *LABEL_COLUMNS, *INTERVAL)
# A terminal takes a millisecond a row, and no one reads more.
_TABLE_ROWS = 1_000
# What spreadsheets take for a formula's beginning, the full-width forms of East Asia too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - meant so
Plain = str | int | float | None
Cell = Plain | datetime


@click.command("history")
@click.argument("model")
@click.option("--monitor", help="Only this monitor.")
@click.option("--column", help="Only this column.")
@click.option(
    "--since",
    type=partition,
    metavar="PARTITION",
    help="First partition, for instance 2013-06-01; of hours and weeks a day will do too.",
)
@click.option("--until", type=partition, metavar="PARTITION", help="Last partition, included.")
@click.option(
    "--as-of",
    type=moment,
    metavar="MOMENT",
    help="What was known then instead of what is known now: 2013-06-01, or 2013-06-01T12:00:00; "
    "UTC unless it names its zone.",
)
@click.option(
    "--labels-as-of",
    type=moment,
    metavar="MOMENT",
    help="Evaluate performance anew with the labels that were available then, also where days were "
    "judged later, as in a backfill. Nothing is stored.",
)
@click.option(
    "--labels-after-days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="The same, with those available so many days after the end of each partition.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "parquet"]),
    default="table",
    show_default=True,
    help="table is for reading, a value ± half of its 95 % confidence interval; the others hold "
    "every field, and the interval.",
)
@click.option(
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Only the last N rows. Unless given, a table has {_TABLE_ROWS:,}, the others have all.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File instead of the terminal.",
)
@project_options
def command(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    model: str,
    monitor: str | None,
    column: str | None,
    since: str | None,
    until: str | None,
    as_of: datetime | None,
    labels_as_of: datetime | None,
    labels_after_days: float | None,
    form: str,
    last: int | None,
    output: Path | None,
    project: Path,
    module: str | None,
) -> None:
    """Shows the evaluations of MODEL: one row a monitor, column, segment and partition."""
    declared = load_model(model, project=project, module=module)
    keys = declared.partitions
    first = first_slice(keys, since, option="--since") if since else None
    final = last_slice(keys, until, option="--until") if until else None
    at_most = _TABLE_ROWS if last is None and form == "table" else last
    # One more tells whether there are more.
    wanted = None if at_most is None else at_most + 1
    labels = _labels(as_of, labels_as_of, labels_after_days)
    if labels is not None:
        anew = evaluate_as_of(declared, labels, monitor=monitor, since=first, until=final)
        found = [e for e in anew if column in {None, e.column}]
    else:
        with open_store(declared.storage.database_url) as store:
            found = store.evaluations.read(
                model,
                monitor=monitor,
                column=column,
                since=first,
                until=final,
                as_of=as_of,
                last=wanted,
            )
    found = _cut(found, at_most)
    if form == "table":
        _print_table(found)
    else:
        _write({"json": _json, "csv": _csv, "parquet": _parquet}[form](found), output, form=form)


def _cut(found: list[Evaluation], at_most: int | None) -> list[Evaluation]:
    """The last rows, and a word on it when there are more."""
    if at_most is None or len(found) <= at_most:
        return found
    click.echo(
        f"the last {at_most:,} rows. Narrow them with --monitor, --column and --since, or ask for "
        "more with --last N or --format csv",
        err=True,
    )
    return found[-at_most:]


def _labels(
    as_of: datetime | None, labels_as_of: datetime | None, after_days: float | None
) -> datetime | timedelta | None:
    """Which labels to evaluate anew with; ``None``: what is stored is shown."""
    if sum(given is not None for given in (as_of, labels_as_of, after_days)) > 1:
        raise click.UsageError(
            "give one of --as-of (what was said then), --labels-as-of and --labels-after-days "
            "(what could have been said with the labels of then)"
        )
    return labels_as_of if after_days is None else timedelta(days=after_days)


def _row(evaluation: Evaluation) -> dict[str, Cell]:
    """Every column; limits are ``lower`` and ``upper``, the value's interval has its own names."""
    row: dict[str, Cell] = {f.name: getattr(evaluation, f.name) for f in fields(Evaluation)}
    return row | dict(zip(INTERVAL, evaluation.interval or (None, None), strict=True))


def _plain(cell: Cell) -> Plain:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def _print_table(found: list[Evaluation]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(
        header_style="bold", row_styles=["", "dim"], box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    names = _shown_columns(found)
    for name in names:
        table.add_column(name, no_wrap=name in ("partition", "monitor", "value", "status"))
    for evaluation in found:
        row = _row(evaluation)
        if evaluation.value is not None:
            row["value"] = value_text(evaluation.value, evaluation.standard_error)
        # Text, not str: a value in the data is never read as markup.
        table.add_row(*(inert(_shown(row[name])) for name in names))
    console = Console()
    console.print(table if found else "no evaluations match")


def _shown_columns(found: list[Evaluation]) -> tuple[str, ...]:
    """The table's columns; with those of the baseline and settings where there are several."""
    labels = [n for n in LABEL_COLUMNS if any(getattr(e, n) is not None for e in found)]
    several = [n for n in ORIGIN_COLUMNS if len({getattr(e, n) for e in found} - {None}) > 1]
    return (*TABLE_COLUMNS[:-1], *labels, *several, TABLE_COLUMNS[-1])


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _json(found: list[Evaluation]) -> bytes:
    import json

    rows = [{name: _plain(cell) for name, cell in _row(e).items()} for e in found]
    return (json.dumps(rows, indent=1, allow_nan=False) + "\n").encode()


def _csv(found: list[Evaluation]) -> bytes:
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_inert(_plain(cell)) for cell in _row(e).values()] for e in found)
    return out.getvalue().encode()


def _inert(cell: Plain) -> Plain:
    """A text that a spreadsheet would run as a formula gets a quote before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _parquet(found: list[Evaluation]) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    instant = pa.timestamp("us", tz="UTC")
    types = {
        **dict.fromkeys(COLUMNS, pa.string()),
        **dict.fromkeys(_FLOATS, pa.float64()),
        **dict.fromkeys(("n", "n_labelled"), pa.int64()),
        **dict.fromkeys(("window_start", "window_end", "evaluated_at"), instant),
    }
    schema = pa.schema([(name, types[name]) for name in COLUMNS])
    out = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([_row(e) for e in found], schema=schema), out, compression="zstd"
    )
    return out.getvalue()


def _write(content: bytes, output: Path | None, *, form: str) -> None:
    if output is None and sys.stdout.isatty() and form == "csv":
        # A file or a pipe gets every character; a terminal would obey some.
        sys.stdout.write(printable(content.decode()).replace("\r", ""))
    elif output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        output.write_bytes(content)
        click.echo(f"wrote {output}")
