"""Text from data on a terminal: shown, never obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def inert(content: str, *, style: str = "") -> Text:
    """One line whose brackets are no markup, and whose control characters do nothing.

    Example:
        >>> inert("[bold]a" + chr(27) + "[2J" + chr(10) + "b").plain
        '[bold]a [2J b'
    """
    from rich.text import Text

    return Text(printable(content).replace("\n", " "), style=style)


def printable(content: str) -> str:
    """Text with blanks for control characters and marks that reorder it; lines stay lines.

    Example:
        >>> printable("a" + chr(27) + "[2J" + chr(0x202E) + "b")
        'a [2J b'
    """
    return "".join(c if c.isprintable() or c == "\n" else " " for c in content)
