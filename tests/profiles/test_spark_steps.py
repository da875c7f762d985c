"""What a cluster's workers do with rows and with partial profiles, step by step, in one process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import CorruptDataError
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engines import _spark_ids
from dagster_monitoring.profiles.engines._engine import ScanPlan
from dagster_monitoring.profiles.engines._spark_ids import packed_hashes, surplus
from dagster_monitoring.profiles.engines.spark import (
    _add_up,
    _Chain,
    _is_an_id,
    _no_rows,
    _read,
    _Reading,
    _Restoring,
    _row,
    _Scanning,
)
from dagster_monitoring.profiles.reading import hash_ids
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from tests.profiles.conftest import COLUMNS, make_rows


def packed(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches([*packed_hashes(batches)], schema=_spark_ids._SCHEMA)


def hashes_of(packs: pa.Table) -> np.ndarray:
    """Hashes of all packs, of which each has been seen to lie in the bucket it says."""
    found = [np.frombuffer(pack, np.uint64) for pack in packs["hashes"].to_pylist()]
    for bucket, own in zip(packs["bucket"].to_pylist(), found, strict=True):
        assert {*(own >> np.uint64(57)).tolist()} <= {bucket}
    return np.sort(np.concatenate(found))


@pytest.mark.parametrize(
    ("held", "sent"),
    [(1, [148, 149, 148, 50, 0]), (297, [297, 198]), (298, [445, 50]), (1 << 20, [495])],
)
def test_hashes_travel_with_their_bucket_and_missing_ids_once(
    held: int, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_spark_ids, "_HELD", held)
    ids = pa.array([None if n % 100 == 7 else f"p{n}" for n in range(500)])
    batches = [pa.record_batch({"id": ids[at : at + 150]}) for at in range(0, 500, 150)]
    packs = packed(batches)
    assert hashes_of(packs).tolist() == np.sort(hash_ids(ids)).tolist()
    missing = packs["missing"].to_numpy()
    assert missing.sum() == 5
    assert missing[packs["bucket"].to_numpy() != 0].sum() == 0
    sizes = [[*map(len, sending["hashes"].to_pylist())] for sending in packed_hashes(batches)]
    assert [sum(own) // 8 for own in sizes] == sent


def test_a_pack_holds_something() -> None:
    only_missing = packed([pa.record_batch({"id": pa.nulls(3, pa.string())})])
    assert only_missing.to_pylist() == [{"bucket": 0, "missing": 3, "hashes": b""}]
    assert packed([pa.record_batch({"id": pa.array([], pa.string())})]).num_rows == 0
    assert packed([]).num_rows == 0
    lists = pa.record_batch({"id": pa.array([[1], None])})
    assert packed([lists]).to_pylist() == [{"bucket": 0, "missing": 1, "hashes": b""}]


def test_a_bucket_has_a_row_too_many_for_each_repeated_or_missing_id() -> None:
    """Of 10 rows with an id 4 are the first of theirs; 3 rows have none."""
    last = 2**64 - 1
    sent = [([5, 7, last, 5], 2), ([9, 5], 0), ([last, 7, 9, 9], 1)]
    packs = pa.table(
        {
            "bucket": [0] * 3,
            "missing": [missing for _, missing in sent],
            "hashes": [np.array(own, np.uint64).tobytes() for own, _ in sent],
        }
    )
    assert surplus(packs).to_pylist() == [{"n": 6 + 3}]


def test_rows_get_back_the_types_they_were_stored_with() -> None:
    stored = pa.schema(
        [
            ("small", pa.uint8()),
            ("coded", pa.dictionary(pa.int32(), pa.large_string())),
            ("text", pa.string()),
        ]
    )
    by_spark = pa.record_batch({"a": pa.array([1, 200], pa.int16()), "b": ["x", None], "c": "yz"})
    (found,) = _Restoring(stored)([by_spark])
    expected = {"small": pa.uint8(), "coded": pa.large_string(), "text": pa.string()}
    assert found.schema == pa.schema(expected)
    assert found.to_pydict() == {"small": [1, 200], "coded": ["x", None], "text": ["y", "z"]}


@dataclass(frozen=True)
class TenOf:
    """Ten rows a piece, in two batches."""

    first: int

    def batches(self, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        rows = np.arange(self.first, self.first + 10)
        for own in (rows[:4], rows[4:]):
            yield pa.record_batch({"n": own, "m": -own}).select(columns)


def test_a_worker_reads_the_pieces_of_its_numbers() -> None:
    reading = _Reading(tuple(TenOf(first) for first in (0, 10, 20)), ("m",))
    numbers = [pa.record_batch({"id": own}) for own in ([2], [0])]
    found = pa.Table.from_batches([*reading(numbers)])
    assert found.to_pydict() == {"m": [*range(-20, -30, -1), *range(0, -10, -1)]}
    steps = _Chain(reading, lambda batches: iter([sum(batch.num_rows for batch in batches)]))
    assert [*steps(numbers)] == [20]


@pytest.fixture(autouse=True)
def _garbage_is_collected() -> Iterator[None]:
    """A worker's process freezes what it has imported; this one has other tests to run."""
    yield
    gc.unfreeze()


