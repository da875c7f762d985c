"""The counting kernel of one process: NumPy on pieces that stay in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.profiles.bins import (
    LARGEST,
    SEGMENT_BINS,
    CategoricalBins,
    NumericBins,
)
from dagster_monitoring.profiles.column import CategoricalColumn, NumericColumn
from dagster_monitoring.profiles.engines.lookup import Workspace, lookup
from dagster_monitoring.profiles.names import MAX_LENGTH, NameCounts, short
from dagster_monitoring.profiles.reading import Numbers, as_text, decode, is_null
from dagster_monitoring.profiles.segments import CategoricalBlock, NumericBlock

Places = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PIECE = 32_768
"""Rows that are counted at a time: 256 KB a column and buffer."""

_STRIDE = SEGMENT_BINS + 1
_NULL, _NAN, _POSITIVE, _NEGATIVE, _WRONG = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPlaces:
    """The segment of each row of a piece, in one segment column.

    Attributes:
        place: which segment, shape ``(n,)``.
        start: the segment's first cell among numeric counts.
        size: how many segments there are.
    """

    place: Places
    start: Places
    size: int

    @classmethod
    def of(cls, place: Places, size: int) -> SegmentPlaces:
        """From the segment of each row."""
        return cls(place, place * _STRIDE, size)


class NumericCounter:
    """Counts one numeric column piece by piece."""

    def __init__(self, bins: NumericBins, segment_sizes: Sequence[int], work: Workspace) -> None:
        self._bins = bins
        self._lookup = lookup(bins)
        self._work = work
        size = len(bins.edges) + 1
        # The last cell takes rows that have no finite number.
        self._counts = np.zeros(size + 1, dtype=np.int64)
        self._sums = np.zeros(size + 1)
        self._squares = 0.0
        self._faults = np.zeros(5, dtype=np.int64)
        self._range: tuple[float, float] | None = None
        self._coarse = np.append(
            np.searchsorted(bins.segment_edges, np.append(-np.inf, bins.edges), side="right"),
            SEGMENT_BINS,
        ).astype(np.intp)
        self._segments = [NumericBlock.empty(n, _STRIDE) for n in segment_sizes]

    def add(self, numbers: Numbers, segments: Sequence[SegmentPlaces]) -> None:
        """Count at most ``PIECE`` rows."""
        values, n = numbers.values, len(numbers.values)
        if not n:
            return
        low, high = float(values.min()), float(values.max())
        aside: Bools | None = None
        # Written so that NaN, which compares as false, is set aside too.
        if not (low >= -LARGEST and high <= LARGEST):
            aside = ~(np.abs(values) <= LARGEST)
            self._count_aside(numbers, aside, segments)
            kept = values[~aside]
            if not len(kept):
                return
            low, high = float(kept.min()), float(kept.max())
            values = np.where(aside, self._bins.centre, values)
        self._stretch(low, high)
        place = self._lookup.places(values, self._work)
        if aside is not None:
            place[aside] = len(self._counts) - 1
        offsets = np.subtract(values, self._bins.centre, out=self._work.offsets[:n])
        self._counts += np.bincount(place, minlength=len(self._counts))
        self._sums += np.bincount(place, weights=offsets, minlength=len(self._counts))
        # Not np.dot: it would start threads.
        self._squares += float(np.einsum("i,i", offsets, offsets))
        if segments:
            self._add_segments(place, offsets, segments)

    def add_wrong(self, null: Bools, segments: Sequence[SegmentPlaces]) -> None:
        """Count rows of a type that is no number; nulls among them stay nulls."""
        kind = np.where(null, _NULL, _WRONG)
        self._faults += np.bincount(kind, minlength=5)
        for block, segment in zip(self._segments, segments, strict=True):
            joint = np.bincount(segment.place * 5 + kind, minlength=segment.size * 5)
            block.faults[...] += joint.reshape(-1, 5)

    def column(self) -> NumericColumn:
        """What was counted."""
        null, nan, positive, negative, wrong = self._faults.tolist()
        low, high = self._range or (None, None)
        return NumericColumn(
            counts=self._counts[:-1],
            sums=self._sums[:-1],
            sum_squares=self._squares,
            n_null=null,
            n_nan=nan,
            n_positive_infinite=positive,
            n_negative_infinite=negative,
            n_type_fault=wrong,
            minimum=low,
            maximum=high,
        )

    def blocks(self) -> list[NumericBlock]:
        """What was counted by segment, one block a segment column."""
        size = len(self._bins.segment_edges) + 1
        return [
            NumericBlock(
                counts=block.counts[:, :size].copy(),
                sums=block.sums[:, :size].copy(),
                sum_squares=block.sum_squares,
                faults=block.faults,
            )
            for block in self._segments
        ]

    def _add_segments(
        self, place: Places, offsets: Floats, segments: Sequence[SegmentPlaces]
    ) -> None:
        n, work = len(place), self._work
        coarse = np.take(self._coarse, place, out=work.coarse[:n], mode="clip")
        squares = np.multiply(offsets, offsets, out=work.squares[:n])
        for block, segment in zip(self._segments, segments, strict=True):
            joint = np.add(segment.start, coarse, out=work.joint[:n])
            size = segment.size * _STRIDE
            shape = (segment.size, _STRIDE)
            block.counts[...] += np.bincount(joint, minlength=size).reshape(shape)
            block.sums[...] += np.bincount(joint, weights=offsets, minlength=size).reshape(shape)
            block.sum_squares[...] += np.bincount(
                segment.place, weights=squares, minlength=segment.size
            )

    def _count_aside(
        self, numbers: Numbers, aside: Bools, segments: Sequence[SegmentPlaces]
    ) -> None:
        at = np.flatnonzero(aside)
        values = numbers.values[at]
        kind = np.where(np.isnan(values), _NAN, np.where(values > 0, _POSITIVE, _NEGATIVE))
        n_null = numbers.array.null_count
        if n_null == np.count_nonzero(kind == _NAN):
            kind[kind == _NAN] = _NULL
        elif n_null:
            kind[is_null(numbers.array)[at]] = _NULL
        self._faults += np.bincount(kind, minlength=5)
        for block, segment in zip(self._segments, segments, strict=True):
            joint = np.bincount(segment.place[at] * 5 + kind, minlength=segment.size * 5)
            block.faults[...] += joint.reshape(-1, 5)

    def _stretch(self, low: float, high: float) -> None:
        before = self._range or (low, high)
        self._range = (min(before[0], low), max(before[1], high))


class CategoricalCounter:
    """Counts one categorical column piece by piece, on the codes of its dictionary."""

    def __init__(self, bins: CategoricalBins, segment_sizes: Sequence[int]) -> None:
        self._size = len(bins.vocabulary)
        self._names = pa.array(bins.vocabulary, pa.string())
        self._long = {n: i for i, n in enumerate(bins.vocabulary) if len(n) == MAX_LENGTH}
        # After the vocabulary: a cell for unseen names, one for nulls.
        self._counts = np.zeros(self._size + 2, dtype=np.int64)
        self._unseen = NameCounts()
        self._n_wrong = 0
        self._dictionary: pa.Array = None
        self._mapping: Places = np.zeros(0, dtype=np.intp)
        self._text: pa.Array = self._names
        width = len(bins.segment_vocabulary)
        self._coarse = np.minimum(np.arange(self._size + 2), width)
        self._coarse[-1] = width + 1
        self._wide = width + 2
        self._segments = [CategoricalBlock.empty(n, width) for n in segment_sizes]

    def places(self, array: pa.DictionaryArray) -> Places:
        """The place of each row's name; ``size`` if unseen, ``size + 1`` if null. Counts too."""
        self._learn(array.dictionary)
        codes = array.indices
        if codes.null_count:
            codes = codes.cast(pa.int64()).fill_null(len(self._mapping) - 1)
        code = codes.to_numpy(zero_copy_only=False)
        tally = np.bincount(code, minlength=len(self._mapping))
        own = np.bincount(self._mapping, weights=tally, minlength=self._size + 2)
        self._counts += own.astype(np.int64)
        if own[self._size]:
            self._name_unseen(tally)
        place: Places = self._mapping[code]
        return place

    def add_segments(self, place: Places, segments: Sequence[SegmentPlaces]) -> None:
        """Count rows by segment."""
        if not segments:
            return
        coarse = self._coarse[place]
        for block, segment in zip(self._segments, segments, strict=True):
            joint = segment.place * self._wide + coarse
            table = np.bincount(joint, minlength=segment.size * self._wide)
            table = table.reshape(segment.size, self._wide)
            block.counts[...] += table[:, :-2]
            block.faults[:, :2] += table[:, -2:]

    def add_wrong(self, null: Bools, segments: Sequence[SegmentPlaces]) -> Places:
        """Count rows of a type that is no category; nulls among them stay nulls."""
        self._n_wrong += int((~null).sum())
        self._counts[-1] += int(null.sum())
        for block, segment in zip(self._segments, segments, strict=True):
            joint = np.bincount(segment.place * 2 + ~null, minlength=segment.size * 2)
            block.faults[:, 1:] += joint.reshape(-1, 2)
        return np.full(len(null), self._size + 1, dtype=np.intp)

    def column(self) -> CategoricalColumn:
        """What was counted."""
        return CategoricalColumn(
            counts=self._counts[:-2],
            unseen=self._unseen,
            n_null=int(self._counts[-1]),
            n_type_fault=self._n_wrong,
        )

    def blocks(self) -> list[CategoricalBlock]:
        """What was counted by segment, one block a segment column."""
        return self._segments

    def _learn(self, dictionary: pa.Array) -> None:
        """Map codes to places. A dictionary that many batches share is mapped once."""
        if self._dictionary is not None and _is_same(self._dictionary, dictionary):
            return
        text = as_text(dictionary)
        found = pc.index_in(text, value_set=self._names).fill_null(self._size)
        mapping = np.append(found.to_numpy(zero_copy_only=False), self._size + 1)
        mapping = mapping.astype(np.intp)
        if text.null_count:
            mapping[:-1][is_null(text)] = self._size + 1
        if self._long:
            self._find_long(text, mapping)
        self._dictionary, self._mapping, self._text = dictionary, mapping, text

    def _find_long(self, text: pa.Array, mapping: Places) -> None:
        """The vocabulary keeps long names cut; look the others up in that form."""
        length = pc.binary_length(text).fill_null(0).to_numpy(zero_copy_only=False)
        for i in np.flatnonzero((length > MAX_LENGTH) & (mapping[:-1] == self._size)).tolist():
            (name,) = decode(text.slice(i, 1))
            mapping[i] = self._long.get(short(name), self._size)

    def _name_unseen(self, tally: npt.NDArray[np.int64]) -> None:
        used = np.flatnonzero((self._mapping == self._size) & (tally > 0))
        names = decode(self._text.take(pa.array(used)))
        counts: dict[str, int] = {}
        for name, count in zip(map(short, names), tally[used].tolist(), strict=True):
            counts[name] = counts.get(name, 0) + count
        self._unseen = self._unseen + NameCounts.of(counts)


def _is_same(left: pa.Array, right: pa.Array) -> bool:
    """Whether two dictionaries are the same memory; ``left`` is kept alive by its owner."""
    return (len(left), left.offset, _addresses(left)) == (
        len(right),
        right.offset,
        _addresses(right),
    )


def _addresses(array: pa.Array) -> list[int | None]:
    return [None if buffer is None else buffer.address for buffer in array.buffers()]
