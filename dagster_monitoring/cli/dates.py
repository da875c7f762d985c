"""Slices and moments as a command's options take them: ``type=partition``, ``type=moment``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import click

from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.partitions import Partitions

_KEY = re.compile(r"(\d{4}-\d{2}-\d{2})(-\d{2}:\d{2}([+-]\d{4})?)?", re.ASCII)


def partition(text: str) -> str:
    """What may be a partition's key, before the model is known.

    Raises:
        BadParameter: it is written like no key; click adds the option's name.

    Example:
        >>> partition("2024-05-10"), partition("2024-05-10-08:00")
        ('2024-05-10', '2024-05-10-08:00')
    """
    parts = _KEY.fullmatch(text)
    try:
        if parts is not None:
            date.fromisoformat(parts[1])
            return text
    except ValueError:
        pass
    raise click.BadParameter(
        f"{text!r} is no partition: write a day or a week as YYYY-MM-DD, an hour as "
        "YYYY-MM-DD-HH:00"
    )


def first_slice(partitions: Partitions, text: str, *, option: str) -> str:
    """The key that an option names as the first, within production or not.

    Args:
        partitions: the model's.
        text: a key; of hours and weeks a day will do too.
        option: for the message.

    Raises:
        BadParameter: it is no key of such slices.

    Example:
        >>> first_slice(Partitions(start="2024-05-01"), "2024-05-10", option="--since")
        '2024-05-10'
    """
    try:
        return partitions.first_of(text)
    except DeclarationError as error:
        raise click.BadParameter(str(error), param_hint=f"'{option}'") from None


def last_slice(partitions: Partitions, text: str, *, option: str) -> str:
    """As :func:`first_slice`, the last: of a day, its last hour.

    Example:
        >>> hours = Partitions(start="2024-05-01", every="hour")
        >>> last_slice(hours, "2024-05-10", option="--until")
        '2024-05-10-23:00'
    """
    try:
        return partitions.last_of(text)
    except DeclarationError as error:
        raise click.BadParameter(str(error), param_hint=f"'{option}'") from None


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
