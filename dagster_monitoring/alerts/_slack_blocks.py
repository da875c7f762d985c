"""A message as Slack's blocks, within Slack's limits.

Limits (https://docs.slack.dev/reference/block-kit/blocks): at most 50 blocks, 150 characters in a
header, 3,000 in a section's text, 2,000 in a field, 10 fields a section.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, TypedDict

from dagster_monitoring.alerts._digest import AlertDigest, DigestLine, digest_sections
from dagster_monitoring.alerts._plain import row_value
from dagster_monitoring.alerts._remarks import remarks
from dagster_monitoring.alerts._text import NOTHING, escaped, one_line, safe_address, sparkline
from dagster_monitoring.alerts.message import AlertMessage, AlertPlot, AlertRow
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition

_HEADER = 150
_ROW = 280  # ten rows and their line ends stay within a section's 3,000
_MOST_LINES = 10
# In a thread these add no value that is not above them.
_BRIEF = {
    Transition.ACKNOWLEDGED,
    Transition.REMINDED,
    Transition.UPDATED,
    Transition.RESOLVED,
}
_ICON = {Severity.ERROR: "🔴", Severity.WARN: "🟠"}  # the same on every client


class TextObject(TypedDict, total=False):
    """Slack's text: plain, or its markup."""

    type: Literal["plain_text", "mrkdwn"]
    text: str
    verbatim: bool
    emoji: bool


class Block(TypedDict, total=False):
    """The three blocks that are used."""

    type: Literal["header", "section", "context"]
    text: TextObject
    fields: list[TextObject]
    elements: list[TextObject]


Blocks: TypeAlias = list[Block]


def blocks(message: AlertMessage, *, in_thread: bool = False) -> Blocks:
    """Header, facts, worst rows with value against limit, link and next step.

    Args:
        message: what to say.
        in_thread: below the incident's first message, which has facts, rows and plot already.
    """
    is_brief = in_thread and message.transition in _BRIEF
    title = one_line(f"{_icon(message)} {message.title}", _HEADER)
    found: Blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
        {"type": "section", "text": _markup(_escape(message.summary, 1000))},
    ]
    if (message.details or message.changes) and not is_brief:
        found.append({"type": "section", "text": _markup(_told(message))})
    is_known = is_brief and message.transition is Transition.ACKNOWLEDGED
    if not is_known and (said := remarks(message, with_impact=not is_brief)):
        lines = [f"*{name}:* {_escape(text, 400)}" for name, text in said]
        found.append({"type": "section", "text": _markup("\n".join(lines))})
    if message.digest is not None:
        found += _digest(message.digest, now=message.updated_at)
    elif not is_brief:
        found += _figures(message)
    found.append({"type": "section", "text": _markup(_what_next(message))})
    footer = _escape(f"{message.transition} · {message.incident_id}", 200)
    found.append({"type": "context", "elements": [_markup(footer)]})
    return found


def _digest(digest: AlertDigest, *, now: datetime) -> Blocks:
    found: Blocks = []
    for heading, lines in digest_sections(digest, now=now):
        text = "\n".join([f"*{heading}*", *(_digest_line(line) for line in lines)])
        found.append({"type": "section", "text": _markup(text)})
    return found


def _digest_line(line: DigestLine) -> str:
    if not line.mark:
        return _escape(line.text, _ROW)
    icon = f"{_ICON[line.severity]} " if line.severity else ""
    return f"{icon}{_code(line.mark, 60)} {_escape(line.text, _ROW - 90)}"


def _figures(message: AlertMessage) -> Blocks:
    found: Blocks = [{"type": "section", "fields": _facts(message)}]
    if message.rows:
        found.append({"type": "section", "text": _markup(_rows(message))})
    if message.plot:
        found.append({"type": "section", "text": _markup(_plot(message.plot))})
    return found


def fallback(message: AlertMessage) -> str:
    """The line that notifications show, escaped: Slack reads markup here too."""
    return _escape(f"{message.title}. {message.summary}", 500)


def _icon(message: AlertMessage) -> str:
    if message.transition is Transition.RESOLVED:
        return "🟢"
    calm = {Transition.ACKNOWLEDGED, Transition.UPDATED, Transition.DIGEST}
    return "🔵" if message.transition in calm else _ICON[message.severity]


def _facts(message: AlertMessage) -> list[TextObject]:
    facts = [
        ("Model", message.model),
        ("Partition", message.partition),
        ("Monitors", ", ".join(message.monitors)),
        ("Severity", message.severity),
        ("Baseline", message.baseline_version or "unknown"),
        ("Model version", message.model_version or "unknown"),
    ]
    facts += [("Owner", message.owner)] if message.owner else []
    return [_markup(f"*{name}*\n{_code(value, 500)}") for name, value in facts]


def _told(message: AlertMessage) -> str:
    """What is wrong where no value says it, and what changed upstream; ten lines of 280 fit."""
    lines = [f"❗ {_escape(line, _ROW - 10)}" for line in message.details]
    lines += [f"↑ upstream: {_escape(line, _ROW - 20)}" for line in message.changes]
    return "\n".join(lines[:_MOST_LINES])


def _plot(plot: AlertPlot) -> str:
    return f"{_code(sparkline(plot.values), 100)} {_escape(plot.caption, 400)}"


def _rows(message: AlertMessage) -> str:
    lines = [_row(row) for row in message.rows]
    if message.n_more:
        lines.append(f"… and {message.n_more} more")
    return "\n".join(lines)


def _row(row: AlertRow) -> str:
    icon = _ICON[row.severity] if row.severity else "⚪"
    parts = (row.monitor, row.metric, row.subject)
    subject = _code(" · ".join(part for part in parts if part), _ROW - 130)
    return f"{icon} {subject} {_code(row_value(row), 110)}"


def _what_next(message: AlertMessage) -> str:
    step = f"*Next:* {_escape(message.next_step, 1000)}"
    known = [("Open the run in Dagster", message.run_url), ("the asset", message.asset_url)]
    # A bar, an angle bracket or a quotation mark would end the link early.
    links = [
        f"<{safe_address(url, 800).replace('&', '&amp;')}|{name}>" for name, url in known if url
    ]
    return "\n".join([" · ".join(links), step] if links else [step])


def _markup(text: str) -> TextObject:
    # Verbatim: Slack makes no links, channels or users out of the text by itself.
    # A text of nothing but blanks makes Slack refuse the whole message.
    return {"type": "mrkdwn", "text": text if text.strip() else NOTHING, "verbatim": True}


def _code(text: str, limit: int) -> str:
    """A value in a code span, where stars and underscores are just characters."""
    return f"`{_escape(text, limit)}`"


def _escape(text: str, limit: int) -> str:
    return escaped(text, limit, _escape_character)


def _escape_character(character: str) -> str:
    # A backtick would end the code span that a value stands in; it has no escape of its own.
    return {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}.get(character, character)
