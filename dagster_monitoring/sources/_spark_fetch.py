"""Rows of a Spark frame, brought to this process a partition at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from dagster_monitoring.spark import spark_faults

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MAXIMUM_BYTES = 4 << 20
"""Of a batch on its way: Spark Connect carries messages of 128 MB, and a row can be wide."""


def fetched(frame: DataFrame, *, what: str) -> Iterator[pa.RecordBatch]:
    """The rows in batches, with Spark's types; this process holds one partition at the most.

    ``DataFrame.toArrow`` holds all rows, and ``DataFrame.toLocalIterator`` makes Python values
    of them, which lose types. Here batches travel as bytes, each a row of its own.

    Args:
        frame: of any size.
        what: what is read, for messages.

    Raises:
        DataError: the rows are not there, or can't be read as asked.
        EngineError: the cluster failed.
    """
    with spark_faults(what):
        rows = frame.mapInArrow(_packer(MAXIMUM_BYTES), "batch BINARY").toLocalIterator()
    while True:
        # Not around the loop: what the caller does between two batches is no fault of Spark's.
        with spark_faults(what):
            row = next(rows, None)
        if row is None:
            return
        with pa.ipc.open_stream(pa.py_buffer(row["batch"])) as reader:
            yield from reader


def _packer(
    maximum_bytes: int,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function that Spark sends whole: workers need no package of ours for it."""

    def pack(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            pieces = -(-max(batch.nbytes, 1) // maximum_bytes)
            rows = -(-batch.num_rows // pieces)
            for start in range(0, batch.num_rows, max(rows, 1)):
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(sink, batch.schema) as writer:
                    writer.write_batch(batch.slice(start, rows))
                packed = pa.array([sink.getvalue().to_pybytes()], pa.binary())
                yield pa.RecordBatch.from_arrays([packed], names=["batch"])

    return pack
