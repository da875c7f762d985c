"""One pass over a slice: Arrow batches in, a profile out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.arrays import is_null
from dagster_monitoring.profiles.bins import OTHER, BinSet
from dagster_monitoring.profiles.duplicates import Duplicates
from dagster_monitoring.profiles.engines.categorical import CategoricalCounter, width_of
from dagster_monitoring.profiles.engines.cubes import Cube, Places, SegmentRows
from dagster_monitoring.profiles.engines.kernels import Kernel, Kernels
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.loops import PIECE, Loops
from dagster_monitoring.profiles.engines.numeric import NumericCounter
from dagster_monitoring.profiles.engines.tally import STRIDE
from dagster_monitoring.profiles.gathering import gather
from dagster_monitoring.profiles.hashing import Hashes
from dagster_monitoring.profiles.names import NameCounts, short
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.reading import (
    WrongType,
    as_text,
    decode,
    hash_ids,
    read_moments,
    read_names,
    read_numbers,
)
from dagster_monitoring.profiles.rows import RowCounter, WholeRows
from dagster_monitoring.profiles.segments import Block, SegmentTable
from dagster_monitoring.schema import Columns

_CUBE_COUNTS = 1 << 15
"""Counts of all combinations of segments in one column, at the most, so that they stay in the
cache: 256 KB."""

_ALL_CUBE_COUNTS = 1 << 22
"""The same in all columns together: 64 MB, with their sums."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_VERSION = "<missing>"


