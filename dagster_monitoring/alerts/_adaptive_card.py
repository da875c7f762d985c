"""A message as an Adaptive Card for Microsoft Teams.

Values stand in text runs, which know no markup; a ``TextBlock`` would read Markdown in them.
A message to Teams may be 28 kB (https://learn.microsoft.com/microsoftteams/limits-specifications).
"""

from __future__ import annotations

from typing import TypeAlias

from dagster_monitoring.alerts._digest import digest_sections
from dagster_monitoring.alerts._plain import digest_text, facts, links, plot_text, row_text
from dagster_monitoring.alerts._remarks import remarks
from dagster_monitoring.alerts._text import NOTHING, one_line
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition

Element: TypeAlias = dict[str, object]
_COLOUR = {Severity.ERROR: "attention", Severity.WARN: "warning"}


def card(message: AlertMessage) -> Element:
    """Title, summary, facts, worst rows, plot and next step, with links as buttons."""
    calm = {Transition.RESOLVED: "good", Transition.UPDATED: "accent", Transition.DIGEST: "accent"}
    colour = calm.get(message.transition, _COLOUR[message.severity])
    lines = [one_line(f"! {line}", 300) for line in message.details[:10]]
    lines += [one_line(f"↑ upstream: {line}", 300) for line in message.changes]
    rows = [row_text(row) for row in message.rows]
    rows += [f"and {message.n_more} more"] if message.n_more else []
    body = [
        _line(one_line(message.title, 300), weight="bolder", size="large", color=colour),
        _line(one_line(message.summary, 600)),
        *(_line(line) for line in lines),
        *(_pair(name, one_line(text, 400)) for name, text in remarks(message)),
        *_digest(message),
        *(_pair(name, value) for name, value in facts(message) if message.digest is None),
        *(_line(row, font="monospace", size="small") for row in rows),
    ]
    if message.plot:
        body.append(_line(plot_text(message.plot), font="monospace", size="small"))
    body.append(_pair("Next", one_line(message.next_step, 600)))
    footer = one_line(f"{message.transition} · {message.incident_id}", 200)
    body.append(_line(footer, size="small", is_subtle=True))
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": name, "url": url} for name, url in links(message)
        ],
    }


def _digest(message: AlertMessage) -> list[Element]:
    if message.digest is None:
        return []
    found: list[Element] = []
    for heading, lines in digest_sections(message.digest, now=message.updated_at):
        found.append(_line(heading, weight="bolder"))
        for line in lines:
            colour = _COLOUR[line.severity] if line.severity else "default"
            found.append(_line(one_line(digest_text(line), 400), size="small", color=colour))
    return found


def _line(
    text: str,
    *,
    weight: str = "default",
    size: str = "default",
    color: str = "default",
    font: str = "default",
    is_subtle: bool = False,
) -> Element:
    run: Element = {
        "type": "TextRun",
        "text": text or NOTHING,
        "weight": weight,
        "size": size,
        "color": color,
        "fontType": font,
        "isSubtle": is_subtle,
    }
    return {"type": "RichTextBlock", "inlines": [run]}


def _pair(name: str, value: str) -> Element:
    runs = [
        {"type": "TextRun", "text": f"{name}: ", "weight": "bolder"},
        {"type": "TextRun", "text": value or NOTHING},
    ]
    return {"type": "RichTextBlock", "inlines": runs, "spacing": "small"}
