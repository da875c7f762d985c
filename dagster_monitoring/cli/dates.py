"""Days and moments as a command's options take them: ``type=day``, ``type=moment``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import click

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def day(text: str) -> str:
    """A partition's key, within production or not.

    Raises:
        BadParameter: it is not written YYYY-MM-DD; click adds the option's name.

    Example:
        >>> day("2024-05-10")
        '2024-05-10'
    """
    try:
        # Python reads more forms of ISO 8601, which keys are not compared in.
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise click.BadParameter(f"{text!r} is not a day: write it as YYYY-MM-DD")


def moment(text: str) -> datetime:
    """A moment in ISO 8601; one that names no zone is UTC.

    Raises:
        BadParameter: it is no moment; click adds the option's name.

    Example:
        >>> moment("2024-05-10").isoformat()
        '2024-05-10T00:00:00+00:00'
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a moment: write it as YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in UTC"
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
