"""What the columns of rows hold, told in one pass, before anyone said what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.profiles.hashing import Hashes
from dagster_monitoring.profiles.labels import class_names
from dagster_monitoring.profiles.reading import hash_values

Kind = Literal["boolean", "integer", "number", "text", "timestamp", "date", "other"]

MOST_DISTINCT = 10_000
"""Distinct values are counted up to here."""

MOST_VALUES = 50
"""Distinct values are named when there are no more than these."""

SAMPLE_ROWS = 20_000
"""Rows kept to see which columns go together."""

_ISO_DAY = r"^\d{4}-\d{2}-\d{2}$"
_ISO_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """One column.

    Attributes:
        name: as it is in the data.
        type: the Arrow type; several, with commas, where files differ.
        kind: what the type means here; ``other`` is nested, binary, or differs between files.
        zone: time zone of timestamps; ``None`` without one.
        rows: all rows.
        n_missing: null or NaN.
        n_distinct: values that differ, at most ``MOST_DISTINCT``.
        values: the distinct values as text, sorted; empty when there are more than
            ``MOST_VALUES``, or when they are no classes (fractions, times).
        minimum: smallest finite number; ``None`` if there is none.
        maximum: largest finite number.
        is_whole: every number is whole.
        is_unique: every row has a value that no other row has; text and whole numbers only.
        words: words a text has on average.
        is_day: every text is a day as YYYY-MM-DD.
        is_time: every text is an ISO 8601 time.
        first: earliest timestamp, or start of the earliest date, with a zone (UTC if it has none).
        last: latest timestamp.
    """

    name: str
    type: str
    kind: Kind
    zone: str | None
    rows: int
    n_missing: int
    n_distinct: int
    values: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    is_whole: bool
    is_unique: bool
    words: float
    is_day: bool
    is_time: bool
    first: datetime | None
    last: datetime | None

    @property
    def is_numeric(self) -> bool:
        """Integers and other numbers; not booleans."""
        return self.kind in {"integer", "number"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowsFacts:
    """All columns in their order, and the first rows to compare columns by."""

    rows: int
    columns: Mapping[str, ColumnFacts]
    sample: pa.Table


def gather_facts(batches: Iterable[pa.RecordBatch]) -> RowsFacts:
    """What rows hold, in one pass and bounded memory (eight bytes a row for what may be an id).

    Args:
        batches: the rows; the batches may differ in columns and types. None gives no columns.

    Example:
        >>> rows = pa.record_batch({"age": [31.0, None], "late": [1, 0]})
        >>> facts = gather_facts([rows])
        >>> facts.columns["late"].values, facts.columns["age"].n_missing
        (('0', '1'), 1)
    """
    tallies: dict[str, _Tally] = {}
    kept: list[pa.Table] = []
    rows = 0
    for batch in batches:
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            tallies.setdefault(name, _Tally(name)).add(_plain(array))
        if rows < SAMPLE_ROWS:
            kept.append(_comparable(batch.slice(0, SAMPLE_ROWS - rows)))
        rows += batch.num_rows
    columns = {name: tally.facts() for name, tally in tallies.items()}
    return RowsFacts(rows=rows, columns=columns, sample=_joined(kept, columns))


def kind_of(kind: pa.DataType) -> Kind:
    """What an Arrow type means here.

    Example:
        >>> kind_of(pa.int8()), kind_of(pa.list_(pa.float32()))
        ('integer', 'other')
    """
    if pa.types.is_dictionary(kind):
        return kind_of(kind.value_type)
    types = pa.types
    checks: tuple[tuple[Kind, bool], ...] = (
        ("boolean", types.is_boolean(kind)),
        ("integer", types.is_integer(kind)),
        ("number", types.is_floating(kind) or types.is_decimal(kind)),
        ("text", types.is_string(kind) or types.is_large_string(kind)),
        ("timestamp", types.is_timestamp(kind)),
        ("date", types.is_date(kind)),
    )
    return next((name for name, holds in checks if holds), "other")


class _Tally:
    """Sums up one column, batch by batch."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.types: dict[str, Kind] = {}
        self.zone: str | None = None
        self.rows = self.n_missing = self.n_words = 0
        self.distinct: set[object] = set()
        self.classes: set[str] | None = set()
        self.extremes: list[float] = []
        self.times: list[datetime] = []
        self.is_whole = self.is_day = self.is_time = True
        self.hashes: list[Hashes] | None = []

    def add(self, array: pa.Array) -> None:
        """One more batch."""
        if pa.types.is_null(array.type):
            self.rows += len(array)
            self.n_missing += len(array)
            return
        kind = kind_of(array.type)
        self.types[str(array.type)] = kind
        values = array.drop_null()
        if pa.types.is_floating(values.type):
            values = values.filter(pc.invert(pc.is_nan(values)))
        self.rows += len(array)
        self.n_missing += len(array) - len(values)
        if not len(values):
            return
        if kind in {"integer", "number"}:
            self._add_numbers(values)
        elif kind == "text":
            self._add_text(values)
        elif kind in {"timestamp", "date"}:
            self._add_times(values)
        if kind not in {"timestamp", "date", "other"}:
            self._add_distinct(values, kind)

    def facts(self) -> ColumnFacts:
        """What was seen."""
        kind, seen = self._kind(), self.rows - self.n_missing
        return ColumnFacts(
            name=self.name,
            type=", ".join(self.types) or "null",
            kind=kind,
            zone=self.zone,
            rows=self.rows,
            n_missing=self.n_missing,
            n_distinct=min(len(self.distinct), MOST_DISTINCT),
            values=tuple(sorted(self.classes or ())),
            minimum=min(self.extremes, default=None),
            maximum=max(self.extremes, default=None),
            is_whole=self.is_whole and kind in {"integer", "number"} and seen > 0,
            is_unique=self._is_unique(kind),
            words=self.n_words / seen if seen else 0.0,
            is_day=self.is_day and kind == "text" and seen > 0,
            is_time=self.is_time and kind == "text" and seen > 0,
            first=min(self.times, default=None),
            last=max(self.times, default=None),
        )

    def _add_numbers(self, values: pa.Array) -> None:
        numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        finite = numbers[np.isfinite(numbers)]
        if len(finite):
            self.extremes += [float(finite.min()), float(finite.max())]
        self.is_whole = self.is_whole and bool((finite == np.floor(finite)).all())

    def _add_text(self, values: pa.Array) -> None:
        text = values.cast(pa.large_string())
        self.n_words += int(pc.sum(pc.count_substring_regex(text, r"\S+")).as_py())
        self.is_day = self.is_day and bool(pc.all(pc.match_substring_regex(text, _ISO_DAY)).as_py())
        self.is_time = self.is_time and bool(
            pc.all(pc.match_substring_regex(text, _ISO_TIME)).as_py()
        )

    def _add_times(self, values: pa.Array) -> None:
        self.zone = getattr(values.type, "tz", None) or self.zone
        zone = getattr(values.type, "tz", None)
        moments = values.cast(pa.timestamp("us", tz=zone), safe=False)
        span = pc.min_max(moments.cast(pa.timestamp("us", tz="UTC"))).as_py()
        self.times += [span["min"], span["max"]]

    def _add_distinct(self, values: pa.Array, kind: Kind) -> None:
        unique = pc.unique(values)
        if len(self.distinct) < MOST_DISTINCT:
            self.distinct.update(unique.slice(0, MOST_DISTINCT).to_pylist())
        if len(self.distinct) > MOST_VALUES or not self._classlike(kind):
            self.classes = None
        elif self.classes is not None:
            self.classes.update(class_names(unique)[0])
        may_be_id = kind in {"text", "integer"} or (kind == "number" and self.is_whole)
        if self.hashes is not None and may_be_id and len(unique) == len(values):
            hashable = values.cast(pa.int64(), safe=False) if kind == "number" else values
            self.hashes.append(hash_values(hashable))
        else:
            self.hashes = None

    def _classlike(self, kind: Kind) -> bool:
        return kind in {"text", "boolean"} or self.is_whole

    def _kind(self) -> Kind:
        kinds = set(self.types.values())
        if len(kinds) == 1:
            return kinds.pop()
        return "number" if kinds == {"integer", "number"} else "other"

    def _is_unique(self, kind: Kind) -> bool:
        if not self.hashes or self.n_missing or kind == "other":
            return False
        together = np.concatenate(self.hashes)
        return len(np.unique(together)) == len(together)


def _plain(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _comparable(batch: pa.RecordBatch) -> pa.Table:
    """The columns that can be a class or a number, decoded."""
    kept = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if kind_of(array.type) in {"boolean", "integer", "number", "text"}:
            kept[name] = _plain(array)
    return pa.table(kept)


def _joined(parts: list[pa.Table], columns: Mapping[str, ColumnFacts]) -> pa.Table:
    """One table; a column that is a number here and a text there is in no sample."""
    unlike = {name for name, column in columns.items() if column.kind == "other"}
    kept = [part.select([n for n in part.column_names if n not in unlike]) for part in parts]
    return pa.concat_tables(kept, promote_options="permissive") if kept else pa.table({})
