"""From docstrings and headings to Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def prose(docstring: str) -> str:
    """A docstring as Markdown: its text and what it gives; no examples, no arguments."""
    lines = [line.strip() for line in docstring.strip().splitlines()]
    kept = list(_told(lines))
    text = "\n".join(kept).strip()
    text = re.sub(r":\w+:`[.~]*([^`]+)`", r"`\1`", text).replace("``", "`")
    return re.sub(r"\n{3,}", "\n\n", text)


def _told(lines: list[str]) -> Iterator[str]:
    telling = True
    for line in lines:
        if line in {"Raises:", "Example:", "Args:", "Attributes:"}:
            telling = False
        elif line == "Returns:" or line.startswith(("Source:", "Layout:")):
            telling = line != "Returns:"
            yield ""
            if line == "Returns:":
                telling = True
                continue
            yield line
        elif telling:
            yield line


def cell(text: str) -> str:
    """A text that fits in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")
