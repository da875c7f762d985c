"""Makes the picture of an incident in Slack: the demo's messages, as the blocks that are sent.

    dagster-monitoring demo
    python docs/pictures/incident_in_slack.py dagster-monitoring-demo/monitoring/alerts.jsonl

The blocks are drawn as a page that looks like Slack, in Chromium; ``--email`` makes a picture of
the incident's first mail beside it. Needs the ``dev`` extra and a Chromium. Run it before
``make.py``, whose ``dg dev`` starts the sensors: they add what happened since.
"""

from __future__ import annotations

import argparse
import base64
import html
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from dagster_monitoring.alerts import AlertMessage
from dagster_monitoring.alerts._chart_png import chart_png
from dagster_monitoring.alerts._email_html import page as mail_page
from dagster_monitoring.alerts._slack_blocks import Block, TextObject, blocks
from dagster_monitoring.incidents import Transition

sys.path.insert(0, str(Path(__file__).parent))
from make import CHROMIUM_FLAGS, find_chromium

HERE = Path(__file__).parent
# Slack draws these itself; a computer without coloured letters has none.
SIGNS = {
    "🔵": "#1264a3",
    "🔴": "#d92632",
    "🟠": "#f2871b",
    "🟢": "#44a04a",
    "⚪": "#d0d4d9",
    "❗": "#d92632",
}
STYLE = """
body{margin:0;padding:18px 22px;width:820px;background:#fff;color:#1d1c1d;
  font:15px/1.46 Lato,'Segoe UI',Roboto,'Noto Sans','Noto Color Emoji',sans-serif}
.message{display:grid;grid-template-columns:44px 1fr;margin-bottom:18px}
.thread{margin-left:44px;border-left:2px solid #ddd;padding-left:14px}
.face{width:36px;height:36px;border-radius:6px;background:#4a154b;color:#fff;display:grid;
  place-items:center;font-weight:700}
.name{font-weight:900}.app{background:#e8e8e8;border-radius:3px;font-size:10px;padding:1px 4px;
  margin:0 6px;color:#616061}.time,.context{color:#616061;font-size:12px}
.header{font-size:18px;font-weight:900;margin:4px 0}
.section{margin:6px 0;white-space:pre-wrap}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:6px 18px;margin:6px 0;white-space:pre-wrap}
code{border:1px solid #ddd;background:#f8f8f8;border-radius:3px;padding:1px 3px;color:#c01343;
  font:12px 'DejaVu Sans Mono',monospace;white-space:pre-wrap}
a{color:#1264a3;text-decoration:none}
.sign{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:2px}
.replies{color:#616061;font-size:13px;margin:0 0 12px 44px}
"""


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=Path, help="what the demo's file channel was told")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of the picture")
    parser.add_argument("--email", type=Path, help="picture of the incident's first mail")
    arguments = parser.parse_args()
    life = longest_life(arguments.messages.read_text(encoding="utf-8").splitlines())
    pages = {arguments.output / "incident_in_slack.png": thread_page(life)}
    if arguments.email:
        pages[arguments.email] = mail(life[0])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        for path, content in pages.items():
            page = browser.new_page(viewport={"width": 864, "height": 400}, device_scale_factor=1)
            page.set_content(content)
            page.screenshot(path=path, full_page=True)


def longest_life(lines: Sequence[str]) -> list[AlertMessage]:
    """The messages about the incident that is told of most, of those that are over."""
    lives: dict[str, list[AlertMessage]] = {}
    for line in lines:
        message = AlertMessage.from_json(line)
        lives.setdefault(message.incident_id, []).append(message)
    over = [m for m in lives.values() if m[-1].transition is Transition.RESOLVED]
    return max(over, key=len)


def thread_page(life: Sequence[AlertMessage]) -> str:
    """A channel with the first message and, below it, its thread."""
    first, *replies = [drawn(m, in_thread=place > 0) for place, m in enumerate(life)]
    count = f"{len(replies)} repl{'y' if len(replies) == 1 else 'ies'}"
    thread = f'<div class="replies">{count}</div><div class="thread">{"".join(replies)}</div>'
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{first}{thread}"


def drawn(message: AlertMessage, *, in_thread: bool) -> str:
    """A message as Slack shows its blocks."""
    content = "".join(block(one) for one in blocks(message, in_thread=in_thread))
    name = (
        '<span class="name">Dagster monitoring</span><span class="app">APP</span>'
        f'<span class="time">{message.updated_at:%d %b %Y, %H:%M}</span>'
    )
    return f'<div class="message"><div class="face">D</div><div>{name}{content}</div></div>'


def block(one: Block) -> str:
    """One block as HTML."""
    inner = ""
    if "text" in one:
        inner += f'<div class="{one["type"]}">{text(one["text"])}</div>'
    if "fields" in one:
        cells = "".join(f"<div>{text(field)}</div>" for field in one["fields"])
        inner += f'<div class="fields">{cells}</div>'
    if "elements" in one:
        inner += f'<div class="context">{"".join(text(e) for e in one["elements"])}</div>'
    return inner


def text(given: TextObject) -> str:
    """A text object as HTML: links, code, bold, Slack's three escapes, its own pictures."""
    raw = given["text"]
    shown = html.escape(raw) if given["type"] == "plain_text" else markup(raw)
    for sign, colour in SIGNS.items():
        shown = shown.replace(sign, f'<i class="sign" style="background:{colour}"></i>')
    return shown


def markup(raw: str) -> str:
    """Slack's markup as HTML."""
    found = []
    for piece in re.split(r"(`[^`]*`|<https?://[^|>]*\|[^>]*>)", raw):
        if piece.startswith("`"):
            found.append(f"<code>{piece.strip('`')}</code>")
        elif link := re.fullmatch(r"<([^|>]*)\|([^>]*)>", piece):
            found.append(f'<a href="{link[1]}">{link[2]}</a>')
        else:
            found.append(re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", piece))
    return "".join(found)


def mail(message: AlertMessage) -> str:
    """The first mail, with its picture in it."""
    content = mail_page(message, notice="", picture="plot")
    if message.plot is None:
        return content
    data = base64.b64encode(chart_png(message.plot)).decode()
    return content.replace("cid:plot", f"data:image/png;base64,{data}")


if __name__ == "__main__":
    main()
