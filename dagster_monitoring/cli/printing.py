"""Text from data on a terminal: shown, never obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def inert(content: str, *, style: str = "") -> Text:
    """Text whose brackets are no markup, and whose control characters do nothing.

    Example:
        >>> inert("[bold]a" + chr(27) + "[2J").plain
        '[bold]a [2J'
    """
    from rich.text import Text

    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in content)
    return Text(shown, style=style)
