"""Small charts for check metadata, as SVG inside a Markdown image.

A check's metadata is an event in Dagster's log and stays there for good, so a picture must be
small: this is at most some 7 kB, where a plotting library's bitmap is 30 to 60 kB and takes 0.2 s
to draw.
Every text is escaped; a picture inside an image element runs no script.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 240
GREEN, AMBER, RED, GREY, INK, PAPER = (
    "#2e7d4f", "#d98c00", "#c62828", "#9aa4ae", "#1f2933", "#ffffff"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of the left panel: a column, its value, its limit and the colour of its status."""

    label: str
    value: float
    limit: float | None
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One partition of the right panel; ``value`` is ``None`` where nothing could be computed.

    ``half_width`` is half of the value's confidence interval, ``None`` where it is not known.
    """

    label: str
    value: float | None
    colour: str
    half_width: float | None = None


def draw(
    *,
    title: str,
    bars: Sequence[Bar],
    history_title: str,
    history: Sequence[Point],
    lower: float | None,
    upper: float | None,
) -> str:
    """The chart as SVG text: worst rows on the left, the worst row over time on the right.

    Whiskers on the right are the values' confidence intervals, cut at the panel's edges.
    """
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11" fill="{INK}">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        _text(12, 18, title, weight="bold"),
        *_bars(bars),
        _text(390, 18, history_title, weight="bold"),
        *_history(history, lower=lower, upper=upper),
        "</svg>",
    ]
    return "".join(parts)


def as_markdown(svg: str, alt: str) -> str:
    """A Markdown image that holds the SVG itself."""
    data = base64.b64encode(svg.encode()).decode()
    words = "".join(c if c.isalnum() or c in " .,=-_" else " " for c in alt)
    return f"![{words}](data:image/svg+xml;base64,{data})"


def _bars(bars: Sequence[Bar]) -> list[str]:
    shown = bars[:9]
    scale = max([abs(b.value) for b in shown] + [abs(b.limit) for b in shown if b.limit] + [1e-12])
    out = []
    for i, bar in enumerate(shown):
        y = 32 + i * 22
        length = 150 * abs(bar.value) / scale
        out.append(_text(126, y + 11, _cut(bar.label, 20), anchor="end"))
        out.append(
            f'<rect x="132" y="{y}" width="{max(length, 1):.1f}" height="14" '
            f'fill="{bar.colour}" rx="2"/>'
        )
        if bar.limit is not None:
            x = 132 + 150 * abs(bar.limit) / scale
            out.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 2}" y2="{y + 16}" stroke="{INK}" '
                f'stroke-dasharray="2 2"/>'
            )
        out.append(_text(132 + 156, y + 11, _number(bar.value)))
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """The right panel: from places in the history and values to places in the picture."""

    n: int
    low: float
    high: float
    left: float = 440
    right: float = WIDTH - 16
    top: float = 32
    bottom: float = HEIGHT - 34

    def x(self, index: int) -> float:
        return self.left + (self.right - self.left) * (index + 0.5) / self.n

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)


def _history(history: Sequence[Point], *, lower: float | None, upper: float | None) -> list[str]:
    known = [(i, p, p.value) for i, p in enumerate(history) if p.value is not None]
    if not known:
        return [_text(390, 120, "no earlier value")]
    limits = [v for v in (lower, upper) if v is not None]
    low, high = _range([(value, p.half_width or 0.0) for _, p, value in known], limits)
    panel = _Panel(n=len(history), low=low, high=high)
    left, right = panel.left, panel.right
    out = [f'<path d="M{left} {panel.top}V{panel.bottom}H{right}" fill="none" stroke="{GREY}"/>']
    for limit in limits:
        y = panel.y(limit)
        out.append(
            f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{RED}" '
            f'stroke-dasharray="4 3"/>'
        )
        out.append(_text(left - 4, y + 4, _number(limit), anchor="end", colour=RED))
    whiskers = "".join(
        f"M{panel.x(i):.1f} {panel.y(value + p.half_width):.1f}V{panel.y(value - p.half_width):.1f}"
        for i, p, value in known
        if p.half_width
    )
    if whiskers:
        out.append(f'<path d="{whiskers}" stroke="{INK}" opacity=".4"/>')
    line = " ".join(f"{panel.x(i):.1f},{panel.y(value):.1f}" for i, _, value in known)
    out.append(f'<polyline points="{line}" fill="none" stroke="{GREY}"/>')
    out.extend(
        f'<circle cx="{panel.x(i):.1f}" cy="{panel.y(value):.1f}" r="3" fill="{p.colour}"/>'
        for i, p, value in known
    )
    out.append(_text(left, HEIGHT - 18, history[0].label))
    out.append(_text(right, HEIGHT - 18, history[-1].label, anchor="end"))
    return out


def _range(known: Sequence[tuple[float, float]], limits: Sequence[float]) -> tuple[float, float]:
    """What the right panel shows: all values and limits, and of whiskers as much again at most.

    One value that is hardly known must not press all others flat.
    """
    shown = [*limits, *(value for value, _ in known)]
    low, high = min(shown), max(shown)
    room = (high - low) or abs(high) * 0.1 or 1.0
    lowest = min(value - half for value, half in known)
    highest = max(value + half for value, half in known)
    pad = room * 0.08
    return min(low, max(lowest, low - room)) - pad, max(high, min(highest, high + room)) + pad


def _text(
    x: float, y: float, words: str, *, anchor: str = "", weight: str = "", colour: str = "",
) -> str:  # fmt: skip
    given = {"text-anchor": anchor, "font-weight": weight, "fill": colour}
    style = "".join(f' {name}="{value}"' for name, value in given.items() if value)
    return f'<text x="{x:.1f}" y="{y:.1f}"{style}>{escape(_cut(words, 60))}</text>'


def _cut(words: str, length: int) -> str:
    printable = "".join(c if c.isprintable() else " " for c in words)
    return printable if len(printable) <= length else printable[: length - 1] + "…"


def _number(value: float) -> str:
    return f"{value:.3g}"
