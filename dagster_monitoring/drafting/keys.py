"""The columns that tell rows apart: id, timestamp, model version."""

from __future__ import annotations

from collections.abc import Collection

from dagster_monitoring.drafting.choices import Choices, Note, check_chosen
from dagster_monitoring.drafting.facts import ColumnFacts, RowsFacts
from dagster_monitoring.drafting.names import (
    ID_NAMES,
    LABEL_TIME_NAMES,
    TIME_NAMES,
    VERSION_NAMES,
    is_called,
    ranked,
    tokens,
)
from dagster_monitoring.errors import SchemaMismatchError

_MOST_VERSIONS = 100


def infer_id(facts: RowsFacts, choices: Choices) -> tuple[str, list[Note]]:
    """The column that identifies a prediction: called an id, or the one that is unique.

    Raises:
        SchemaMismatchError: none can be told; names the option that does.
    """
    if choices.id is not None:
        check_chosen(facts.columns, choices.id, option="--id")
        return choices.id, _id_notes(facts.columns[choices.id], [])
    may_be = [name for name, c in facts.columns.items() if c.kind in {"integer", "text", "number"}]
    taken = {choices.label, choices.prediction, choices.score}
    named = [name for name in may_be if _says_id(name) and name not in taken]
    unique = [name for name in may_be if facts.columns[name].is_unique and name not in taken]
    found = ranked([n for n in unique if n in named], ID_NAMES)
    exact = [name for name in ranked(named, ID_NAMES) if is_called(name, ID_NAMES)]
    found = found or exact or [name for name in unique if facts.columns[name].kind == "text"]
    if not found:
        raise SchemaMismatchError(
            "no column identifies a prediction: none has a value of its own in every row. "
            "Labels are joined to predictions by it: name it with --id. "
            f"The baseline has: {', '.join(facts.columns)}"
        )
    rivals = [] if is_called(found[0], ID_NAMES[:1]) else found[1:]
    return found[0], _id_notes(facts.columns[found[0]], rivals)


def infer_timestamp(facts: RowsFacts, choices: Choices) -> tuple[str, list[Note]]:
    """The column of the moment of prediction.

    Raises:
        SchemaMismatchError: none can be told, or the chosen one is no timestamp.
    """
    times = [name for name, c in facts.columns.items() if c.kind in {"timestamp", "date"}]
    if choices.timestamp is not None:
        check_chosen(facts.columns, choices.timestamp, option="--timestamp")
        if choices.timestamp not in times:
            raise _no_time(facts, choices.timestamp)
        return choices.timestamp, _time_notes(facts.columns[choices.timestamp], [])
    if not times:
        raise _no_time(facts, None)
    early = [name for name in times if not is_called(name, LABEL_TIME_NAMES)] or times
    zoned = [name for name in early if facts.columns[name].zone is not None]
    found = ranked([*zoned, *(name for name in early if name not in zoned)], TIME_NAMES)
    rivals = [] if is_called(found[0], TIME_NAMES[:1]) else found[1:]
    return found[0], _time_notes(facts.columns[found[0]], rivals)


def infer_model_version(facts: RowsFacts, *, taken: Collection[str]) -> str | None:
    """The column of the version that scored a row, by its name; ``None`` when there is none."""
    found = [
        name
        for name, column in facts.columns.items()
        if name not in taken
        and is_called(name, VERSION_NAMES)
        and column.kind in {"text", "integer"}
        and column.n_distinct <= _MOST_VERSIONS
        # A car's "model" is a feature; a version is not many values in one baseline.
        and (is_called(name, VERSION_NAMES[:1]) or column.n_distinct == 1)
    ]
    return ranked(found, VERSION_NAMES)[0] if found else None


def _says_id(name: str) -> bool:
    words = tokens(name)
    return bool(words) and (words[-1] in {"id", "uuid", "guid", "key"} or name.endswith("Id"))


def _id_notes(column: ColumnFacts, rivals: list[str]) -> list[Note]:
    notes = []
    if not column.is_unique:
        notes.append(
            Note("columns.id", f"some rows have no {column.name}, or one that another row has too")
        )
    if rivals:
        also = ", ".join(rivals)
        notes.append(Note("columns.id", f"unique as well: {also}; --id says which labels bring"))
    return notes


def _time_notes(column: ColumnFacts, rivals: list[str]) -> list[Note]:
    notes = []
    if column.zone is None:
        notes.append(
            Note("columns.timestamp", f"{column.name} has no time zone: it is read as UTC, and "
                 "every row counts as faulty. Write it with a zone")
        )  # fmt: skip
    if rivals:
        also = ", ".join(rivals)
        notes.append(
            Note("columns.timestamp", f"times as well: {also}; --timestamp says which one "
                 "is the moment of the prediction")
        )  # fmt: skip
    return notes


def _no_time(facts: RowsFacts, chosen: str | None) -> SchemaMismatchError:
    texts = [chosen] if chosen else [n for n, c in facts.columns.items() if c.is_time or c.is_day]
    told = [f"{name} ({facts.columns[name].type})" for name in texts]
    also = f" {told[0]} is none: write it as a timestamp with a time zone." if told else ""
    return SchemaMismatchError(
        f"no column is a timestamp of the prediction.{also} "
        f"Name it with --timestamp. The baseline has: {', '.join(facts.columns)}"
    )
