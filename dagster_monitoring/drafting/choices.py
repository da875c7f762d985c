"""What the user says of the columns, and what is noted while the rest is told from the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dagster_monitoring.drafting.facts import ColumnFacts
from dagster_monitoring.errors import SchemaMismatchError, did_you_mean

TaskType = Literal["binary_classification", "multiclass_classification", "regression"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user chose; ``None`` is told from the data."""

    model: str | None = None
    task: TaskType | None = None
    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    id: str | None = None
    timestamp: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A choice that a person should look at: the field it is about, and what to know."""

    field: str
    text: str


def check_chosen(
    columns: Mapping[str, ColumnFacts], chosen: str, *, option: str, optional: bool = False
) -> None:
    """Raise unless a chosen column exists.

    Args:
        columns: those there are.
        chosen: the name given.
        option: what it was given by, for instance ``"--id"``.
        optional: whether a column that resembles none may be missing.

    Raises:
        SchemaMismatchError: there is no such column; says the nearest one.
    """
    nearest = did_you_mean(chosen, columns)
    if chosen in columns or (optional and not nearest):
        return
    raise SchemaMismatchError(
        f"{option} {chosen}: the baseline has no such column.{nearest} "
        f"It has: {', '.join(columns) or 'none'}"
    )
