"""What rows read through Spark are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredFrame:
    """Rows as Spark reads them, and the types that they were stored with.

    Attributes:
        frame: what Spark reads; it knows fewer types than Arrow.
        schema: names and types before Spark read them.
    """

    frame: DataFrame
    schema: pa.Schema


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
