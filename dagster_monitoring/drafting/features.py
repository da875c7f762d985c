"""Which of the remaining columns are features, numeric or categorical, and which are not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dagster_monitoring.drafting.choices import Note
from dagster_monitoring.drafting.facts import MOST_DISTINCT, ColumnFacts, RowsFacts

_MOST_CATEGORIES = 1_000
_WORDS_OF_PROSE = 5
# From this share of distinct values on, a text tells rows apart rather than groups of them.
_ID_LIKE_SHARE = 0.5
_FEWEST_FOR_SHARE = 50
_FEW_CODES = 12
_SEGMENT_VALUES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesDraft:
    """Features in their order; ``left_out`` maps a column to the reason it is none."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    left_out: dict[str, str]
    notes: tuple[Note, ...]

    def segments(self, facts: RowsFacts) -> tuple[str, ...]:
        """Categorical columns of few enough values to watch one by one."""
        return tuple(
            name
            for name in self.categorical
            if 1 < facts.columns[name].n_distinct <= _SEGMENT_VALUES
        )


def infer_features(facts: RowsFacts, *, taken: Collection[str]) -> FeaturesDraft:
    """Sorts the columns that have no other role.

    Args:
        facts: what the columns hold.
        taken: columns that have a role, or were left out already.
    """
    numeric: list[str] = []
    categorical: list[str] = []
    left_out: dict[str, str] = {}
    notes: list[Note] = []
    for name, column in facts.columns.items():
        if name in taken:
            continue
        reason = why_no_feature(column)
        if reason is not None:
            left_out[name] = reason
        elif column.is_numeric and not _is_flag(column):
            numeric.append(name)
            if column.kind == "integer" and column.n_distinct <= _FEW_CODES:
                text = f"{name} has {column.n_distinct} whole numbers: if they are codes, "
                notes.append(Note("columns.numeric", text + "move it to categorical"))
        else:
            categorical.append(name)
    return FeaturesDraft(
        numeric=tuple(numeric),
        categorical=tuple(categorical),
        left_out=left_out,
        notes=tuple(notes),
    )


def why_no_feature(column: ColumnFacts) -> str | None:
    """Why a column is no feature; ``None`` if it may be one."""
    if column.n_missing == column.rows:
        return "no row has a value"
    if column.kind in {"timestamp", "date"} or column.is_time or column.is_day:
        return "days or times: every new slice brings values never seen"
    if column.kind == "other":
        return f"type {column.type}, neither number nor category"
    if column.n_distinct == 1:
        return "constant in the baseline: there is nothing to compare with"
    return _why_no_category(column) if column.kind == "text" else _why_no_number(column)


def _why_no_category(column: ColumnFacts) -> str | None:
    seen = column.rows - column.n_missing
    many = "or more " if column.n_distinct == MOST_DISTINCT else ""
    distinct = f"{column.n_distinct:,} {many}distinct values in {seen:,} rows"
    tells_rows = seen >= _FEWEST_FOR_SHARE and column.n_distinct > _ID_LIKE_SHARE * seen
    if column.words >= _WORDS_OF_PROSE and (tells_rows or column.n_distinct > _MOST_CATEGORIES):
        return f"free text: {column.words:.0f} words on average"
    if tells_rows:
        return f"{distinct}: it tells rows apart, as an id does"
    if column.n_distinct > _MOST_CATEGORIES:
        return f"{distinct}: too many to compare as categories"
    return None


def _why_no_number(column: ColumnFacts) -> str | None:
    if column.kind == "integer" and column.is_unique and column.rows >= _FEWEST_FOR_SHARE:
        return "every row has a whole number of its own: it tells rows apart, as an id does"
    return None


def _is_flag(column: ColumnFacts) -> bool:
    """Whole numbers of which there are two, 0 and 1."""
    return column.is_whole and set(column.values) == {"0", "1"}
