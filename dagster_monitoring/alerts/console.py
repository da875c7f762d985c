"""Alerts on the console: a panel for people who watch a terminal or read a run's output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._digest import digest_sections
from dagster_monitoring.alerts._plain import digest_text, plot_text, row_value
from dagster_monitoring.alerts._remarks import remarks
from dagster_monitoring.alerts._text import one_line
from dagster_monitoring.alerts.message import AlertMessage, AlertRow
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

# Captured output has no width of its own; this fits Dagster's log view and a README.
_WIDTH_OF_A_FILE = 100
_STYLE = {Severity.ERROR: "red", Severity.WARN: "yellow"}
_CALM = {Transition.RESOLVED: "green", Transition.UPDATED: "cyan", Transition.DIGEST: "cyan"}


class ConsoleChannel(Channel):
    """Writes to the process's output; colours only where it is a terminal."""

    type: Literal["console"] = "console"
    stream: Literal["stdout", "stderr"] = Field("stdout", description="stdout or stderr.")
    updates_quietly: ClassVar[bool] = True

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - it knows no threads
        """Print the message as a panel.

        Raises:
            DeliveryError: the stream is closed, or its reader went away.
        """
        from rich.console import Console

        stream = sys.stderr if self.stream == "stderr" else sys.stdout
        try:
            width = None if stream.isatty() else _WIDTH_OF_A_FILE
            console = Console(file=stream, width=width, highlight=False)
            with console.capture() as captured:
                console.print(_panel(message))
            stream.write(_encodable(captured.get(), stream.encoding))
            stream.flush()
        except (OSError, ValueError) as error:
            raise ChannelError(
                self.name,
                f"{self.stream} can't be written ({type(error).__name__})",
                next_step="Check where the process's output goes.",
            ) from None


def _encodable(text: str, encoding: str | None) -> str:
    """A value's foreign letters must not keep an alert from a terminal without them."""
    return text.encode(encoding or "utf-8", "replace").decode(encoding or "utf-8")


def _panel(message: AlertMessage) -> RenderableType:
    from rich.console import Group
    from rich.panel import Panel

    style = _CALM.get(message.transition, _STYLE[message.severity])
    parts: list[RenderableType] = [_text(message.summary, 400)]
    parts += [_text(f"! {line}", 400, style) for line in message.details]
    parts += [_text(f"~ {line}", 400) for line in message.changes]
    parts += [_text(f"{name}: {text}", 400) for name, text in remarks(message)]
    if message.rows:
        parts += [_text(""), _table(message)]
    parts += [_text(""), _text(plot_text(message.plot), 400, "dim")] if message.plot else []
    parts += _digest(message)
    parts += [_text(""), *_facts(message)]
    return Panel(
        Group(*parts),
        title=_text(message.title, 150, f"bold {style}"),
        title_align="left",
        subtitle=_text(f"{message.transition} {message.incident_id}", 80, "dim"),
        subtitle_align="right",
        border_style=style,
        padding=(0, 1),
    )


def _digest(message: AlertMessage) -> list[Text]:
    if message.digest is None:
        return []
    found: list[Text] = []
    for heading, lines in digest_sections(message.digest, now=message.updated_at):
        found += [_text(""), _text(heading, style="bold")]
        styles = [_STYLE[line.severity] if line.severity else "" for line in lines]
        told = [digest_text(line) for line in lines]
        found += [_text(text, 400, style) for text, style in zip(told, styles, strict=True)]
    return found


def _table(message: AlertMessage) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD, show_edge=False, expand=True, pad_edge=False, header_style="bold"
    )
    table.add_column("", width=5, no_wrap=True)
    table.add_column("monitor", overflow="fold")
    table.add_column("metric", overflow="fold")
    table.add_column("column", overflow="fold")
    table.add_column("value vs limit", overflow="fold")
    table.add_column("n", justify="right", no_wrap=True)
    for row in message.rows:
        table.add_row(*_cells(row))
    if message.n_more:
        table.add_row("", _text(f"and {message.n_more} more", style="dim"), "", "", "", "")
    return table


def _cells(row: AlertRow) -> list[Text]:
    style = _STYLE[row.severity] if row.severity else ""
    return [
        _text(row.severity or "", style=f"bold {style}".strip()),
        _text(row.monitor),
        _text(row.metric),
        _text(row.subject or "-"),
        _text(row_value(row), 200, style),
        _text(f"{row.n:,}"),
    ]


def _facts(message: AlertMessage) -> list[Text]:
    versions = (
        f"baseline {message.baseline_version or 'unknown'}, "
        f"model {message.model_version or 'unknown'}"
    )
    facts = [_text(versions, 300, "dim")] if message.rows else []
    if message.owner:
        facts.append(_text(f"owner {message.owner}", 300, "dim"))
    if message.run_url:
        facts.append(_text(f"run {message.run_url}", 500, "dim"))
    if message.asset_url:
        facts.append(_text(f"asset {message.asset_url}", 500, "dim"))
    return [*facts, _text(message.next_step, 500, "bold")]


def _text(content: str, limit: int = 80, style: str = "") -> Text:
    """Text objects hold no markup, so a value's brackets stay what they are."""
    from rich.text import Text

    return Text(one_line(content, limit), style=style)
