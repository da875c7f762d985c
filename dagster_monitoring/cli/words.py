"""What people write on a command line: names and notes that every store and channel can hold."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., object])
_NAME_LENGTH, _NOTE_LENGTH = 200, 4_000
_LINE_PARTS = frozenset("\n\t")


class Words(click.ParamType):  # type: ignore[type-arg] # generic in newer versions of click only
    """Text of letters and signs; what a terminal obeys, and what is no text at all, is refused.

    Args:
        longest: most characters.
        lines: whether it may have several lines.
    """

    name = "text"

    def __init__(self, *, longest: int, lines: bool) -> None:
        self._longest = longest
        self._lines = lines

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The text without blanks around it."""
        text = str(value).replace("\r\n", "\n").strip()
        allowed = _LINE_PARTS if self._lines else frozenset[str]()
        wrong = next((c for c in text if not (c.isprintable() or c in allowed or c == " ")), None)
        if wrong is not None:
            self.fail(
                f"U+{ord(wrong):04X} at character {text.index(wrong) + 1} can't be shown"
                f"{'' if self._lines else ' in a name'}. Leave it out",
                param,
                ctx,
            )
        if len(text) > self._longest:
            self.fail(f"{len(text):,} characters, and {self._longest:,} are kept", param, ctx)
        if not self._lines and not text:
            self.fail("it is empty. Name somebody", param, ctx)
        return text


NAME = Words(longest=_NAME_LENGTH, lines=False)
NOTE = Words(longest=_NOTE_LENGTH, lines=True)


def by_option(function: Function) -> Function:
    """``--by``: who does it, by default the user of this computer."""
    return click.option(
        "--by", type=NAME, default=_user, show_default="the user of this computer", help="Who."
    )(function)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's process may have a number and no name.
        return "unknown"
