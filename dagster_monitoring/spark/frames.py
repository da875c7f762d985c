"""What rows read through Spark are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Piece(Protocol):
    """A few of a slice's rows, which any process that reaches them can read; sent to workers."""

    def batches(self, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        """These columns of its rows, with the types that they were stored with."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredFrame:
    """Rows as Spark reads them, and the types that they were stored with.

    Attributes:
        open: gives what Spark reads; it knows fewer types than Arrow.
        schema: names and types before Spark read them.
        pieces: the same rows, for workers that read without Spark; ``None`` where only Spark can.
    """

    open: Callable[[], DataFrame]
    schema: pa.Schema
    pieces: tuple[Piece, ...] | None = None

    @property
    def frame(self) -> DataFrame:
        """What Spark reads."""
        return self.open()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SparkRows:
    """A slice as Spark reads it.

    Attributes:
        frames: one for each schema that the slice's files have.
        when_empty: why it is a fault that there is no row; ``None`` where it is none.
    """

    frames: tuple[StoredFrame, ...]
    when_empty: str | None = None


def quoted(name: str) -> str:
    """A column's name as Spark's SQL writes it.

    Example:
        >>> quoted("a.b")
        '`a.b`'
    """
    return "`" + name.replace("`", "``") + "`"
