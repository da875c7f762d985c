"""How the bench's tables, verdicts and machine are written."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path


def table_lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A markdown table: the first column to the left, the others to the right."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return [_row(heads), _row(rule), *map(_row, rows)]


def at_most(found: float, limit: float, unit: str = "") -> str:
    """Found beside a limit that it should not pass.

    Example:
        >>> at_most(3.1, 4.0, " x")
        'asked at most 4 x, found 3.1 x'
    """
    verdict = "" if found <= limit else ": NOT KEPT"
    return f"asked at most {limit:g}{unit}, found {found:.3g}{unit}{verdict}"


def at_least(found: float, limit: float, unit: str = " x") -> str:
    """Found beside a limit that it should reach.

    Example:
        >>> at_least(9.0, 10.0)
        'asked at least 10 x, found 9 x: NOT KEPT'
    """
    verdict = "" if found >= limit else ": NOT KEPT"
    return f"asked at least {limit:g}{unit}, found {found:.3g}{unit}{verdict}"


def machine_lines(packages: Sequence[str] = ("numpy", "pyarrow")) -> list[str]:
    """What it ran on, with which packages."""
    found = ", ".join(f"{name} {version(name)}" for name in packages)
    return [f"Python {platform.python_version()}, {os.cpu_count()} cores, {processor()}; {found}"]


def processor() -> str:
    """The processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