@pytest.fixture
def plan(baseline: Baseline) -> ScanPlan:
    return ScanPlan(bins=baseline.bins, columns=COLUMNS, extra_numeric=("score",), known=("late",))


@pytest.mark.parametrize(("task", "part"), [(None, 0), (15, 0), (16, 1), (40, 2)])
def test_a_partition_becomes_one_row_that_sixteen_share_the_number_of(
    plan: ScanPlan, task: int | None, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark import TaskContext

    if task is not None:
        running = object.__new__(TaskContext)
        running._partitionId = task
        monkeypatch.setattr(TaskContext, "_taskContext", running)
    scanning = _Scanning.of(plan)
    assert scanning.plan.bins.columns == {}
    parts = [make_rows(50, seed=seed) for seed in (1, 2)]
    (row,) = scanning(parts)
    whole = scan(parts, bins=plan.bins, columns=COLUMNS, extra_numeric=("score",), known=("late",))
    sent = {"part": part, "profile": to_bytes(to_table(whole))}
    assert row.to_pylist() == [sent]
    # "part INT, profile BINARY", as Spark is told.
    assert row.schema.types == [pa.int32(), pa.binary()]
    assert [*scanning([parts[0].slice(0, 0)])] == []


def test_partial_profiles_of_a_part_are_added(plan: ScanPlan) -> None:
    rows = make_rows(90, seed=3)
    partial = [plan.scan([rows.slice(at, 30)]) for at in (0, 30, 60)]
    for few in (1, 3):
        added = _add_up(pa.Table.from_batches([_row(7, own) for own in partial[:few]]))
        assert added["part"].to_pylist() == [7]
        (found,) = _read(added)
        expected = plan.scan([rows.slice(0, 30 * few)])
        assert to_bytes(to_table(found)) == to_bytes(to_table(expected))


def test_a_damaged_partial_profile_is_told() -> None:
    with pytest.raises(CorruptDataError, match=r"^a partial profile can't be read"):
        [*_read(pa.table({"profile": [b"damaged"]}))]


def test_a_schema_without_rows_has_the_types_that_dictionaries_stand_for() -> None:
    kinds = {"a": pa.dictionary(pa.int8(), pa.string()), "b": pa.list_(pa.int8()), "c": pa.int32()}
    found = _no_rows(pa.schema(kinds))
    assert found.num_rows == 0
    assert found.schema == pa.schema({**kinds, "a": pa.string()})


def test_a_list_is_no_id_and_a_number_is() -> None:
    assert _is_an_id(pa.int64())
    assert _is_an_id(pa.binary(16))
    assert not _is_an_id(pa.list_(pa.int8()))
