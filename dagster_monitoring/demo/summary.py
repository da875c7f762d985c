"""What the demo says at its end: days by monitors, the worst, the incidents, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dagster_monitoring.alerts import worst_first
from dagster_monitoring.demo.play import Progress
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incident import Incident
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors import overall
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.stores import Retraining

SYMBOLS = {
    "HEALTHY": ("·", "green"),
    "WARN": ("▲", "yellow"),
    "ERROR": ("■", "bold red"),
    "NO_DATA": ("-", "dim"),
}
LAST_DAYS = 105


def show(model: MonitoredModel, progress: Progress, folder: Path, console: Console) -> None:
    """Print the summary of a demo."""
    with open_backend(model) as backend:
        evaluations = backend.store.evaluations.read(model.model)
        parts: list[RenderableType] = [
            _grid(model, evaluations),
            _worst(evaluations),
            _incidents(backend.store.incidents.list(model.model)),
            _retrainings(backend.store.retrainings.list(model.model), backend),
            _times(progress),
            _where(model, folder, len(evaluations)),
        ]
    console.print(Group(*parts))


def _grid(model: MonitoredModel, evaluations: Sequence[Evaluation]) -> RenderableType:
    """One line a monitor, one sign a day."""
    days = sorted({e.partition for e in evaluations})[-LAST_DAYS:]
    table = Table.grid(padding=(0, 1))
    table.add_row(Text("monitor", "bold"), Text(_ruler(days), "dim"))
    for monitor in model.active_monitors:
        line = Text()
        for day in days:
            rows = [e for e in evaluations if e.partition == day and e.monitor == monitor.name]
            line.append(*SYMBOLS[_sign(rows)])
        table.add_row(monitor.name, line)
    legend = Text.assemble(
        *(part for name, sign in SYMBOLS.items() for part in (sign, f" {name}   "))
    )
    return Panel(
        Group(table, Text(), legend),
        title=f"{model.model}: {days[0]} to {days[-1]}, a sign a day",
        title_align="left",
    )


def _sign(rows: Sequence[Evaluation]) -> str:
    if not rows:
        return "NO_DATA"
    verdict = overall(rows)
    if verdict.severity is Severity.ERROR:
        return "ERROR"
    if verdict.severity is Severity.WARN:
        return "WARN"
    return "HEALTHY" if verdict.status is Status.HEALTHY else "NO_DATA"


def _ruler(days: Sequence[str]) -> str:
    """Each month's first three letters where it begins."""
    names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    out = [" "] * (len(days) + 3)
    for place, day in enumerate(days):
        if place == 0 or day.endswith("-01"):
            out[place : place + 3] = names[int(day[5:7]) - 1]
    return "".join(out).rstrip()


def _worst(evaluations: Sequence[Evaluation]) -> RenderableType:
    table = Table(title="Furthest beyond their limits", title_justify="left", header_style="bold")
    for heading in ("day", "monitor", "what", "value", "limit", "rows"):
        table.add_column(heading, justify="right" if heading in ("value", "limit", "rows") else "left")
    bad = [e for e in evaluations if e.status is Status.TRIGGERED]
    seen: set[tuple[str, str | None, str]] = set()
    for e in worst_first(bad):
        if (e.monitor, e.column, e.metric) in seen:
            continue
        seen.add((e.monitor, e.column, e.metric))
        what = f"{e.column} {e.metric}" if e.column else e.metric
        what += f" [{e.segment}]" if e.segment else ""
        limit = e.upper if e.upper is not None and (e.value or 0) > e.upper else e.lower
        colour = "red" if e.severity is Severity.ERROR else "yellow"
        table.add_row(
            e.partition, e.monitor, Text(what), Text(_number(e.value), colour), _number(limit),
            str(e.n),
        )  # fmt: skip
        if len(seen) == 8:
            break
    return table


def _incidents(incidents: Sequence[Incident]) -> RenderableType:
    table = Table(title="Incidents", title_justify="left", header_style="bold")
    for heading in ("incident", "status", "severity", "from", "last bad day", "monitors", "told"):
        table.add_column(heading)
    for incident in reversed(incidents):
        table.add_row(
            incident.id,
            incident.status,
            incident.severity,
            incident.opened_partition,
            incident.last_partition,
            ", ".join(incident.monitors),
            "nobody: found in a backfill" if incident.historical else "yes",
        )
    return table


def _retrainings(retrainings: Sequence[Retraining], backend: Backend) -> RenderableType:
    lines = [Text("Retraining", "italic")]
    for one in reversed(retrainings):
        lines.append(
            Text.assemble(
                f"  {one.partition}  {one.challenger_version or ''} ",
                (one.outcome, "bold green" if one.outcome == "PROMOTED" else "bold"),
                f": {one.reason}",
            )
        )
    lines += [
        Text(f"  baseline {b.version} (model {b.model_version}) judges from {b.valid_from}")
        for b in backend.store.baselines.list(backend.model.model)
    ]
    return Group(*lines)


def _times(progress: Progress) -> RenderableType:
    total = sum(progress.seconds.values())
    parts = ", ".join(f"{what} {seconds:.0f} s" for what, seconds in progress.seconds.items())
    return Text(f"\nTime: {total:.0f} s ({parts})", "dim")


def _where(model: MonitoredModel, folder: Path, count: int) -> RenderableType:
    name = model.model
    return Panel(
        Text(
            f"{count} evaluations are in {model.storage.path}/store.sqlite\n"
            f"alerts as sent are in {folder}/monitoring/alerts.jsonl\n\n"
            f"  cd {folder}\n"
            f"  dagster-monitoring history {name} --monitor performance --since 2013-06-10\n"
            f"  dg dev            # lineage, checks by partition, sensors, schedule, runs: "
            f"http://127.0.0.1:3000\n"
        ),
        title="What next",
        title_align="left",
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
