"""Batches of a convenient size from batches of any."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import pyarrow as pa


def gather(
    batches: Iterable[pa.RecordBatch], *, rows: int, names: Collection[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Join small batches of one schema until they have ``rows`` rows; larger ones pass through.

    Args:
        batches: in any size; where the schema changes a new batch begins.
        rows: at least so many rows a batch, but for the last of a schema.
        names: columns to keep; ``None`` keeps all.

    Example:
        >>> small = [pa.record_batch({"a": [i]}) for i in range(5)]
        >>> [batch.num_rows for batch in gather(small, rows=2)]
        [2, 2, 1]
    """
    held: list[pa.RecordBatch] = []
    for batch in batches:
        kept = batch if names is None else _select(batch, names)
        # A large batch is not copied to take in what is left of the one before.
        if held and (kept.num_rows >= rows or not kept.schema.equals(held[0].schema)):
            yield _join(held)
            held = []
        held.append(kept)
        if sum(part.num_rows for part in held) >= rows:
            yield _join(held)
            held = []
    if held:
        yield _join(held)


def _select(batch: pa.RecordBatch, names: Collection[str]) -> pa.RecordBatch:
    return batch.select([name for name in batch.schema.names if name in names])


def _join(held: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(held) == 1:
        return held[0]
    arrays = [pa.concat_arrays(own) for own in zip(*(b.columns for b in held), strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=held[0].schema)
