"""Values from data as text that is safe to show: one line, no control characters, bounded."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from urllib.parse import quote

ELLIPSIS = "…"
# In the place of a text that is all blanks, where a receiver takes no empty one.
NOTHING = "–"  # noqa: RUF001 - a dash
_BARS = "▁▂▃▄▅▆▇█"
# Cf holds marks that reorder what follows them (a value could rewrite the line it stands in), but
# also joiners that scripts and emoji need: only the former go.
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str, limit: int) -> str:
    r"""Text on one line of at most ``limit`` characters, without control characters.

    White space of any kind becomes single spaces, other control characters (a terminal's escape,
    marks that reorder text, lone surrogates) become U+FFFD; what is cut ends in an ellipsis.

    Example:
        >>> one_line("two\n lines\x1b[2J", 40)
        'two lines\ufffd[2J'
        >>> one_line("abcdef", 4)
        'abc…'
    """
    # Cut generously first: a value of megabytes is not worth normalising.
    joined = " ".join(text[: 4 * limit + 64].split())
    clean = "".join(_visible(character) for character in joined)
    if len(clean) <= limit:
        return clean
    return clean[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def escaped(text: str, limit: int, escape: Callable[[str], str]) -> str:
    """``one_line`` of the text, escaped character by character, at most ``limit`` long after it.

    Escaping makes text longer; counted this way an escape sequence is never cut in two.

    Example:
        >>> import html
        >>> escaped("<b>", 6, html.escape)
        '&lt;b…'
    """
    pieces: list[str] = []
    room = limit
    plain = one_line(text, limit)
    for index, character in enumerate(plain):
        piece = escape(character)
        reserve = 0 if index == len(plain) - 1 else len(ELLIPSIS)
        if len(piece) + reserve > room:
            return "".join(pieces) + ELLIPSIS
        pieces.append(piece)
        room -= len(piece)
    return "".join(pieces)


def bounded(text: str | None, limit: int) -> str | None:
    """Text as it is, but of at most ``limit`` characters, and valid Unicode.

    Example:
        >>> bounded("abcdef", 4), bounded(None, 4)
        ('abc…', None)
    """
    if text is None:
        return None
    valid = text[: limit + 1].encode("utf-8", "replace").decode()
    return valid if len(valid) <= limit else valid[: limit - 1] + ELLIPSIS


def safe_address(url: str, limit: int) -> str:
    """A web address with nothing in it that could end a link or a quotation early.

    Example:
        >>> safe_address("https://dagster.example/runs/4?a=1&b=<x>|y", 80)
        'https://dagster.example/runs/4?a=1&b=%3Cx%3E%7Cy'
    """
    return quote(url, safe=":/?#[]@!$&'()*+,;=%~-._")[:limit]


def sparkline(values: Sequence[float | None]) -> str:
    """Values as bars of one line of text, the least lowest; a value that is missing is a dot.

    Example:
        >>> sparkline([0.0, 0.5, None, 1.0]), sparkline([2.0, 2.0]), sparkline([])
        ('▁▅·█', '▁▁', '')
    """
    known = [value for value in values if value is not None]
    if not known:
        return "·" * len(values)
    least, span = min(known), (max(known) - min(known)) or 1.0
    steps = len(_BARS) - 1
    return "".join("·" if v is None else _BARS[round((v - least) / span * steps)] for v in values)


def as_ascii(json_text: str) -> str:
    r"""JSON with escapes for every character beyond ASCII; it stays the same JSON.

    Characters that some readers take for a line's end, or that reorder text, come out visible.

    Example:
        >>> print(as_ascii('"\u2028 é"'))
        "\u2028 \u00e9"
    """
    return "".join(c if c < "\x7f" else _json_escape(c) for c in json_text)


def _json_escape(character: str) -> str:
    # Beyond the first plane JSON wants a pair of surrogates, which UTF-16 is.
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in {"Cc", "Cs"} or character in _REORDERING
    return "\N{REPLACEMENT CHARACTER}" if hidden else character