def scan(  # noqa: PLR0913 - what a slice is, and how it is counted
    batches: Iterable[pa.RecordBatch],
    *,
    bins: BinSet,
    columns: Columns,
    extra_numeric: tuple[str, ...] = (),
    extra_categorical: tuple[str, ...] = (),
    bounds: tuple[datetime, datetime] | None = None,
    known: Iterable[str] = (),
    sources: tuple[str, ...] = (),
    kernel: Kernel | Kernels = "auto",
) -> Profile:
    """The profile of a slice, on a baseline's bins.

    A column that is missing, all null or of a wrong type is said in the profile and stops no
    other. Timestamps without a zone are read as UTC and counted as bad.

    Args:
        batches: the slice's rows, in any number of batches; their schemas may differ.
        bins: the baseline's bins. Every column in them is counted.
        columns: the roles of the columns.
        extra_numeric: numeric columns beside the features, for instance the score.
        extra_categorical: categorical columns beside the features, for instance the prediction.
        bounds: start (included) and end (excluded) of the slice; rows outside are counted.
        known: further columns that are no surprise, for instance the label.
        sources: the names of the files, to be remembered.
        kernel: which implementation counts, or what chooses it; all give the same profile to
            the bit. ``"auto"`` takes the compiled one, if it is installed, once a process has
            counted enough to be worth its start.

    Returns:
        The profile; of no rows when there are none.

    Raises:
        MissingExtraError: the compiled kernel is asked for and numba is not installed.
    """
    expected = {
        *(columns.id, columns.timestamp, *columns.features, *extra_numeric, *extra_categorical),
        *([columns.model_version] if columns.model_version else []),
        *bins.columns,
    }
    missing: set[str] = set()
    extra: set[str] = set()
    # Arithmetic with a signalling NaN, as R's NA is, would warn.
    with np.errstate(invalid="ignore"), Duplicates() as duplicates:
        run = _Scan(bins, columns, bounds, duplicates)
        kernels = kernel if isinstance(kernel, Kernels) else Kernels(kernel)
        for batch in gather(batches, rows=PIECE // 2):
            names = set(batch.schema.names)
            missing |= expected - names
            extra |= names - expected - set(known)
            loops = kernels.of(batch.num_rows * len(bins.columns))
            for piece in _pieces(batch, loops.ROWS):
                run.add(piece, loops)
        return run.profile(missing=missing, extra=extra, sources=sources)


class _Scan:
    """The state of one scan."""

    def __init__(
        self,
        bins: BinSet,
        columns: Columns,
        bounds: tuple[datetime, datetime] | None,
        duplicates: Duplicates,
    ) -> None:
        self._bins = bins
        self._columns = columns
        self._bounds = tuple(map(_microseconds, bounds)) if bounds else None
        sizes = [len(values) + 1 for values in bins.segments.values()]
        work = Workspace(PIECE)
        most = min(_CUBE_COUNTS, _ALL_CUBE_COUNTS // max(len(bins.columns), 1))
        cube = self._cube = Cube.within(sizes, most=most // STRIDE)
        self._numeric = {n: NumericCounter(b, cube, work) for n, b in bins.numeric.items()}
        self._categorical = {
            n: CategoricalCounter(b, Cube.within(sizes, most=most // width_of(b)))
            for n, b in bins.categorical.items()
        }
        self._segment_of = {n: _segment_places(bins, n) for n in bins.segments}
        self._rows_by_cell = np.zeros(cube.cells, dtype=np.int64)
        self._whole = RowCounter(bins)
        self._kept = {name for projection in bins.projections for name in projection.columns}
        self._kept.update(bins.sample.columns if bins.sample else ())
        self._seen: set[str] = set()
        self._rows = 0
        self._duplicates = duplicates
        self._n_null_ids = 0
        self._n_outside = 0
        self._n_bad = 0
        self._span: tuple[int, int] | None = None
        self._versions = NameCounts()
        self._type_faults: dict[str, set[str]] = {}

    def add(self, piece: pa.RecordBatch, loops: Loops) -> None:
        """Count one piece."""
        arrays = dict(zip(piece.schema.names, piece.columns, strict=True))
        self._rows += piece.num_rows
        whole = WholeRows(ids=arrays.get(self._columns.id), n=piece.num_rows)
        whole.hashes = self._add_ids(whole.ids)
        self._add_moments(arrays.get(self._columns.timestamp))
        self._add_versions(arrays)
        rows = self._add_names(arrays, piece.num_rows, whole, loops)
        for name, counter in self._numeric.items():
            if name not in arrays:
                continue
            self._seen.add(name)
            numbers = read_numbers(arrays[name])
            if isinstance(numbers, WrongType):
                self._fault(name, numbers)
                counter.add_wrong(is_null(arrays[name]), rows)
            else:
                counter.add(numbers, rows, loops)
                if name in self._kept:
                    whole.columns[name] = numbers.values
        self._whole.add(whole)

    def profile(self, *, missing: set[str], extra: set[str], sources: tuple[str, ...]) -> Profile:
        """What was counted."""
        first, last = self._span or (None, None)
        counters: dict[str, NumericCounter | CategoricalCounter] = {
            **self._numeric,
            **self._categorical,
        }
        # Of a slice without files nothing is known to be missing.
        found = {n: c for n, c in counters.items() if n in self._seen or n not in missing}
        return Profile(
            rows=self._rows,
            n_duplicate_ids=self._n_null_ids + self._duplicates.count(),
            n_outside_partition=self._n_outside,
            n_bad_timestamps=self._n_bad,
            first_timestamp=_moment(first),
            last_timestamp=_moment(last),
            columns={name: found[name].column() for name in sorted(found)},
            segment_tables=self._segment_tables(found),
            errors=self._whole.errors(),
            sample=self._whole.sample(),
            missing_columns=tuple(sorted(missing)),
            extra_columns=tuple(sorted(extra)),
            type_faults={n: ", ".join(sorted(t)) for n, t in sorted(self._type_faults.items())},
            versions=self._versions,
            bins_key=self._bins.key,
            sources=tuple(sorted(sources)),
        )

    def _segment_tables(
        self, counters: Mapping[str, NumericCounter | CategoricalCounter]
    ) -> dict[str, SegmentTable]:
        if not self._bins.segments:
            return {}
        blocks: dict[str, list[Block]] = {n: [*counters[n].blocks()] for n in sorted(counters)}
        rows = cast(list[npt.NDArray[np.int64]], self._cube.by_column(self._rows_by_cell))
        return {
            column: SegmentTable(
                values=(*values, OTHER),
                rows=rows[i],
                columns={name: own[i] for name, own in blocks.items()},
            )
            for i, (column, values) in enumerate(self._bins.segments.items())
        }

    def _add_names(
        self, arrays: Mapping[str, pa.Array], n_rows: int, whole: WholeRows, loops: Loops
    ) -> SegmentRows:
        """Count the categorical columns, and find the segments of all rows."""
        places: dict[str, Places] = {}
        wrong: dict[str, npt.NDArray[np.bool_]] = {}
        for name, counter in self._categorical.items():
            if name not in arrays:
                continue
            self._seen.add(name)
            names = read_names(arrays[name])
            if isinstance(names, WrongType):
                self._fault(name, names)
                wrong[name] = is_null(arrays[name])
            else:
                places[name] = counter.places(names, loops)
        segments = [self._segments(places.get(n), n, n_rows, loops) for n in self._bins.segments]
        rows = SegmentRows(segments, self._cube.sizes)
        cells = rows.cells(self._cube).ravel()
        self._rows_by_cell += np.bincount(cells, minlength=self._cube.cells)
        whole.columns.update(places)
        for name, place in places.items():
            self._categorical[name].add_segments(place, rows, loops)
        for name, null in wrong.items():
            self._categorical[name].add_wrong(null, rows)
        return rows

    def _segments(self, place: Places | None, name: str, n_rows: int, loops: Loops) -> Places:
        if place is None:
            return np.full(n_rows, len(self._bins.segments[name]), dtype=np.intp)
        return loops.take(self._segment_of[name], place)

    def _add_ids(self, ids: pa.Array | None) -> Hashes | None:
        if ids is None:
            return None
        hashes = hash_ids(ids)
        if isinstance(hashes, WrongType):
            self._fault(self._columns.id, hashes)
            return None
        self._duplicates.add(hashes)
        self._n_null_ids += len(ids) - len(hashes)
        return hashes

    def _add_moments(self, timestamps: pa.Array | None) -> None:
        if timestamps is None:
            return
        moments = read_moments(timestamps)
        self._n_bad += moments.n_bad
        ticks = moments.microseconds
        if not len(ticks):
            return
        low, high = int(ticks.min()), int(ticks.max())
        before = self._span or (low, high)
        self._span = (min(before[0], low), max(before[1], high))
        if self._bounds and (low < self._bounds[0] or high >= self._bounds[1]):
            inside = (ticks >= self._bounds[0]) & (ticks < self._bounds[1])
            self._n_outside += len(ticks) - int(inside.sum())

    def _add_versions(self, arrays: Mapping[str, pa.Array]) -> None:
        column = self._columns.model_version
        if column is None or column not in arrays:
            return
        names = read_names(arrays[column])
        if isinstance(names, WrongType):
            return
        text = as_text(names.dictionary)
        codes = names.indices.cast(pa.int64()).fill_null(len(text))
        tally = np.bincount(codes.to_numpy(), minlength=len(text) + 1)
        labels = iter(decode(text))
        found: dict[str, int] = {_NO_VERSION: int(tally[-1])}
        for is_missing, count in zip(is_null(text).tolist(), tally[:-1].tolist(), strict=True):
            name = _NO_VERSION if is_missing else short(next(labels))
            found[name] = found.get(name, 0) + count
        self._versions += NameCounts.of({name: n for name, n in found.items() if n})

    def _fault(self, name: str, wrong: WrongType) -> None:
        self._type_faults.setdefault(name, set()).add(wrong.found)


def _pieces(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    if batch.num_rows <= rows:
        yield batch
        return
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _segment_places(bins: BinSet, name: str) -> npt.NDArray[np.intp]:
    """Place in the vocabulary (then unseen, null) to place among the segments."""
    values = bins.segments[name]
    own = {value: i for i, value in enumerate(values)}
    vocabulary = bins.categorical[name].vocabulary
    other = len(values)
    return np.array([*(own.get(v, other) for v in vocabulary), other, other], dtype=np.intp)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int | None) -> datetime | None:
    """The moment; at most the last one, at least the first one that a calendar has."""
    if microseconds is None:
        return None
    low = _microseconds(datetime.min.replace(tzinfo=UTC))
    high = _microseconds(datetime.max.replace(tzinfo=UTC))
    return _EPOCH + timedelta(microseconds=min(max(microseconds, low), high))
