"""The kernel of one process, mapped over a cluster by Apache Spark and merged by addition."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Literal, TypeAlias

import pyarrow as pa
from pydantic import Field

from dagster_monitoring.errors import SliceNotFoundError
from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.encoding import from_bytes, to_bytes
from dagster_monitoring.profiles.engines._engine import ScanPlan, SliceRows
from dagster_monitoring.profiles.engines._spark_ids import (
    PACKS,
    SURPLUS,
    packed_hashes,
    surplus,
)
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.reading import WrongType, hash_ids
from dagster_monitoring.profiles.serialization import from_table, to_table
from dagster_monitoring.spark import (
    Piece,
    SparkConnection,
    StoredFrame,
    no_endless_wait,
    quoted,
    spark_faults,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MERGED_AT_ONCE = 16
"""Partial profiles that one task adds; the driver gets a sixteenth of the partitions."""

_PARTIAL = "part INT, profile BINARY"
_SCHEMA = pa.schema([("part", pa.int32()), ("profile", pa.binary())])


class SparkEngine(SparkConnection):
    """Scans a slice on a Spark cluster: the same counts, to the last bit, as the local engine.

    Example:
        >>> SparkEngine(remote="sc://spark:15002/;use_ssl=true").place
        'sc://spark:15002/'
    """

    type: Literal["spark"] = "spark"
    files_read_by: Literal["spark", "workers"] = Field(
        "spark",
        description="Who reads Parquet files: Spark, with its own credentials, or the workers' "
        "Python, in less time, with storage_options.",
    )

    def profile(self, rows: SliceRows, plan: ScanPlan) -> Profile:
        """See :meth:`Engine.profile`."""
        session = self.open()
        waiting = no_endless_wait(session, seconds=self.wait_seconds)
        with spark_faults("the slice"), waiting:
            found = rows.through_spark(session)
            reading = session if self.files_read_by == "workers" else None
            inputs = [_Input(stored=stored, workers=reading) for stored in found.frames]
            total = _profile(inputs, plan)
            if found.when_empty is not None and total.is_empty:
                raise SliceNotFoundError(found.when_empty)
            return replace(total, n_duplicate_ids=_count_duplicates(inputs, plan.columns.id))


_Batches: TypeAlias = Iterable[pa.RecordBatch]
_Step: TypeAlias = Callable[[_Batches], Iterator[pa.RecordBatch]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    """Rows of one schema, and who reads them: Spark, or its workers' Pythons in ``workers``."""

    stored: StoredFrame
    workers: SparkSession | None

    @property
    def schema(self) -> pa.Schema:
        return self.stored.schema

    def mapped(self, step: _Step, names: Sequence[str], columns: str) -> DataFrame:
        """What a step makes of each partition's rows, with the types they were stored with."""
        pieces = self.stored.pieces
        if self.workers is None or pieces is None:
            schema = pa.schema([self.schema.field(name) for name in names])
            frame = self.stored.frame.select(*map(quoted, names))
            return frame.mapInArrow(_Chain(_Restoring(schema), step), columns)
        # One number a partition: a task reads the piece of that number.
        numbers = self.workers.range(0, len(pieces), 1, max(len(pieces), 1))
        read: DataFrame = numbers.mapInArrow(_Chain(_Reading(pieces, tuple(names)), step), columns)
        return read


@dataclass(frozen=True, slots=True)
class _Chain:
    """Two steps, one after the other."""

    first: _Step
    second: _Step

    def __call__(self, batches: _Batches) -> Iterator[pa.RecordBatch]:
        return self.second(self.first(batches))


@dataclass(frozen=True, slots=True)
class _Restoring:
    """Batches with the types that the rows were stored with; Spark knows fewer."""

    schema: pa.Schema

    def __call__(self, batches: _Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            arrays = [
                _cast(array, field.type)
                for array, field in zip(batch.columns, self.schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=self.schema.names)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Batches that this worker reads itself, by the numbers of pieces."""

    pieces: tuple[Piece, ...]
    columns: tuple[str, ...]

    def __call__(self, batches: _Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from self.pieces[number].batches(self.columns)


@dataclass(frozen=True, slots=True)
class _Scanning:
    """What an executor does with the batches of one partition."""

    plan: ScanPlan
    bins: bytes

    @classmethod
    def of(cls, plan: ScanPlan) -> _Scanning:
        """The plan without its bins, and these packed: a worker unpacks them once for all tasks."""
        return cls(replace(plan, bins=BinSet(columns={})), pickle.dumps(plan.bins))

    def __call__(self, batches: _Batches) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        found = replace(self.plan, bins=_unpacked(self.bins)).scan(batches)
        # What an empty partition lacks is known to the driver already.
        if not found.is_empty:
            context = TaskContext.get()
            part = 0 if context is None else context.partitionId() // MERGED_AT_ONCE
            yield _row(part, found)


@lru_cache(maxsize=8)
def _unpacked(bins: bytes) -> BinSet:
    """The bins that a worker counts on: the same objects again, so that their tables are kept."""
    found: BinSet = pickle.loads(bins)  # noqa: S301 - packed by this process's driver
    # Spark collects garbage after every task. What was imported takes longer than a small scan.
    gc.freeze()
    return found


def _profile(inputs: Sequence[_Input], plan: ScanPlan) -> Profile:
    """The profile of rows of all schemas; duplicate ids are those within partitions."""
    # Which columns lack, are extra or of a wrong type, the schema tells without any row.
    empty = [plan.scan([_no_rows(given.schema)]) for given in inputs]
    partials = [
        _partials(given, plan, unread=known.extra_columns)
        for given, known in zip(inputs, empty, strict=True)
    ]
    merged = _union(partials).groupBy("part").applyInArrow(_add_up, _PARTIAL).toArrow()
    return merge([*empty, *_read(merged)])


def _partials(given: _Input, plan: ScanPlan, *, unread: tuple[str, ...]) -> DataFrame:
    """A profile for each partition."""
    names = [name for name in given.schema.names if name not in unread]
    # Rows are counted even where no column is of interest.
    return given.mapped(_Scanning.of(plan), names or given.schema.names[:1], _PARTIAL)


def _union(frames: list[DataFrame]) -> DataFrame:
    return reduce(lambda left, right: left.unionAll(right), frames)


def _add_up(partials: pa.Table) -> pa.Table:
    """The sum of a few partial profiles, on an executor."""
    return pa.Table.from_batches([_row(partials["part"][0].as_py(), merge(_read(partials)))])


def _count_duplicates(inputs: Sequence[_Input], name: str) -> int:
    """Rows whose id another row of the slice had before, and rows without one.

    The same hashes are compared as in one process, so that even a chance hit is counted alike.
    """
    packed = [
        given.mapped(packed_hashes, [name], PACKS)
        for given in inputs
        if name in given.schema.names and _is_an_id(given.schema.field(name).type)
    ]
    if not packed:
        return 0
    counted = _union(packed).groupBy("bucket").applyInArrow(surplus, SURPLUS).toArrow()
    return sum(counted["n"].to_pylist())


def _is_an_id(kind: pa.DataType) -> bool:
    return not isinstance(hash_ids(pa.array([], kind)), WrongType)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return array.cast(kind)


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    kinds = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in schema]
    return pa.RecordBatch.from_arrays([pa.array([], kind) for kind in kinds], names=schema.names)


def _row(part: int, profile: Profile) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [{"part": part, "profile": to_bytes(to_table(profile))}], schema=_SCHEMA
    )


def _read(partials: pa.Table) -> Iterator[Profile]:
    for data in partials["profile"]:
        yield from_table(from_bytes(data.as_py(), where="a partial profile"))
