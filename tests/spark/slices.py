"""Slices of every type, and what both engines make of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_monitoring.profiles.baseline import Baseline, build_baseline
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engine import Engine, LocalEngine, ScanPlan, SparkEngine
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.projecting import RowNeeds
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.schema import BinaryClassification, Columns
from dagster_monitoring.sources import ParquetSource, Request, Source

DAY = "2024-05-01"
START = datetime(2024, 5, 1, tzinfo=UTC)
BOUNDS = (START, START + timedelta(days=1))
TASK = BinaryClassification(label="late", prediction="guess", score="score")

NUMERIC = {
    "i8": pa.int8(),
    "i16": pa.int16(),
    "i32": pa.int32(),
    "i64": pa.int64(),
    "u8": pa.uint8(),
    "u16": pa.uint16(),
    "u32": pa.uint32(),
    "u64": pa.uint64(),
    "f32": pa.float32(),
    "f64": pa.float64(),
    "decimal": pa.decimal128(12, 3),
    "flag": pa.bool_(),
}
CATEGORICAL = {
    "text": pa.string(),
    "large_text": pa.large_string(),
    "coded": pa.dictionary(pa.int32(), pa.string()),
    "day": pa.date32(),
    "number_name": pa.int32(),
    "yes": pa.bool_(),
    "amount": pa.decimal128(9, 2),
    "ratio": pa.float64(),
}
WRONG = {
    "listed": pa.list_(pa.int32()),
    "struct": pa.struct([("a", pa.int64()), ("b", pa.string())]),
    "moment": pa.timestamp("us", tz="Europe/Berlin"),
    "span": pa.duration("us"),
    "raw": pa.binary(),
}
WRONG_VALUES: dict[str, object] = {
    "listed": [1, 2],
    "struct": {"a": 1, "b": "x"},
    "moment": START,
    "span": timedelta(seconds=5),
    "raw": b"\xff\x00",
}
COLUMNS = Columns(
    id="id",
    timestamp="at",
    numeric=(*NUMERIC, "text_number", "listed", "moment", "span"),
    categorical=(*CATEGORICAL, "struct", "raw"),
    model_version="version",
)


def slice_rows(n: int, *, seed: int, first_id: int = 0) -> pa.Table:
    """Rows with nulls, NaN, infinities, extremes, repeated and missing ids, odd moments."""
    source = np.random.default_rng(seed)
    score = source.beta(2, 3, size=n)
    columns: dict[str, pa.Array] = {
        "id": _with_nulls([f"p{first_id + i // 3 * 3}" for i in range(n)], pa.string(), source),
        "at": _moments(n, source),
        "version": _with_nulls(source.choice(["v1", "v2"], n).tolist(), pa.string(), source),
        "score": pa.array(score),
        "guess": pa.array((score > 0.5).astype(np.int32)),
        "late": pa.array((source.random(n) < score).astype(np.int32)),
        "text_number": pa.array([str(i) for i in range(n)]),
        "nobody's": pa.array(source.normal(size=n)),
    }
    for name, kind in {**NUMERIC, **CATEGORICAL, **WRONG}.items():
        columns[name] = _with_nulls(_values(name, n, source), kind, source)
    return pa.table(columns)


def training_baseline() -> Baseline:
    """A baseline on the same columns; where a type can serve no role, on one that can."""
    rows = slice_rows(3_000, seed=1)
    source = np.random.default_rng(2)
    for name in (*WRONG, "text_number"):
        categorical = name in COLUMNS.categorical
        values = (
            source.choice(["a", "b"], 3_000).tolist() if categorical else source.normal(size=3_000)
        )
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values))
    rows = rows.drop(["nobody's"])
    (batch,) = rows.combine_chunks().to_batches()
    return build_baseline(
        lambda names: [batch.select([n for n in names if n in batch.schema.names])],
        columns=COLUMNS,
        task=TASK,
        segments=["text", "coded"],
        equal_width=[30],
        rows=RowNeeds(
            projections=(("i32", "f64", "text"), ("f32", "score")),
            sampled=("f64", "i32", "yes"),
        ),
        model_version="v1",
        created_at=START - timedelta(days=9),
    )


def plan_for(baseline: Baseline) -> ScanPlan:
    return ScanPlan(
        bins=baseline.bins,
        columns=COLUMNS,
        extra_numeric=("score",),
        extra_categorical=("guess",),
        bounds=BOUNDS,
        known=("late",),
    )


def write_files(folder: Path, tables: Sequence[pa.Table]) -> ParquetSource:
    for number, table in enumerate(tables):
        path = folder / f"day={DAY}" / f"part-{number:03}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    return ParquetSource(path=f"{folder}/day={{partition}}/*.parquet")


@dataclass(frozen=True)
class Rows:
    """A slice as the engines ask for it."""

    source: Source

    @property
    def request(self) -> Request:
        return Request(partition=DAY, bounds=BOUNDS, timestamp="at")

    def batches(self) -> Iterator[pa.RecordBatch]:
        return self.source.batches(self.request)

    def through_spark(self, session):
        return self.source.through_spark(self.request, session)


def serialised(engine: Engine, source: Source, plan: ScanPlan) -> bytes:
    return to_bytes(to_table(engine.profile(Rows(source), plan)))


def both(spark: SparkEngine, source: Source, plan: ScanPlan) -> tuple[Profile, Profile]:
    """The local engine's profile and Spark's, which are the same whoever reads the files."""
    found = spark.profile(Rows(source), plan)
    by_workers = spark.model_copy(update={"files_read_by": "workers"})
    assert is_same(by_workers.profile(Rows(source), plan), found)
    return LocalEngine().profile(Rows(source), plan), found


def is_same(left: Profile, right: Profile) -> bool:
    return to_bytes(to_table(left)) == to_bytes(to_table(right))


def _values(name: str, n: int, source: np.random.Generator) -> list[object]:
    kind = {**NUMERIC, **CATEGORICAL, **WRONG}[name]
    if name in WRONG:
        return [WRONG_VALUES[name]] * n
    if pa.types.is_floating(kind):
        return _floats(n, source, named=name == "ratio")
    if pa.types.is_integer(kind):
        info = np.iinfo(kind.to_pandas_dtype())
        values = source.integers(0, 50, n).tolist()
        return [int(info.max), int(info.min), *values][:n]
    if pa.types.is_decimal(kind):
        ticks = source.integers(-9_000, 9_000, n) // (3_000 if name == "amount" else 1)
        return [Decimal(int(tick)).scaleb(-kind.scale) for tick in ticks]
    if pa.types.is_date(kind):
        return [date(2024, 1, 1) + timedelta(days=int(d)) for d in source.integers(0, 5, n)]
    return list((source.random(n) < 0.3).tolist()) if kind == pa.bool_() else _names(n, source)


def _floats(n: int, source: np.random.Generator, *, named: bool) -> list[object]:
    values = source.choice([0.25, 1.0, -3.5], n) if named else source.normal(size=n)
    for odd in (np.nan, np.inf, -np.inf):
        values[source.random(n) < 0.02] = odd
    return list(values.tolist())


def _names(n: int, source: np.random.Generator) -> list[object]:
    """Known names, and so many unseen ones that not all are kept."""
    names = np.array(["Oslo", "Rome", "Lima", "Bonn", "", "né\u0000", "x" * 300], dtype=object)
    known = names[np.minimum(source.geometric(0.4, size=n) - 1, 6)]
    unseen = [f"new-{i}" for i in source.integers(0, 5_000, n)]
    return [u if r < 0.4 else k for u, k, r in zip(unseen, known, source.random(n), strict=True)]


def _with_nulls(
    values: Sequence[object], kind: pa.DataType, source: np.random.Generator
) -> pa.Array:
    some = source.random(len(values)) < 0.03
    return pa.array([None if gone else v for v, gone in zip(values, some, strict=True)], kind)


def _moments(n: int, source: np.random.Generator) -> pa.Array:
    seconds = source.integers(-600, 86_400 + 600, n)
    return _with_nulls(
        [START + timedelta(seconds=int(s), microseconds=1) for s in seconds],
        pa.timestamp("us", tz="UTC"),
        source,
    )
