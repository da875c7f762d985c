"""A message's plot as a PNG: mail programs show no SVG, and no plotting library is needed for it.

Source: Portable Network Graphics, W3C (2003), sections 5 (chunks) and 9 (filter type 0).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dagster_monitoring.alerts.message import AlertPlot

WIDTH, HEIGHT = 560, 120  # as shown; the picture has twice as many points each way
_SCALE = 2  # sharp on fine screens
_SMOOTH = 2  # drawn larger still, then averaged: edges without steps
_MARGIN = 8
_PAPER, _LINE, _LIMIT, _BAD = (255, 255, 255), (55, 71, 90), (198, 40, 40), (198, 40, 40)

Picture = npt.NDArray[np.float64]


def chart_png(plot: AlertPlot) -> bytes:
    """The values as a line with dots, red beyond a limit; the limits as dashes. No text.

    A slice without a value is a gap.

    Raises:
        ValueError: no value is known.
    """
    unit = _SCALE * _SMOOTH
    picture: Picture = np.full((HEIGHT * unit, WIDTH * unit, 3), _PAPER, dtype=np.float64)
    limits = [v for v in (plot.lower, plot.upper) if v is not None and np.isfinite(v)]
    rows = _rows(plot.values, limits, unit)
    places = np.linspace(_MARGIN, WIDTH - _MARGIN, max(len(plot.values), 2)) * unit
    for limit in limits:
        _dashes(picture, rows(limit), unit)
    points = [
        None if v is None else (float(x), rows(v), v)
        for x, v in zip(places, plot.values, strict=False)
    ]
    for before, after in pairwise(points):
        if before is None or after is None:
            continue  # a slice without a value is a gap
        (x1, y1, _), (x2, y2, _) = before, after
        for share in np.linspace(0, 1, max(int(max(abs(x2 - x1), abs(y2 - y1))), 2)):
            _dot(picture, x1 + share * (x2 - x1), y1 + share * (y2 - y1), 0.8 * unit, _LINE)
    for x, y, value in filter(None, points):
        is_bad = _beyond(value, plot)
        _dot(picture, x, y, (4 if is_bad else 2.5) * unit, _BAD if is_bad else _LINE)
    height, width = HEIGHT * _SCALE, WIDTH * _SCALE
    small = picture.reshape(height, _SMOOTH, width, _SMOOTH, 3).mean(axis=(1, 3))
    return _encoded(small.round().astype(np.uint8))


def _beyond(value: float, plot: AlertPlot) -> bool:
    return (plot.upper is not None and value > plot.upper) or (
        plot.lower is not None and value < plot.lower
    )


class _Rows:
    """Where a value stands, in points from the top."""

    def __init__(self, low: float, high: float, unit: int) -> None:
        self._low, self._high, self._unit = low, high, unit

    def __call__(self, value: float) -> float:
        # Halved first: the span of two huge numbers overflows.
        span = self._high / 2 - self._low / 2
        share = (value / 2 - self._low / 2) / span if span > 0 else 0.5
        return (_MARGIN + (1 - share) * (HEIGHT - 2 * _MARGIN)) * self._unit


def _rows(values: Sequence[float | None], limits: Sequence[float], unit: int) -> _Rows:
    known = [v for v in values if v is not None and np.isfinite(v)]
    if not known:
        raise ValueError("a plot without a value can't be drawn")
    shown = [*known, *limits]
    return _Rows(min(shown), max(shown), unit)


def _dashes(picture: Picture, y: float, unit: int) -> None:
    top = max(int(y - 0.5 * unit), 0)
    for left in range(0, WIDTH * unit, 10 * unit):
        picture[top : top + unit, left : left + 6 * unit] = _LIMIT


def _dot(picture: Picture, x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
    top, left = max(int(y - radius), 0), max(int(x - radius), 0)
    patch = picture[top : int(y + radius) + 2, left : int(x + radius) + 2]
    rows, columns = np.ogrid[top : top + patch.shape[0], left : left + patch.shape[1]]
    patch[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = colour


def _encoded(pixels: npt.NDArray[np.uint8]) -> bytes:
    height, width, _ = pixels.shape
    lines = b"".join(b"\x00" + line.tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
