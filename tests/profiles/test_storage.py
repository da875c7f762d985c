from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import BaselineError, CorruptDataError, SliceNotFoundError
from dagster_monitoring.profiles import performance_serialization, serialization
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.performance import PerformanceProfile, scan_performance
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.storage import ProfileStorage
from dagster_monitoring.profiles.window import PerformanceWindows, ProfileWindows
from dagster_monitoring.schema import Partitions
from tests.profiles.conftest import COLUMNS, TASK, make_rows

DAYS = ["2024-01-01", "2024-01-02", "2024-01-04"]
PARTITIONS = Partitions(start=date(2024, 1, 1))


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> ProfileStorage:
    if request.param == "local":
        return ProfileStorage(tmp_path / "kept here")
    return ProfileStorage(f"memory://{uuid.uuid4().hex}/kept")


def _profile(baseline: Baseline, seed: int) -> Profile:
    rows = make_rows(300, seed=seed)
    values = rows["size"].to_pylist()
    odd = rows.set_column(2, "size", pa.array([np.inf, -np.inf, np.nan, None, *values[4:]]))
    batch = odd.append_column("extra", rows["city"])
    return scan([batch], bins=baseline.bins, columns=COLUMNS, sources=("a.parquet",))


def _performance(seed: int) -> PerformanceProfile:
    return scan_performance(
        [make_rows(300, seed=seed)],
        labels=None,
        columns=COLUMNS,
        task=TASK,
        segments={"city": ("Oslo", "Rome")},
    )


def _bytes(profile: Profile) -> bytes:
    return to_bytes(serialization.to_table(profile))


def _performance_bytes(profile: PerformanceProfile) -> bytes:
    return to_bytes(performance_serialization.to_table(profile))


def test_what_is_read_is_what_was_written(storage: ProfileStorage, baseline: Baseline) -> None:
    written = _profile(baseline, 5)
    storage.write("late", baseline.version, DAYS[0], written)
    read = storage.read("late", baseline.version, DAYS[0])
    assert _bytes(read) == _bytes(written)
    for name in ("rows", "sources", "extra_columns", "missing_columns", "first_timestamp"):
        assert getattr(read, name) == getattr(written, name)
    for name, column in written.columns.items():
        assert read.columns[name].counts.tolist() == column.counts.tolist()
        assert (read.columns[name].n, read.columns[name].rows) == (column.n, column.rows)
    assert (
        read.columns["size"].sums.floats().tolist()
        == written.columns["size"].sums.floats().tolist()
    )
    assert read.columns["size"].maximum == written.columns["size"].maximum
    assert read.columns["size"].n_nonfinite == 2
    assert read.segment_rows == written.segment_rows
    own = written.segments["city=Rome"]["size"]
    assert read.segments["city=Rome"]["size"].sum_squares.exact(0) == own.sum_squares.exact(0)


def test_an_empty_profile_can_be_kept(storage: ProfileStorage) -> None:
    storage.write("late", "b-1", DAYS[0], Profile(faults=("no file",)))
    read = storage.read("late", "b-1", DAYS[0])
    assert (read.rows, read.columns, read.faults) == (0, {}, ("no file",))


def test_equal_profiles_have_equal_bytes(baseline: Baseline) -> None:
    assert _bytes(_profile(baseline, 5)) == _bytes(_profile(baseline, 5))
    assert _bytes(_profile(baseline, 5)) != _bytes(_profile(baseline, 6))


def test_a_performance_profile_is_read_as_it_was_written(storage: ProfileStorage) -> None:
    written = _performance(5)
    storage.write_performance("late", DAYS[0], written)
    read = storage.read_performance("late", DAYS[0])
    assert _performance_bytes(read) == _performance_bytes(written)
    assert read.summary.true_positive == written.summary.true_positive
    assert read.summary.all_losses() == written.summary.all_losses()
    assert read.segments["city=Oslo"].n == written.segments["city=Oslo"].n
    assert storage.performance_exists("late", DAYS[0])
    assert storage.list_performance("late") == [DAYS[0]]


def test_a_baseline_is_read_as_it_was_written(storage: ProfileStorage, baseline: Baseline) -> None:
    storage.write_baseline("late", baseline)
    storage.write_baseline("late", baseline)
    read = storage.read_baseline("late", baseline.version)
    assert read.bins.key == baseline.bins.key
    assert read.bins.segments == baseline.bins.segments
    for name, bins in baseline.bins.numeric.items():
        kept = read.bins.numeric[name]
        assert (kept.minimum, kept.maximum, kept.std, kept.exact) == (
            *(bins.minimum, bins.maximum),
            *(bins.std, bins.exact),
        )
    assert _bytes(read.profile) == _bytes(baseline.profile)
    assert _performance_bytes(read.reference) == _performance_bytes(baseline.reference)
    assert (read.notes, read.types) == (baseline.notes, baseline.types)
    assert read.created_at == baseline.created_at
    assert storage.list_baselines("late") == [baseline.version]


