"""Repeated ids of a slice that is spread over a cluster: hashes travel in packs, not as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.arrays import is_null
from dagster_monitoring.profiles.reading import WrongType, hash_ids

PACKS = "bucket INT, missing BIGINT, hashes BINARY"
"""Hashes of one bucket, 8 bytes each, and how many rows have no id."""

SURPLUS = "n BIGINT"

_SCHEMA = pa.schema([("bucket", pa.int32()), ("missing", pa.int64()), ("hashes", pa.binary())])
_BUCKETS = 128
_SHIFT = np.uint64(57)
_HELD = 1 << 20


def packed_hashes(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Hashes of a partition's ids, by bucket: equal ones share a bucket.

    A row of Spark's for each id would cost its JVM more than the whole scan costs Python.

    Args:
        batches: of one column.
    """
    held: list[npt.NDArray[np.uint64]] = []
    missing = 0
    for batch in batches:
        ids = batch.column(0)
        null = is_null(ids)
        missing += int(np.count_nonzero(null))
        found = hash_ids(ids)
        if not isinstance(found, WrongType):
            held.append(found)
        if sum(map(len, held)) >= _HELD:
            yield _packs(held, missing)
            held, missing = [], 0
    yield _packs(held, missing)


def surplus(packs: pa.Table) -> pa.Table:
    """Rows of a bucket beyond the first of each id, and those without one."""
    hashes = np.concatenate([np.frombuffer(p.as_buffer(), np.uint64) for p in packs["hashes"]])
    hashes.sort()
    repeated = int(np.count_nonzero(hashes[1:] == hashes[:-1]))
    missing = sum(packs["missing"].to_pylist())
    return pa.table({"n": pa.array([repeated + missing], pa.int64())})


def _packs(held: list[npt.NDArray[np.uint64]], missing: int) -> pa.RecordBatch:
    hashes = np.sort(np.concatenate([*held, np.zeros(0, dtype=np.uint64)]))
    ends = np.searchsorted(hashes, np.arange(1, _BUCKETS, dtype=np.uint64) << _SHIFT)
    parts = np.split(hashes, ends)
    rows = [
        {"bucket": bucket, "missing": missing if bucket == 0 else 0, "hashes": part.tobytes()}
        for bucket, part in enumerate(parts)
        if len(part) or (bucket == 0 and missing)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)
