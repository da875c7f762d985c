"""The bench's rows: training and one day of production, made anew from a seed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent / "contestants"))
from shape import CATEGORIES, DAY, ID, TIMESTAMP, TRAINING_DAYS

_WET, _MISSING = 0.3, 0.01

Floats = npt.NDArray[np.float64]


def write_rows(folder: Path, *, rows: int, compression: str) -> tuple[Path, Path]:
    """Write ``training.parquet`` (30 days) and ``day.parquet`` (the day after them).

    Args:
        folder: where to.
        rows: of each file.
        compression: as pyarrow names it.
    """
    day = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    first = day - timedelta(days=TRAINING_DAYS)
    files = (
        ("training", np.random.default_rng(1), 0.0, first, TRAINING_DAYS),
        ("day", np.random.default_rng(2), 0.1, day, 1),
    )
    paths = []
    for name, rng, drift, start, days in files:
        table = _table(rng, rows, drift=drift, start=start, days=days)
        path = folder / f"{name}.parquet"
        pq.write_table(table, path, compression=compression)
        paths.append(path)
    return paths[0], paths[1]


def write_days(folder: Path, *, rows: int, different: int = 7) -> None:
    """Write ``training.parquet`` (30 days of rows) and different days, ``day-0.parquet`` on.

    Args:
        folder: where to; it is made.
        rows: of each day; training has ten times as many, and a million at most.
        different: how many days.
    """
    folder.mkdir(parents=True)
    day = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    first = day - timedelta(days=TRAINING_DAYS)
    training = _table(
        np.random.default_rng(1), min(10 * rows, 1_000_000), drift=0.0, start=first, days=30
    )
    pq.write_table(training, folder / "training.parquet", compression="zstd")
    for i in range(different):
        rng, start = np.random.default_rng(100 + i), day + timedelta(days=i)
        table = _table(rng, rows, drift=0.02 * i, start=start, days=1)
        pq.write_table(table, folder / f"day-{i}.parquet", compression="zstd")


def write_labelled_days(folder: Path, *, rows: int, different: int = 7) -> None:
    """As :func:`write_days`, with ``label``, ``prediction`` and ``score`` and no feature."""
    folder.mkdir(parents=True)
    day = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    first = day - timedelta(days=TRAINING_DAYS)
    many = min(10 * rows, 1_000_000)
    files = [("training", np.random.default_rng(1), many, first, TRAINING_DAYS)]
    for i in range(different):
        rng = np.random.default_rng(100 + i)
        files.append((f"day-{i}", rng, rows, day + timedelta(days=i), 1))
    for name, rng, count, start, days in files:
        score = rng.beta(1.2, 3.0, count)
        columns = {
            **key_columns(rng, count, start=start, days=days),
            "label": pa.array((rng.random(count) < score).astype(np.int64)),
            "prediction": pa.array((score >= 0.5).astype(np.int64)),  # noqa: PLR2004 - a half
            "score": pa.array(score),
        }
        pq.write_table(pa.table(columns), folder / f"{name}.parquet", compression="zstd")


def _table(
    rng: np.random.Generator, rows: int, *, drift: float, start: datetime, days: int
) -> pa.Table:
    columns = {**key_columns(rng, rows, start=start, days=days), **_numeric(rng, rows, drift)}
    for place, (name, count) in enumerate(CATEGORIES.items()):
        columns[name] = _categorical(rng, rows, name, count, drift if place % 2 else 0.0)
    return pa.table(columns)


def key_columns(
    rng: np.random.Generator, rows: int, *, start: datetime, days: int
) -> dict[str, pa.Array]:
    """Id and timestamp of so many rows, over so many days."""
    seconds = np.sort(rng.integers(0, days * 86_400, rows))
    moments = np.datetime64(start.replace(tzinfo=None), "us") + seconds.astype("timedelta64[s]")
    return {
        ID: pa.array(rng.bytes(8 * rows).hex(" ", 8).split()),
        TIMESTAMP: pa.array(moments, pa.timestamp("us", tz="UTC")),
    }


def _numeric(rng: np.random.Generator, n: int, drift: float) -> dict[str, pa.Array]:
    """Twelve shapes: of light and heavy tails, of few values and many, with and without gaps."""
    tall = rng.random(n) < 0.4 + drift
    wet = rng.random(n) < _WET
    values: dict[str, Floats] = {
        "normal": rng.normal(drift, 1.0, n),
        "rounded": np.round(rng.normal(15.0 + 10 * drift, 8.0, n), 1),
        "lognormal": rng.lognormal(3.0 + drift, 1.2, n),
        "pareto": rng.pareto(1.2, n),
        "student_t": rng.standard_t(1.5, n),
        "exponential": rng.exponential(30.0, n),
        "two_humps": np.where(tall, rng.normal(178.0, 7.0, n), rng.normal(164.0, 6.0, n)),
        "zero_inflated": np.where(wet, rng.gamma(0.8, 4.0 + drift, n), 0.0),
        "few_missing": rng.normal(50_000.0, 15_000.0, n),
        "many_missing": rng.lognormal(1.0, 0.5 + drift, n),
        "prediction": rng.beta(2.0 + drift, 5.0, n),
    }
    gaps = {"few_missing": 0.03, "many_missing": 0.3 + drift}
    masks = {name: rng.random(n) < share for name, share in gaps.items()}
    columns = {name: pa.array(x, mask=masks.get(name)) for name, x in values.items()}
    return {**columns, "poisson": pa.array(rng.poisson(3.0 + drift, n))}


def _categorical(rng: np.random.Generator, n: int, name: str, count: int, drift: float) -> pa.Array:
    """Names in shares of Zipf's law; the largest columns have gaps, and now and then a new name."""
    weights = 1.0 / np.arange(1, count + 1) ** (1.0 - drift)
    names = [f"{name}_{i:03d}" for i in range(count)]
    codes = rng.choice(count, n, p=weights / weights.sum())
    if name == "five_hundred":
        names.append("a_new_name")
        codes = np.where(rng.random(n) < drift / 1_000, count, codes)
    mask = rng.random(n) < _MISSING if name == "two_hundred" else None
    encoded = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=mask), names)
    return encoded.cast(pa.string())
