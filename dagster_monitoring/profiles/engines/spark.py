"""The kernel of one process, mapped over a cluster by Apache Spark and merged by addition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from dagster_monitoring.errors import SliceNotFoundError
from dagster_monitoring.profiles.encoding import from_bytes, to_bytes
from dagster_monitoring.profiles.engines._engine import ScanPlan, SliceRows
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.reading import WrongType, hash_ids, is_null
from dagster_monitoring.profiles.serialization import from_table, to_table
from dagster_monitoring.spark import (
    SparkConnection,
    StoredFrame,
    no_endless_wait,
    quoted,
    spark_faults,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MERGED_AT_ONCE = 16
"""Partial profiles that one task adds; the driver gets a sixteenth of the partitions."""

_PARTIAL = "part INT, profile BINARY"
_SCHEMA = pa.schema([("part", pa.int32()), ("profile", pa.binary())])
_HASHES = pa.schema([("hash", pa.int64())])


class SparkEngine(SparkConnection):
    """Scans a slice on a Spark cluster: the same counts, to the last bit, as the local engine.

    Example:
        >>> SparkEngine(remote="sc://spark:15002/;token=t0p").place
        'sc://spark:15002/'
    """

    type: Literal["spark"] = "spark"

    def profile(self, rows: SliceRows, plan: ScanPlan) -> Profile:
        """See :meth:`Engine.profile`."""
        session = self.open()
        waiting = no_endless_wait(session, seconds=self.wait_seconds)
        with spark_faults("the slice"), waiting:
            found = rows.through_spark(session)
            total = _profile(found.frames, plan)
            if found.when_empty is not None and total.is_empty:
                raise SliceNotFoundError(found.when_empty)
            return replace(total, n_duplicate_ids=_count_duplicates(found.frames, plan.columns.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scanning:
    """What an executor does with the batches of one partition."""

    plan: ScanPlan
    schema: pa.Schema

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        found = self.plan.scan(_restored(batches, self.schema))
        # What an empty partition lacks is known to the driver already.
        if not found.is_empty:
            context = TaskContext.get()
            place = context.partitionId() if context is not None else 0
            yield _row(place // MERGED_AT_ONCE, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hashing:
    """The hashes of a partition's ids; a null stays one."""

    schema: pa.Schema

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in _restored(batches, self.schema):
            ids = batch.column(0)
            null = is_null(ids)
            found = hash_ids(ids)
            hashes = np.zeros(len(ids), dtype=np.int64)
            if not isinstance(found, WrongType):
                hashes[~null] = found.view(np.int64)
            yield pa.RecordBatch.from_arrays([pa.array(hashes, mask=null)], schema=_HASHES)


def _profile(frames: tuple[StoredFrame, ...], plan: ScanPlan) -> Profile:
    """The profile of rows of all schemas; duplicate ids are those within partitions."""
    # Which columns lack, are extra or of a wrong type, the schema tells without any row.
    empty = [plan.scan([_no_rows(stored.schema)]) for stored in frames]
    partials = [
        _partials(stored, plan, unread=known.extra_columns)
        for stored, known in zip(frames, empty, strict=True)
    ]
    merged = _union(partials).groupBy("part").applyInArrow(_add_up, _PARTIAL).toArrow()
    return merge([*empty, *_read(merged)])


def _partials(stored: StoredFrame, plan: ScanPlan, *, unread: tuple[str, ...]) -> DataFrame:
    """A profile for each partition."""
    names = [name for name in stored.schema.names if name not in unread]
    # Rows are counted even where no column is of interest.
    names = names or stored.schema.names[:1]
    schema = pa.schema([stored.schema.field(name) for name in names])
    scanning = _Scanning(plan=plan, schema=schema)
    return stored.frame.select(*map(quoted, names)).mapInArrow(scanning, _PARTIAL)


def _union(frames: list[DataFrame]) -> DataFrame:
    return reduce(lambda left, right: left.unionAll(right), frames)


def _add_up(partials: pa.Table) -> pa.Table:
    """The sum of a few partial profiles, on an executor."""
    return pa.Table.from_batches([_row(partials["part"][0].as_py(), merge(_read(partials)))])


def _count_duplicates(frames: tuple[StoredFrame, ...], name: str) -> int:
    """Rows whose id another row of the slice had before, and rows without one.

    The same hashes are compared as in one process, so that even a chance hit is counted alike.
    """
    hashed = [
        stored.frame.select(quoted(name)).mapInArrow(
            _Hashing(schema=pa.schema([stored.schema.field(name)])), "hash BIGINT"
        )
        for stored in frames
        if name in stored.schema.names and _is_an_id(stored.schema.field(name).type)
    ]
    if not hashed:
        return 0
    groups = _union(hashed).groupBy("hash").count()
    surplus = "coalesce(sum(CASE WHEN hash IS NULL THEN count ELSE count - 1 END), 0) AS n"
    return int(groups.selectExpr(surplus).toArrow()["n"][0].as_py())


def _is_an_id(kind: pa.DataType) -> bool:
    return not isinstance(hash_ids(pa.array([], kind)), WrongType)


def _restored(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches with the types that the rows were stored with; Spark knows fewer."""
    for batch in batches:
        arrays = [
            array if array.type == field.type else _cast(array, field.type)
            for array, field in zip(batch.columns, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, names=schema.names)


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
