"""Bins from a baseline's rows, a few columns at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa

from dagster_monitoring.arrays import is_null
from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles.bins import (
    LARGEST,
    Bins,
    CategoricalBins,
    NumericBins,
    build_numeric_bins,
    equal_width_edges,
)
from dagster_monitoring.profiles.doane import doane_count
from dagster_monitoring.profiles.names import short
from dagster_monitoring.profiles.reading import (
    Floats,
    WrongType,
    as_text,
    decode,
    read_names,
    read_numbers,
)

Read = Callable[[Sequence[str]], Iterable[pa.RecordBatch]]
"""Reads the baseline's rows anew each time, with the columns asked for."""

MAX_VOCABULARY = 10_000
"""Names of a vocabulary; of more, the most frequent are kept."""

_MAX_TALLY = 200_000
"""Names that are counted at a time; then the rarer half is forgotten."""

_MAX_VALUES = 1 << 25
"""Numbers that are held at a time: 256 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Bins by column, the types that were read, and notes for a person."""

    columns: dict[str, Bins]
    types: dict[str, str]
    notes: tuple[str, ...] = ()
    counts: dict[str, list[tuple[str, int]]] = field(default_factory=dict)


def fit(
    read: Read,
    *,
    numeric: Sequence[str],
    categorical: Sequence[str],
    equal_width: Sequence[int | Literal["doane"]] = (),
) -> Fitted:
    """The bins of every column.

    Args:
        read: the baseline's rows.
        numeric: columns of numbers.
        categorical: columns of names.
        equal_width: numbers of bins, or the rule for one, whose equal-width edges join every
            numeric column's.

    Raises:
        BaselineError: a column is missing or of a wrong type.
    """
    tallies = _Tallies(read, categorical)
    columns: dict[str, Bins] = {
        name: CategoricalBins(
            vocabulary=tuple(n for n, _ in counts[:MAX_VOCABULARY]),
            complete=len(counts) <= MAX_VOCABULARY and name not in tallies.forgot,
        )
        for name, counts in tallies.counts.items()
    }
    most = max(1, _MAX_VALUES // max(tallies.rows, 1))
    for start in range(0, len(numeric), most):
        for name, values in _read_numeric(read, numeric[start : start + most], tallies.types):
            counts = [count for count in equal_width if count != "doane"]
            whole = tallies.types.get(name, "").startswith(("int", "uint"))
            columns[name] = build_numeric_bins(
                values,
                extra_edges=_equal_width(values, counts),
                doane=_doane(values, whole=whole) if "doane" in equal_width else None,
            )
    return Fitted(
        columns=columns,
        types=dict(sorted(tallies.types.items())),
        notes=tuple(note for name, own in columns.items() if (note := _notes(name, own))),
        counts=tallies.counts,
    )


class _Tallies:
    """Counts of the categorical columns' names, from one pass."""

    def __init__(self, read: Read, names: Sequence[str]) -> None:
        self.rows = 0
        self.types: dict[str, str] = {}
        self.forgot: set[str] = set()
        tallies: dict[str, Counter[str]] = {name: Counter() for name in names}
        for batch in read(names):
            self.rows += batch.num_rows
            for name, array in _columns(batch, names, self.types):
                tallies[name].update(_count_names(name, array))
                if len(tallies[name]) > _MAX_TALLY:
                    tallies[name] = Counter(dict(_ranked(tallies[name])[: _MAX_TALLY // 2]))
                    self.forgot.add(name)
        self.counts = {name: _ranked(tally) for name, tally in tallies.items()}


def _read_numeric(
    read: Read, names: Sequence[str], types: dict[str, str]
) -> Iterator[tuple[str, Floats]]:
    parts: dict[str, list[Floats]] = {name: [] for name in names}
    for batch in read(names):
        for name, array in _columns(batch, names, types):
            numbers = read_numbers(array)
            if isinstance(numbers, WrongType):
                raise BaselineError(
                    f"the baseline's column {name!r} holds {numbers.found}, which is no number. "
                    f"Declare it under columns.categorical, or write it as a number"
                )
            parts[name].append(numbers.values)
    for name in names:
        yield name, np.concatenate([*parts.pop(name), np.zeros(0)])


def _columns(
    batch: pa.RecordBatch, names: Sequence[str], types: dict[str, str]
) -> Iterator[tuple[str, pa.Array]]:
    absent = [name for name in names if name not in batch.schema.names]
    if absent:
        raise BaselineError(
            f"the baseline has no column {', '.join(map(repr, absent))}. "
            f"It has: {', '.join(batch.schema.names)}"
        )
    for name in names:
        array = batch.column(batch.schema.names.index(name))
        types.setdefault(name, str(array.type))
        yield name, array


def _count_names(name: str, array: pa.Array) -> dict[str, int]:
    names = read_names(array)
    if isinstance(names, WrongType):
        raise BaselineError(
            f"the baseline's column {name!r} holds {names.found}, which is no category. "
            f"Leave it out of columns.categorical, or write it as text"
        )
    text = as_text(names.dictionary)
    codes = names.indices.drop_null().to_numpy()
    tally = np.bincount(codes, minlength=len(text))
    used = np.flatnonzero((tally > 0) & ~is_null(text))
    found: dict[str, int] = {}
    for entry, count in zip(decode(text.take(pa.array(used))), tally[used].tolist(), strict=True):
        found[short(entry)] = found.get(short(entry), 0) + count
    return found


def _ranked(tally: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first; equally frequent ones by name."""
    return sorted(tally.items(), key=lambda item: (-item[1], item[0]))


def _equal_width(values: Floats, counts: Sequence[int]) -> Floats:
    finite = values[np.abs(values) <= LARGEST]
    if not len(finite) or not counts:
        return np.zeros(0)
    low, high = float(finite.min()), float(finite.max())
    return np.concatenate([equal_width_edges(low, high, count) for count in counts])


def _doane(values: Floats, *, whole: bool) -> int | None:
    finite = values[np.abs(values) <= LARGEST]
    # Whole numbers with gaps among them are read as floats by pandas, hence by its users.
    return doane_count(finite, whole=whole and len(finite) == len(values)) if len(finite) else None


def _notes(name: str, bins: Bins) -> str | None:
    """What a person should know of a column, if anything."""
    if isinstance(bins, NumericBins):
        if bins.minimum is None:
            return f"column {name!r} has no finite value in the baseline: no drift can be told"
        is_constant = bins.minimum == bins.maximum
        return f"column {name!r} is constant in the baseline" if is_constant else None
    if not bins.complete:
        return (
            f"column {name!r} has more than {len(bins.vocabulary)} categories in the baseline: "
            f"only the most frequent ones are counted by name"
        )
    return {
        0: f"column {name!r} has no value in the baseline: every category will be new",
        1: f"column {name!r} is constant in the baseline",
    }.get(len(bins.vocabulary))
