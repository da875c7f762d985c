"""Rows of odd shapes: wide, of a million names, all alike; training and a day of each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent / "contestants"))
from rows import key_columns, write_rows
from shape import DAY


def write_usual(folder: Path, rows: int, columns: int) -> None:
    """The bench's twenty columns; training rows enough for a baseline."""
    del columns
    _, day = write_rows(folder, rows=max(rows, 1_000), compression="zstd")
    if rows < 1_000:  # noqa: PLR2004 - as above
        pq.write_table(pq.read_table(day).slice(0, rows), day)


def write_wide(folder: Path, rows: int, columns: int) -> None:
    """So many columns, a fifth of them names."""
    for name, seed in (("training", 1), ("day", 2)):
        rng = np.random.default_rng(seed)
        found = _keys(rng, rows)
        for i in range(columns):
            if i % 5:
                found[f"number_{i}"] = pa.array(rng.lognormal(0.0, 1.0, rows))
            else:
                found[f"name_{i}"] = pa.array(rng.integers(0, 30, rows).astype(str))
        _write(folder / f"{name}.parquet", found)


def write_strings(folder: Path, rows: int, columns: int) -> None:
    """A column that never says the same twice, in training and in the day, beside a number."""
    del columns
    for name, seed in (("training", 1), ("day", 2)):
        rng = np.random.default_rng(seed)
        names = pa.array(rng.bytes(8 * rows).hex(" ", 8).split())
        _write(
            folder / f"{name}.parquet", {**_keys(rng, rows), "name": names, "p": _normal(rng, rows)}
        )


def write_skewed(folder: Path, rows: int, columns: int) -> None:
    """Usual in training; in the day every row is the same."""
    write_usual(folder, rows, columns)
    day = folder / "day.parquet"
    table = pq.read_table(day)
    same = table.take(pa.array(np.zeros(len(table), dtype=np.int64)))
    pq.write_table(same, day, compression="zstd")


def _normal(rng: np.random.Generator, rows: int) -> pa.Array:
    return pa.array(rng.normal(size=rows))


def _keys(rng: np.random.Generator, rows: int) -> dict[str, pa.Array]:
    start = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    return key_columns(rng, rows, start=start, days=1)


def _write(path: Path, columns: Mapping[str, pa.Array]) -> None:
    pq.write_table(pa.table(dict(columns)), path, compression="zstd")


WRITERS: Mapping[str, Callable[[Path, int, int], None]] = {
    "usual": write_usual,
    "wide": write_wide,
    "strings": write_strings,
    "skewed": write_skewed,
}
