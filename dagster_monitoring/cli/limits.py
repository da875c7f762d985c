"""``dagster-monitoring limits``: what values are held to, and how that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from dagster_monitoring.cli.dates import last_slice, partition
from dagster_monitoring.cli.printing import inert
from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.limits import (
    LimitChange,
    LimitsAt,
    Pair,
    changes_between,
    limits_at,
)


@click.command("limits")
@click.argument("model")
@click.option("--monitor", help="Only of this monitor.")
@click.option(
    "--at", "at", type=partition, metavar="PARTITION", help="The slice; the last judged one."
)
@click.option(
    "--diff",
    "since",
    type=partition,
    metavar="PARTITION",
    help="Show only what changed since this slice.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="table is for reading.",
)
@project_options
def command(
    model: str,
    monitor: str | None,
    at: str | None,
    since: str | None,
    form: str,
    project: Path,
    module: str | None,
) -> None:
    """Shows the WARN and ERROR limits of MODEL in force at a slice, or what changed of them.

    Limits that are learned move on by themselves, slice by slice; `pin` in a learned threshold
    keeps those of a slice.
    """
    declared = load_model(model, project=project, module=module)
    keys = declared.partitions
    with open_backend(declared) as backend:
        latest = backend.store.verdicts.latest(model)
        here = last_slice(keys, at, option="--at") if at else latest
        if here is None:
            raise DeclarationError(f"{model}: nothing was judged yet. Name a slice with --at")
        now = utc_now()
        found = limits_at(backend, here, monitor=monitor, now=now)
        changes = None
        if since is not None:
            then = last_slice(keys, since, option="--diff")
            earlier = limits_at(backend, then, monitor=monitor, now=now)
            changes = changes_between(earlier, found)
    if form == "json":
        click.echo(_json(found if changes is None else changes))
    elif changes is None:
        _print(found)
    else:
        _print_changes(changes)


def _print(found: Sequence[LimitsAt]) -> None:
    rows = [
        (*_subject(one), f"{one.value:.4g}", _pair(one.warn), one.reason or _pair(one.error))
        for one in found
    ]
    _table(("monitor", "metric", "column", "segment", "value", "WARN", "ERROR"), rows)


def _print_changes(changes: Sequence[LimitChange]) -> None:
    rows = []
    for change in changes:
        one = change.after or change.before
        assert one is not None  # noqa: S101 - a change has a side
        rows.append((*_subject(one), _both(change, "warn"), _both(change, "error")))
    _table(("monitor", "metric", "column", "segment", "WARN", "ERROR"), rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(inert(cell) for cell in row))
    console.print(table if rows else "no limits are others")


def _subject(one: LimitsAt) -> tuple[str, str, str, str]:
    return (one.monitor, one.metric, one.column or "", one.segment or "")


def _both(change: LimitChange, level: str) -> str:
    sides = [
        "not judged" if side is None else _pair(getattr(side, level))
        for side in (change.before, change.after)
    ]
    return sides[0] if sides[0] == sides[1] else " → ".join(sides)


def _pair(limits: Pair) -> str:
    lower, upper = limits
    parts = [f"< {lower:.4g}" if lower is not None else "", f"> {upper:.4g}" if upper else ""]
    if upper is not None and not upper:
        parts[1] = "> 0"
    return " or ".join(part for part in parts if part)


def _json(found: Sequence[LimitsAt] | Sequence[LimitChange]) -> str:
    import json

    return json.dumps([asdict(one) for one in found], indent=1, allow_nan=False)