def test_what_was_not_written_is_said_to_be_missing(storage: ProfileStorage) -> None:
    with pytest.raises(SliceNotFoundError, match="late, partition 2024-01-01"):
        storage.read("late", "b-1", DAYS[0])
    with pytest.raises(SliceNotFoundError, match="performance"):
        storage.read_performance("late", DAYS[0])
    with pytest.raises(BaselineError, match="There are: none"):
        storage.read_baseline("late", "b-1")
    assert not storage.exists("late", "b-1", DAYS[0])
    assert storage.list_partitions("late", "b-1") == []


def test_partitions_are_listed_in_order(storage: ProfileStorage) -> None:
    for day in reversed(DAYS):
        storage.write("late", "b-1", day, Profile())
    assert storage.list_partitions("late", "b-1") == DAYS
    assert storage.exists("late", "b-1", DAYS[2])


def test_a_damaged_file_is_named(tmp_path: Path, baseline: Baseline) -> None:
    storage = ProfileStorage(tmp_path)
    path = Path(storage.write("late", "b-1", DAYS[0], _profile(baseline, 1)))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CorruptDataError, match=r"2024-01-01\.parquet can't be read"):
        storage.read("late", "b-1", DAYS[0])


def test_a_write_leaves_nothing_else_behind(tmp_path: Path) -> None:
    storage = ProfileStorage(tmp_path)
    path = Path(storage.write("late", "b-1", DAYS[0], Profile(rows=1)))
    storage.write("late", "b-1", DAYS[0], Profile(rows=2))
    assert [p.name for p in path.parent.iterdir()] == ["2024-01-01.parquet"]
    assert storage.read("late", "b-1", DAYS[0]).rows == 2


@pytest.mark.parametrize("name", ["..", "../../etc", "a/b", "."])
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    storage = ProfileStorage(tmp_path / "root")
    path = Path(storage.write(name, name, DAYS[0], Profile()))
    assert path.resolve().is_relative_to(tmp_path / "root")
    assert path.relative_to(tmp_path / "root").parts[1] == "profiles"


def test_a_window_is_the_sum_of_its_slices_and_says_which_are_missing(
    tmp_path: Path, baseline: Baseline
) -> None:
    storage = ProfileStorage(tmp_path)
    for i, day in enumerate(DAYS):
        storage.write("late", baseline.version, day, _profile(baseline, i))
    windows = ProfileWindows(
        storage, model="late", baseline_version=baseline.version, partitions=PARTITIONS
    )
    window = windows.window("2024-01-04", 3)
    assert (window.partitions, window.missing) == (("2024-01-02", "2024-01-04"), ("2024-01-03",))
    assert _bytes(window.profile) == _bytes(_profile(baseline, 1) + _profile(baseline, 2))
    assert windows.window("2024-01-02", 14).partitions == ("2024-01-01", "2024-01-02")
    assert windows.window("2024-01-02", 14).missing == ()
    assert windows.window("2023-12-31", 3).profile.is_empty
    assert windows.slice("2024-01-03") is None


def test_windows_that_move_are_the_sums_of_their_slices_to_the_byte(
    tmp_path: Path, baseline: Baseline
) -> None:
    storage = ProfileStorage(tmp_path)
    kept = {f"2024-01-{i:02d}": _profile(baseline, i) for i in range(1, 25) if i not in (4, 13)}
    for day, profile in kept.items():
        storage.write("late", baseline.version, day, profile)
    windows = ProfileWindows(
        storage, model="late", baseline_version=baseline.version, partitions=PARTITIONS
    )
    # Day by day, the same day twice, a step back, a leap ahead.
    for last in (*range(1, 15), 14, 6, *range(7, 12), 22, 23, 24):
        for length in (5, 7):
            window = windows.window(f"2024-01-{last:02d}", length)
            days = [f"2024-01-{i:02d}" for i in range(max(last - length + 1, 1), last + 1)]
            expected = merge([kept[day] for day in days if day in kept])
            assert window.partitions == tuple(day for day in days if day in kept)
            assert _bytes(window.profile) == _bytes(expected)


def test_a_performance_window_is_the_sum_of_its_slices(tmp_path: Path) -> None:
    storage = ProfileStorage(tmp_path)
    for i, day in enumerate(DAYS):
        storage.write_performance("late", day, _performance(i))
    windows = PerformanceWindows(storage, model="late", task=TASK, partitions=PARTITIONS)
    window = windows.window("2024-01-04", 4)
    assert (window.profile.n, window.missing) == (900, ("2024-01-03",))
    assert windows.window("2024-01-03", 1).profile.summary.n_labelled == 0
