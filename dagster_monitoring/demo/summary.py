"""What the demo says at its end: days by monitors, the worst, the incidents, what was done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dagster_monitoring.alerts import AlertMessage
from dagster_monitoring.demo.play import Progress
from dagster_monitoring.evaluation import Evaluation, Severity, Status, worst_first
from dagster_monitoring.incidents import Incident, Transition
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
TERMINAL = "console"
TOLD_WHOLE = {Transition.OPENED, Transition.ACKNOWLEDGED, Transition.RESOLVED}
LABEL_WIDTH = 18
WORST_ROWS = 8
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def show(model: MonitoredModel, progress: Progress, folder: Path, console: Console) -> None:
    """Print the summary of a demo."""
    with open_backend(model) as backend:
        evaluations = backend.store.evaluations.read(model.model)
        incidents = backend.store.incidents.list(model.model)
        retrainings = backend.store.retrainings.list(model.model)
        parts: list[RenderableType] = [
            _grid(model, evaluations, days_a_line=max(console.width - LABEL_WIDTH - 6, 30)),
            Text(),
            _worst(evaluations),
            _incidents(incidents, retrainings),
            one_told(backend, incidents),
            _baselines(backend),
            _times(progress),
            _where(model, folder, len(evaluations)),
        ]
    console.print(Group(*parts))


def _grid(
    model: MonitoredModel, evaluations: Sequence[Evaluation], *, days_a_line: int
) -> RenderableType:
    """One line a monitor, one sign a day; as many blocks of lines as the days need."""
    by_place: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    for evaluation in evaluations:
        by_place[evaluation.monitor, evaluation.partition].append(evaluation)
    days = sorted({day for _, day in by_place})
    lines: list[Text] = []
    for start in range(0, len(days), days_a_line):
        some = days[start : start + days_a_line]
        lines.append(Text(" " * LABEL_WIDTH + _ruler(some), "dim"))
        for monitor in model.active_monitors:
            line = Text(f"{monitor.name:<{LABEL_WIDTH}.{LABEL_WIDTH - 1}}")
            for day in some:
                line.append(*SYMBOLS[_sign(by_place[monitor.name, day])])
            lines.append(line)
        lines.append(Text())
    lines.append(
        Text.assemble(*(part for name, sign in SYMBOLS.items() for part in (sign, f" {name}   ")))
    )
    title = f"{model.model}, {days[0]} to {days[-1]}, a sign a day"
    return Panel(Group(*lines), title=title, title_align="left")


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
    out = [" "] * (len(days) + 3)
    for place, day in enumerate(days):
        if place == 0 or day.endswith("-01"):
            out[place : place + 3] = MONTHS[int(day[5:7]) - 1]
    return "".join(out)[: len(days)]


def _worst(evaluations: Sequence[Evaluation]) -> RenderableType:
    table = Table(
        title="Furthest beyond their limits",
        title_justify="left",
        header_style="bold",
        box=None,
        padding=(0, 1),
    )
    for heading, width in (("day", 10), ("monitor", 16), ("what", 24)):
        table.add_column(heading, no_wrap=True, min_width=width)
    for heading in ("value", "limit", "rows"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=6)
    seen: set[tuple[str, str | None, str]] = set()
    for e in worst_first([e for e in evaluations if e.status is Status.TRIGGERED]):
        if (e.monitor, e.column, e.metric) in seen:
            continue
        seen.add((e.monitor, e.column, e.metric))
        colour = "red" if e.severity is Severity.ERROR else "yellow"
        value = Text(_number(e.value), colour)
        table.add_row(e.partition, e.monitor, Text(_what(e)), value, _limit(e), f"{e.n:,}")
        if len(seen) == WORST_ROWS:
            break
    return table


def _incidents(incidents: Sequence[Incident], retrainings: Sequence[Retraining]) -> RenderableType:
    """What was opened, who was told, and what was done about it."""
    lines: list[RenderableType] = [Text("\nIncidents", "italic")]
    for incident in sorted(incidents, key=lambda i: i.opened_partition):
        over = f"resolved {incident.resolved_partition}" if incident.resolved_partition else "open"
        told = "in the backfill, nobody told" if incident.historical else "alerted"
        lines.append(
            Text.assemble(
                f"  {incident.opened_partition} to {incident.last_partition}  ",
                (
                    incident.severity,
                    "bold red" if incident.severity is Severity.ERROR else "yellow",
                ),
                f"  {', '.join(incident.monitors)}: {told}, {over}",
            )
        )
        lines += [_retraining(one) for one in retrainings if one.incident_id == incident.id]
    return Group(*lines)


def one_told(backend: Backend, incidents: Sequence[Incident]) -> RenderableType:
    """The messages about one incident that is over, the one that was told of most."""
    lives = [
        [AlertMessage.from_json(e.payload) for e in backend.store.outbox.of_incident(one.id)
         if e.channel == TERMINAL]
        for one in sorted(incidents, key=lambda i: i.opened_partition)
        if not one.is_open
    ]  # fmt: skip
    life = max(lives, key=len, default=[])
    if not life:
        return Group()
    heading = (
        f"\nOne of them as it was told: dagster-monitoring incidents show {life[0].incident_id}"
    )
    lines: list[RenderableType] = [Text(heading, "italic")]
    for message in life:
        lines.append(Text(f"  {message.updated_at:%Y-%m-%d %H:%M}  {message.title}"))
        if message.transition in TOLD_WHOLE:
            lines.append(Padding(Text(message.summary, "dim"), (0, 0, 0, 20)))
    return Group(*lines)


def _retraining(one: Retraining) -> RenderableType:
    style = "bold green" if one.outcome == "PROMOTED" else "bold"
    name = one.challenger_version or "challenger"
    text = Text.assemble(f"→ {name} trained: ", (one.outcome, style), f", {one.reason}")
    return Padding(text, (0, 0, 0, 4))


def _baselines(backend: Backend) -> RenderableType:
    lines = [Text("\nBaselines", "italic")]
    lines += [
        Text(f"  {b.version} of model {b.model_version} judges from {b.valid_from}")
        for b in backend.store.baselines.list(backend.model.model)
    ]
    return Group(*lines)


def _what(e: Evaluation) -> str:
    what = f"{e.column} {e.metric}" if e.column else e.metric
    return f"{what} [{e.segment}]" if e.segment else what


def _limit(e: Evaluation) -> str:
    above = e.upper is not None and e.value is not None and e.value > e.upper
    return _number(e.upper if above else e.lower)


def _times(progress: Progress) -> RenderableType:
    total = sum(progress.seconds.values())
    parts = ", ".join(f"{what} {seconds:.0f} s" for what, seconds in progress.seconds.items())
    return Text(f"\nTime: {total:.0f} s: {parts}\n", "dim")


def _where(model: MonitoredModel, folder: Path, count: int) -> RenderableType:
    name = model.model
    return Panel(
        Text(
            f"{count:,} evaluations: {folder}/monitoring/store.sqlite\n"
            f"alerts as they were sent: {folder}/monitoring/alerts.jsonl\n\n"
            f"  cd {folder}\n"
            f"  dagster-monitoring history {name} --monitor performance --since 2013-06-10\n"
            f"  dg dev    # lineage, checks by partition, sensors, runs: http://127.0.0.1:3000"
        ),
        title="What next",
        title_align="left",
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
