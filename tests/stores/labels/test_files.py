"""Labels kept as Parquet files: whole or not there, by partition, put together, movable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores import Store, _label_files, open_store
from dagster_monitoring.stores._tables import label_files
from tests.stores.labels.labelled import DAY, known, table

Open = Callable[[], Store]


@pytest.fixture
def reopen(tmp_path: Path) -> Open:
    return lambda: open_store(f"sqlite:///{tmp_path}/s.db", label_folder=f"{tmp_path}/labels")


@pytest.fixture
def store(reopen: Open) -> Iterator[Store]:
    with reopen() as opened:
        yield opened


def files(folder: Path, kind: str = "labels") -> list[Path]:
    return sorted((folder / "labels" / kind).rglob("*.parquet"))


def test_a_partition_is_read_without_the_row_groups_of_others(store: Store, tmp_path: Path):
    for day in range(20):
        store.labels.register_predictions("m", f"d{day}", [f"{day}-{i}" for i in range(50)])
    rows = [(f"{day}-{i}", i % 3, 1, 1.0) for i in range(50) for day in range(20)]
    store.labels.append("m", table(*rows), "f")
    (path,) = files(tmp_path)
    file = pq.ParquetFile(path)
    groups = [file.read_row_group(number, columns=["prediction_id"]) for number in range(20)]
    assert file.num_row_groups == 20
    for group in groups:
        assert len({name.split("-")[0] for name in group["prediction_id"].to_pylist()}) == 1
    assert known(store, partition="d7") == {f"7-{i}": i % 3 for i in range(50)}


def test_a_transaction_that_fails_leaves_no_label_and_no_half_written_file(
    store: Store, reopen: Open, tmp_path: Path
):
    store.labels.register_predictions("m", "p", ["a"])
    with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 - its end is what fails
        store.labels.append("m", table(("a", 1, 1, 1)), "f")
        raise RuntimeError
    with reopen() as other:
        assert known(other) == {}
        assert other.labels.append("m", table(("a", 1, 1, 1)), "f").new == 1
    assert known(store) == {"a": 1}
    assert not [path for path in (tmp_path / "labels").rglob(".*") if path.is_file()]


def test_small_files_are_put_together_and_say_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_label_files, "_MOST_SMALL_FILES", 4)
    for day in range(6):
        store.labels.register_predictions("m", f"d{day}", [f"{day}-{i}" for i in range(3)])
    for number in range(9):
        rows = [(f"{day}-{i}", number, number + 1, float(number)) for day in range(6) for i in (0,)]
        store.labels.append("m", table(*rows, (f"waits{number}", 1, 1, 1.0)), f"f{number}")
        for seen in range(number + 1):
            assert known(store, seen, "d2") == {"2-0": seen}
    assert store.labels.append("m", table(("2-0", 3, 4, 3.0)), "again").redelivered == 1
    store.labels.register_predictions("m", "late", ["waits0", "waits8"])
    assert known(store, partition="late") == {"waits0": 1, "waits8": 1}
    assert store.labels.unknown("m") == 7
    with store._database.read() as connection:
        listed = sa.select(sa.func.count()).where(label_files.c.replaced_at.is_(None))
        assert connection.execute(listed).scalar_one() < 10


def test_files_that_were_put_together_go_when_no_reader_can_be_left(store: Store, tmp_path: Path):
    store.labels.register_predictions("m", "p", ["a"])
    (first,) = files(tmp_path, "predictions")
    store.labels.register_predictions("m", "p", ["a", "b"])
    assert first.exists()
    with store._database.write() as connection:
        long_ago = datetime.now(UTC) - timedelta(days=2)
        replaced = label_files.c.replaced_at.is_not(None)
        connection.execute(sa.update(label_files).where(replaced).values(replaced_at=long_ago))
    store.labels.register_predictions("m", "p", ["a", "b", "c"])
    assert not first.exists()
    assert store.labels.coverage("m", "p") == (3, 0)


def test_the_folder_may_move(store: Store, tmp_path: Path):
    store.labels.register_predictions("m", "p", ["a"])
    store.labels.append("m", table(("a", 1, 1, 1)), "f")
    (tmp_path / "labels").rename(tmp_path / "elsewhere")
    url = f"sqlite:///{tmp_path}/s.db"
    with open_store(url, label_folder=f"{tmp_path}/elsewhere") as moved:
        assert known(moved) == {"a": 1}


def test_a_file_that_is_gone_is_named(store: Store, tmp_path: Path):
    store.labels.register_predictions("m", "p", ["a"])
    store.labels.append("m", table(("a", 1, 1, 1)), "f")
    (path,) = files(tmp_path)
    path.unlink()
    with pytest.raises(StoreError, match=path.name):
        store.labels.resolved("m", "p")


def test_labels_are_kept_on_any_fsspec_file_system(tmp_path: Path):
    import fsspec

    url = f"sqlite:///{tmp_path}/s.db"
    with open_store(url, label_folder="memory://ledger-test") as store:
        store.labels.register_predictions("m", "p", ["a"])
        store.labels.append("m", table(("a", 1, 1, 1)), "f")
        assert known(store) == {"a": 1}
    fsspec.filesystem("memory").rm("/ledger-test", recursive=True)


def test_a_feed_without_dates_that_is_delivered_again_and_again_does_not_grow(
    store: Store, tmp_path: Path
):
    """The moment of each delivery stands for those that the feed lacks."""
    store.labels.register_predictions("m", "p", ["a"])
    for day in range(3):
        undated = table(("a", 1, 1, float(day)))
        undated = undated.replace_schema_metadata({"available_at": "delivered"})
        store.labels.append("m", undated, f"f{day}")
    assert len(files(tmp_path)) == 1
    assert store.labels.append("m", table(("a", 1, 1, 9.0)), "dated").redelivered == 1
    assert len(files(tmp_path)) == 2
    assert store.labels.resolved("m", "p")["available_at"].to_pylist() == [DAY]
