"""A message as plain text, for receivers that know no layout."""

from __future__ import annotations

from dagster_monitoring.alerts._digest import DigestLine, digest_sections
from dagster_monitoring.alerts._remarks import remarks
from dagster_monitoring.alerts._text import one_line, safe_address, sparkline
from dagster_monitoring.alerts.message import AlertMessage, AlertPlot, AlertRow

_LINE = 400


def plain_lines(message: AlertMessage) -> list[str]:
    """What a person needs, a line each, without the title; every value on its own line and cut."""
    lines = [message.summary, *(f"! {line}" for line in message.details)]
    lines += [f"~ {line}" for line in message.changes]
    lines += [f"{name}: {text}" for name, text in remarks(message)]
    lines += [f"- {row_text(row)}" for row in message.rows]
    lines += [f"and {message.n_more} more"] if message.n_more else []
    lines += [plot_text(message.plot)] if message.plot else []
    if message.digest is not None:
        for heading, found in digest_sections(message.digest, now=message.updated_at):
            lines += [f"{heading}:"]
            lines += [f"- {digest_text(line)}" for line in found]
    else:
        lines += [f"{name}: {value}" for name, value in facts(message)]
    lines += [f"{name}: {url}" for name, url in links(message)]
    lines += [message.next_step, f"{message.transition} {message.incident_id}"]
    return [one_line(line, _LINE if "http" not in line else 2 * _LINE) for line in lines]


def plain_text(message: AlertMessage, *, limit: int = 15_000) -> str:
    """The lines as one text of at most ``limit`` characters."""
    text = "\n".join(plain_lines(message))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def digest_text(line: DigestLine) -> str:
    """A digest's line, such as ``ERROR inc-1: model, since 2013-06-11 …``."""
    named = " ".join(part for part in (line.severity, line.mark) if part)
    return f"{one_line(named, 120)}: {line.text}" if named else line.text


def row_text(row: AlertRow) -> str:
    """A row on one line, such as ``ERROR drift psi temp: 0.31 > 0.2``."""
    named = " ".join(p for p in (row.severity, row.monitor, row.metric, row.subject) if p)
    return f"{one_line(named, 180)}: {row_value(row)}"


def row_value(row: AlertRow) -> str:
    """Value against limit, and what more there is to it where that may be told."""
    more = row.reason.partition("; ")[2] if row.reason and row.value is not None else ""
    return one_line(f"{row.comparison} ({more})" if more else row.comparison, 200)


def plot_text(plot: AlertPlot) -> str:
    """A plot as bars of text with its caption."""
    return f"{sparkline(plot.values)} {one_line(plot.caption, 250)}"


def facts(message: AlertMessage) -> list[tuple[str, str]]:
    """Names and values of what it is about, one line each."""
    found = [
        ("Model", message.model),
        ("Partition", message.partition),
        ("Severity", message.severity),
        ("Cause", message.cause),
        ("Baseline", message.baseline_version or "unknown"),
        ("Model version", message.model_version or "unknown"),
        ("Owner", message.owner or ""),
    ]
    return [(name, one_line(str(value), 200)) for name, value in found if value]


def links(message: AlertMessage) -> list[tuple[str, str]]:
    """Names and addresses of what can be opened; nothing in an address ends a link."""
    found = [("Run", message.run_url), ("Asset", message.asset_url)]
    return [(name, safe_address(url, 1500)) for name, url in found if url]
