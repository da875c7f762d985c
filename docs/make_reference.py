"""Writes the tables of the reference from the code itself.

Each page holds hand-written text and blocks between ``<!-- begin NAME -->`` and
``<!-- end NAME -->``; this script fills the blocks. ``tests/test_docs.py`` does the same and fails
when a page differs, so that a field, a metric or an option can't be missing here.

    python docs/make_reference.py
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from reference.commands import command_table
from reference.declarations import TASKS, THRESHOLDS, others, section, sections
from reference.metrics import drift_table, multivariate_table, performance_table, quality_table

from dagster_monitoring.alerts import channel_types
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors import Monitor, monitor_types
from dagster_monitoring.sources import GROUND_TRUTHS, SOURCES

DOCS = Path(__file__).parent

PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "declaration.md": {
        "model": lambda: section(MonitoredModel, "Fields of a model"),
        "tasks": lambda: sections(*TASKS),
        "sources": lambda: sections(*SOURCES.values()),
        "ground truth": lambda: sections(*GROUND_TRUTHS.values()),
        "monitors": lambda: "\n".join(
            [section(Monitor, "Every monitor"), sections(*monitor_types().values())]
        ),
        "thresholds": lambda: sections(*THRESHOLDS),
        "channels": lambda: sections(*channel_types().values()),
        "others": lambda: sections(*others()),
    },
    "metrics.md": {
        "drift": drift_table,
        "multivariate": multivariate_table,
        "quality": quality_table,
        "performance": performance_table,
    },
    "commands.md": {"commands": command_table},
}


def main() -> None:
    """Rewrite the pages that have blocks."""
    for name, blocks in PAGES.items():
        page = DOCS / name
        page.write_text(filled(page.read_text(encoding="utf-8"), blocks), encoding="utf-8")
        sys.stdout.write(f"wrote {page}\n")


def filled(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """A page with its blocks made anew.

    Raises:
        ValueError: the page lacks the marks of a block.
    """
    for name, make in blocks.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"the page needs one block from {begin} to {end}")
        before, rest = text.split(begin)
        text = f"{before}{begin}\n\n{make().strip()}\n\n{end}{rest.split(end)[1]}"
    return text


if __name__ == "__main__":
    with warnings.catch_warnings():
        # Dagster warns of its preview features when the commands load.
        warnings.simplefilter("ignore")
        main()
