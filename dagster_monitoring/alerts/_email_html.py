"""A message as HTML for mail programs: tables and inline styles, for they read little else."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime

from dagster_monitoring.alerts._chart_png import HEIGHT, WIDTH
from dagster_monitoring.alerts._digest import AlertDigest, age_text
from dagster_monitoring.alerts._plain import facts, links, plot_text, row_value
from dagster_monitoring.alerts._remarks import remarks
from dagster_monitoring.alerts._text import escaped
from dagster_monitoring.alerts.message import AlertMessage, AlertRow
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition

_COLOUR = {Severity.ERROR: "#c62828", Severity.WARN: "#b26a00"}
_BLUE = "#1264a3"
_CALM = {Transition.RESOLVED: "#2e7d4f", Transition.UPDATED: _BLUE, Transition.DIGEST: _BLUE}
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_SMALL = "color:#6b7785;font-size:12px"
_CELL = "padding:4px 12px 4px 0;vertical-align:top;text-align:left;font-size:13px"


def page(message: AlertMessage, *, notice: str, picture: str | None) -> str:
    """The whole document; every value is escaped.

    Args:
        message: what to say.
        notice: a line above all else; may be empty.
        picture: the content id of the plot's picture, if it comes along.
    """
    colour = _CALM.get(message.transition, _COLOUR[message.severity])
    parts = [
        f'<p style="color:#c62828">{_safe(notice, 600)}</p>' if notice else "",
        f'<h2 style="margin:0 0 8px;color:{colour}">{_safe(message.title, 300)}</h2>',
        f"<p>{_safe(message.summary, 1000)}</p>",
        _listed(message),
        *(f"<p><b>{name}:</b> {_safe(text, 500)}</p>" for name, text in remarks(message)),
        _rows(message),
        _plot(message, picture),
        _facts(message) if message.digest is None else _digest(message.digest, message.updated_at),
        f"<p><b>Next:</b> {_safe(message.next_step, 1000)}</p>",
        _links(message),
        f'<p style="{_SMALL}">{_safe(f"{message.transition} · {message.incident_id}", 200)}</p>',
    ]
    body = "".join(parts)
    return (
        '<!doctype html><html><head><meta charset="utf-8"></head>'
        f'<body style="margin:0;padding:16px;color:#1f2933;font-size:14px;{_FONT}">'
        f'<div style="border-left:4px solid {colour};padding-left:14px;max-width:640px">'
        f"{body}</div>"
        "</body></html>"
    )


def _listed(message: AlertMessage) -> str:
    lines = [_safe(line, 300) for line in message.details]
    lines += [f"upstream: {_safe(line, 300)}" for line in message.changes]
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>" if lines else ""


def _rows(message: AlertMessage) -> str:
    if not message.rows:
        return ""
    names = ("", "monitor", "metric", "column", "value against limit")
    head = "".join(f'<th style="{_CELL};color:#6b7785">{name}</th>' for name in names)
    rows = "".join(_row(row) for row in message.rows)
    more = f"<p>and {message.n_more} more</p>" if message.n_more else ""
    return f'<table style="border-collapse:collapse"><tr>{head}</tr>{rows}</table>{more}'


def _row(row: AlertRow) -> str:
    colour = _COLOUR[row.severity] if row.severity else "inherit"
    cells = (row.severity or "", row.monitor, row.metric, row.subject or "–")  # noqa: RUF001 - a dash where there is no column
    shown = "".join(f'<td style="{_CELL}">{_safe(cell, 200)}</td>' for cell in cells)
    value = f'<td style="{_CELL};color:{colour}"><b>{_safe(row_value(row), 300)}</b></td>'
    return f"<tr>{shown}{value}</tr>"


def _digest(digest: AlertDigest, now: datetime) -> str:
    """Tables of what is open, what closed and what warned."""
    is_open = [
        (one.severity, one.id, one.cause, one.opened_partition, age_text(one, now=now),
         one.owner or "nobody", ", ".join(one.monitors), "new" if one.is_new else "")
        for one in digest.open
    ]  # fmt: skip
    closed = [
        (one.id, one.cause, f"{one.opened_partition} to {one.last_partition}",
         ", ".join(one.monitors))
        for one in digest.closed
    ]  # fmt: skip
    warned = [
        (one.monitor, f"{one.count:,}",
         ", ".join(one.columns) + (f" and {one.n_more:,} more" if one.n_more else ""))
        for one in digest.warned
    ]  # fmt: skip
    over = ("incident", "cause", "slices", "monitors")
    heads = ("", "incident", "cause", "since", "open for", "owner", "monitors", "")
    return (
        _table("Open", heads, is_open, digest.n_more_open)
        + _table("Closed", over, closed, digest.n_more_closed)
        + _table("Warnings", ("monitor", "count", "columns"), warned, digest.n_more_warned)
    )


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], n_more: int) -> str:
    if not rows:
        return ""
    head = "".join(f'<th style="{_CELL};color:#6b7785">{name}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(_cell(text) for text in row)}</tr>" for row in rows)
    more = f"<p>and {n_more:,} more</p>" if n_more else ""
    return (
        f'<h3 style="margin:14px 0 2px;font-size:14px">{title}</h3>'
        f'<table style="border-collapse:collapse"><tr>{head}</tr>{body}</table>{more}'
    )


def _cell(text: str) -> str:
    colours = {name: colour for name, colour in _COLOUR.items() if name == text}
    colour = f";color:{colours[Severity(text)]};font-weight:bold" if colours else ""
    return f'<td style="{_CELL}{colour}">{_safe(text, 200)}</td>'


def _plot(message: AlertMessage, picture: str | None) -> str:
    if message.plot is None:
        return ""
    words = _safe(plot_text(message.plot), 600)
    if picture is None:
        return f"<p>{words}</p>"
    caption = _safe(message.plot.caption, 400)
    return (
        f'<p style="margin:12px 0"><img src="cid:{picture}" width="{WIDTH}" height="{HEIGHT}" '
        f'alt="{words}" style="max-width:100%;height:auto;border:1px solid #e1e5ea"><br>'
        f'<span style="{_SMALL}">{caption}</span></p>'
    )


def _facts(message: AlertMessage) -> str:
    rows = "".join(
        f'<tr><td style="{_CELL};color:#6b7785">{name}</td>'
        f'<td style="{_CELL}">{_safe(value, 300)}</td></tr>'
        for name, value in facts(message)
    )
    return f'<table style="border-collapse:collapse;margin-top:8px">{rows}</table>'


def _links(message: AlertMessage) -> str:
    found = [f'<a href="{html.escape(url)}">{name}</a>' for name, url in links(message)]
    return f"<p>{' · '.join(found)}</p>" if found else ""


def _safe(text: str, limit: int) -> str:
    return escaped(text, limit, html.escape)
