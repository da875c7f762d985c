"""A small world: training rows with every kind of column, and its baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.baseline import Baseline, build_baseline
from dagster_monitoring.schema import BinaryClassification, Columns

TASK = BinaryClassification(label="late", prediction="guess", score="score")
COLUMNS = Columns(
    id="id",
    timestamp="at",
    numeric=("size", "grade"),
    categorical=("city",),
    model_version="version",
)


def make_rows(n: int, *, seed: int, first_id: int = 0) -> pa.RecordBatch:
    """Rows with nulls, NaN, ties, a heavy tail and labels that the score knows something of."""
    generator = np.random.default_rng(seed)
    size = generator.lognormal(sigma=2.0, size=n)
    size[generator.random(n) < 0.05] = np.nan
    score = generator.beta(2, 3, size=n).round(3)
    cities = np.array(["Oslo", "Rome", "Lima", "Bonn"], dtype=object)
    city = cities[np.minimum(generator.geometric(0.5, size=n) - 1, 3)]
    return pa.record_batch(
        {
            "id": [f"p{i}" for i in range(first_id, first_id + n)],
            "at": pa.array([datetime(2024, 1, 1, 12, tzinfo=UTC)] * n, pa.timestamp("us", "UTC")),
            "size": pa.array(size, mask=generator.random(n) < 0.03),
            "grade": generator.integers(0, 12, size=n),
            "city": pa.array(city, mask=generator.random(n) < 0.02),
            "score": score,
            "guess": (score > 0.5).astype(np.int32),
            "version": ["v1"] * n,
            "late": (generator.random(n) < score).astype(np.int32),
        }
    )


def reader(rows: pa.RecordBatch) -> Callable[[Sequence[str]], list[pa.RecordBatch]]:
    """Reads the columns that are asked for and there."""
    return lambda names: [rows.select([n for n in names if n in rows.schema.names])]


def plain(value: object) -> object:
    """A record's value as data that can be compared: arrays by type, shape and bits."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if is_dataclass(value):
        own = [plain(getattr(value, field.name)) for field in fields(value) if field.compare]
        return type(value), own
    if isinstance(value, Mapping):
        return {name: plain(own) for name, own in value.items()}
    return [*map(plain, value)] if isinstance(value, list | tuple) else value


@pytest.fixture(scope="session")
def training() -> pa.RecordBatch:
    return make_rows(5_000, seed=1)


@pytest.fixture(scope="session")
def baseline(training: pa.RecordBatch) -> Baseline:
    return build_baseline(
        reader(training),
        columns=COLUMNS,
        task=TASK,
        segments=["city"],
        equal_width=[30],
        model_version="v1",
        created_at=datetime(2024, 2, 1, tzinfo=UTC),
    )
