"""Which columns a monitor looks at, and why a column may have nothing to say."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.column import ColumnSummary
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Task,
)


def prediction_columns(task: Task) -> tuple[str, ...]:
    """The predicted value, then its scores.

    Example:
        >>> prediction_columns(BinaryClassification(label="y", prediction="p", score="s"))
        ('p', 's')
    """
    if isinstance(task, BinaryClassification):
        return (task.prediction, task.score) if task.score else (task.prediction,)
    if isinstance(task, MulticlassClassification):
        return (task.prediction, *task.scores.values())
    return (task.prediction,)


def all_columns(task: Task, columns: Columns) -> tuple[str, ...]:
    """Features, then predictions, each once."""
    return tuple(dict.fromkeys((*columns.features, *prediction_columns(task))))


def segment_names(bins: BinSet, columns: Sequence[str]) -> list[str]:
    """The baseline's segments of these columns, such as ``"carrier=UA"``."""
    return [f"{column}={value}" for column in columns for value in bins.segments.get(column, ())]


def summary_of(profile: Profile, column: str, segment: str | None) -> ColumnSummary | None:
    """A column of all rows, or of a segment; ``None`` when the profile does not have it."""
    if segment is None:
        return profile.columns.get(column)
    return profile.segments.column(segment, column)


def why_empty(profile: Profile, what: str) -> str:
    """Why a profile has no rows: the fault that it was read with, where there was one."""
    if profile.faults:
        return f"{what} has no rows: {profile.faults[0]}"
    return f"{what} has no rows; look at what writes it"


def why_unusable(profile: Profile, column: str, what: str) -> str | None:
    """Why a column of a profile has no value to judge, with the remedy; ``None`` when it has.

    Args:
        profile: of the judged slice, or of a baseline.
        column: its name.
        what: the profile in words, for instance ``"the slice"``.
    """
    if profile.is_empty:
        return why_empty(profile, what)
    summary = profile.columns.get(column)
    if summary is not None and summary.n:
        return None
    if summary is None or summary.rows == 0:
        return (
            f"column {column!r} is not in {what}; write it again, or take it out of the declaration"
        )
    if summary.n_type_fault:
        found = profile.type_faults.get(column, "another type")
        return f"column {column!r} of {what} holds {found}; write it with its declared type"
    return (
        f"all {summary.rows} values of column {column!r} in {what} are missing or infinite; look "
        "at where it comes from"
    )
