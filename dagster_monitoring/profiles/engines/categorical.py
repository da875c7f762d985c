"""Counting one categorical column, on the codes of its dictionary."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.arrays import is_null
from dagster_monitoring.profiles.bins import CategoricalBins
from dagster_monitoring.profiles.column import CategoricalColumn
from dagster_monitoring.profiles.engines import local
from dagster_monitoring.profiles.engines.cubes import Cube, Places, SegmentRows
from dagster_monitoring.profiles.engines.loops import Loops
from dagster_monitoring.profiles.names import MAX_LENGTH, NameCounts, count_names, short
from dagster_monitoring.profiles.reading import as_text, decode
from dagster_monitoring.profiles.segments import CategoricalBlock

Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def width_of(bins: CategoricalBins) -> int:
    """Counts of a segment: by name, of other names, of nulls."""
    return len(bins.segment_vocabulary) + 2


class _Vocabulary(NamedTuple):
    """What counting on a column's names goes by.

    Attributes:
        names: all of them.
        long: where those are that may have been cut.
        coarse: the segment's cell by place; the last two places are of unseen names and of nulls.
    """

    names: pa.Array
    long: dict[str, int]
    coarse: Integers


@lru_cache(maxsize=512)
def _vocabulary(bins: CategoricalBins) -> _Vocabulary:
    """Of a column's bins; made once."""
    coarse = np.minimum(np.arange(len(bins.vocabulary) + 2), width_of(bins) - 2)
    coarse[-1] = width_of(bins) - 1
    return _Vocabulary(
        names=pa.array(bins.vocabulary, pa.string()),
        long={n: i for i, n in enumerate(bins.vocabulary) if len(n) == MAX_LENGTH},
        coarse=coarse,
    )


class CategoricalCounter:
    """Counts one categorical column piece by piece, on the codes of its dictionary."""

    def __init__(self, bins: CategoricalBins, cube: Cube) -> None:
        self._size = len(bins.vocabulary)
        self._vocabulary = _vocabulary(bins)
        # After the vocabulary: a cell for unseen names, one for nulls.
        self._counts = np.zeros(self._size + 2, dtype=np.int64)
        self._unseen = NameCounts()
        self._n_wrong = 0
        # Rows by code of the dictionary at hand; the last is of nulls.
        self._by_code: Integers = np.zeros(0, dtype=np.int64)
        self._dictionary: pa.Array = None
        self._mapping: Integers = np.zeros(0, dtype=np.int64)
        self._text: pa.Array = self._vocabulary.names
        self._cube = cube
        self._cube_counts = np.zeros((cube.cells, width_of(bins)), dtype=np.int64)
        self._segment_wrong = [np.zeros((n, 2), dtype=np.int64) for n in cube.sizes]

    def places(self, array: pa.DictionaryArray, loops: Loops = local) -> Places:
        """The place of each row's name; ``size`` if unseen, ``size + 1`` if null. Counts too."""
        self._learn(array.dictionary)
        return loops.place_codes(array.indices, self._mapping, self._by_code)

    def add_segments(self, place: Places, rows: SegmentRows, loops: Loops) -> None:
        """Count rows by segment."""
        if self._cube.groups:
            loops.count_cells(place, self._vocabulary.coarse, rows, self._cube, self._cube_counts)

    def add_wrong(self, null: Bools, rows: SegmentRows) -> None:
        """Count rows of a type that is no category; nulls among them stay nulls."""
        self._n_wrong += int((~null).sum())
        self._counts[-1] += int(null.sum())
        for faults, place in zip(self._segment_wrong, rows.places, strict=True):
            joint = np.bincount(place * 2 + ~null, minlength=faults.size)
            np.add(faults, joint.reshape(faults.shape), out=faults)

    def column(self) -> CategoricalColumn:
        """What was counted."""
        self._settle()
        return CategoricalColumn(
            counts=self._counts[:-2],
            unseen=self._unseen,
            n_null=int(self._counts[-1]),
            n_type_fault=self._n_wrong,
        )

    def blocks(self) -> list[CategoricalBlock]:
        """What was counted by segment, one block a segment column."""
        tables = cast(list[Integers], self._cube.by_column(self._cube_counts))
        blocks = []
        for table, wrong in zip(tables, self._segment_wrong, strict=True):
            faults = np.column_stack((table[:, -2], table[:, -1] + wrong[:, 0], wrong[:, 1]))
            blocks.append(CategoricalBlock(counts=table[:, :-2].copy(), faults=faults))
        return blocks

    def _learn(self, dictionary: pa.Array) -> None:
        """Map codes to places. A dictionary that many batches share is mapped once."""
        if self._dictionary is not None and _is_same(self._dictionary, dictionary):
            return
        self._settle()
        text = as_text(dictionary)
        found = pc.index_in(text, value_set=self._vocabulary.names).fill_null(self._size)
        mapping = np.append(found.to_numpy(zero_copy_only=False), self._size + 1)
        mapping = mapping.astype(np.int64)
        if text.null_count:
            mapping[:-1][is_null(text)] = self._size + 1
        if self._vocabulary.long:
            self._find_long(text, mapping)
        self._dictionary, self._mapping, self._text = dictionary, mapping, text
        self._by_code = np.zeros(len(mapping), dtype=np.int64)

    def _find_long(self, text: pa.Array, mapping: Integers) -> None:
        """The vocabulary keeps long names cut; look the others up in that form."""
        length = pc.binary_length(text).fill_null(0).to_numpy(zero_copy_only=False)
        for i in np.flatnonzero((length > MAX_LENGTH) & (mapping[:-1] == self._size)).tolist():
            (name,) = decode(text.slice(i, 1))
            mapping[i] = self._vocabulary.long.get(short(name), self._size)

    def _settle(self) -> None:
        """Codes become places once a dictionary, however many pieces share it; so do new names."""
        used = np.flatnonzero(self._by_code)
        places, rows = self._mapping[used], self._by_code[used]
        np.add.at(self._counts, places, rows)
        is_unseen = places == self._size
        if is_unseen.any():
            text = self._text.take(pa.array(used[is_unseen]))
            self._unseen = self._unseen + count_names(text, rows[is_unseen])
        self._by_code[used] = 0


def _is_same(left: pa.Array, right: pa.Array) -> bool:
    """Whether two dictionaries are the same memory; ``left`` is kept alive by its owner."""
    return (len(left), left.offset, _addresses(left)) == (
        len(right),
        right.offset,
        _addresses(right),
    )


def _addresses(array: pa.Array) -> list[int | None]:
    return [None if buffer is None else buffer.address for buffer in array.buffers()]
