"""Files that are not there, damaged, or no profiles: each is named, or passed over."""

from __future__ import annotations

import os
import re
import uuid
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from dagster_monitoring.errors import BaselineError, CorruptDataError, SliceNotFoundError
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.storage import ProfileStorage


def test_a_slice_without_a_performance_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(SliceNotFoundError, match="late, partition 2024-01-01: no performance"):
        ProfileStorage(tmp_path).read_performance("late", "2024-01-01")


def test_a_baseline_without_labels_is_read_without_a_reference(
    tmp_path: Path, baseline: Baseline
) -> None:
    storage = ProfileStorage(tmp_path)
    storage.write_baseline("late", replace(baseline, reference=None, notes=("no labels",)))
    read = storage.read_baseline("late", baseline.version)
    assert (read.reference, read.notes) == (None, ("no labels",))
    assert (read.version, read.model_version) == (baseline.version, baseline.model_version)


def test_baselines_that_are_there_are_named(tmp_path: Path, baseline: Baseline) -> None:
    storage = ProfileStorage(tmp_path)
    for version in ("b-2", "b-1"):
        storage.write_baseline("late", replace(baseline, version=version))
    with pytest.raises(BaselineError, match=r"There are: b-1, b-2\."):
        storage.read_baseline("late", "b-3")


def test_a_baselines_missing_and_damaged_files_are_named(
    tmp_path: Path, baseline: Baseline
) -> None:
    storage = ProfileStorage(tmp_path)
    folder = Path(storage.write_baseline("late", baseline))
    for name in ("profile.parquet", "bins.parquet", "baseline.json"):
        (folder / name).write_bytes(b"no data")
        with pytest.raises(CorruptDataError, match=re.escape(f"{name} can't be read")):
            storage.read_baseline("late", baseline.version)
    folder = Path(storage.write_baseline("other", baseline))
    (folder / "bins.parquet").unlink()
    with pytest.raises(SliceNotFoundError, match=r"baseline is not whole \(.*bins\.parquet\)"):
        storage.read_baseline("other", baseline.version)


def test_files_that_are_no_profiles_are_not_listed(tmp_path: Path) -> None:
    storage = ProfileStorage(f"{tmp_path}//")
    folder = Path(storage.write("late", "b-1", "a/b X", Profile())).parent
    for name in (".2024.parquet", "notes.txt", ".hidden"):
        (folder / name).write_bytes(b"")
    assert storage.list_partitions("late", "b-1") == ["a/b X"]
    assert folder == tmp_path / "late" / "profiles" / "b-1"
    assert Path(storage.write("..", "b=1 +,@", "d", Profile())).parts[-4:] == (
        *("%2E%2E", "profiles", "b=1 +,@", "d.parquet"),
    )


class RememberingFiles(MemoryFileSystem):
    """Remembers what a folder held, as the file systems of object stores do."""

    protocol = "remembering"
    store: ClassVar[dict[str, object]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    known: ClassVar[dict[tuple[str, bool], list[str]]] = {}

    def ls(self, path: str, detail: bool = True, *, refresh: bool = False) -> list[str]:  # noqa: FBT001, FBT002 - as fsspec has it
        if refresh or (path, detail) not in self.known:
            self.known[path, detail] = super().ls(path, detail=detail)
        return self.known[path, detail]


def test_what_another_process_wrote_is_listed() -> None:
    fsspec.register_implementation("remembering", RememberingFiles, clobber=True)
    storage = ProfileStorage(f"remembering://{uuid.uuid4().hex}")
    for days in (["2024-01-01"], ["2024-01-01", "2024-01-02"]):
        storage.write("late", "b-1", days[-1], Profile())
        assert storage.list_partitions("late", "b-1") == days


def test_a_profile_is_replaced_whole(tmp_path: Path) -> None:
    storage = ProfileStorage(tmp_path)
    path = Path(storage.write("late", "b-1", "d", Profile(rows=1)))
    earlier = path.read_bytes()
    # Whoever still reads the earlier file reads on in it: nothing is written over.
    (tmp_path / "open").hardlink_to(path)
    storage.write("late", "b-1", "d", Profile(rows=2))
    assert (tmp_path / "open").read_bytes() == earlier != path.read_bytes()


def test_a_baseline_that_is_there_is_not_written_again(tmp_path: Path, baseline: Baseline) -> None:
    storage = ProfileStorage(tmp_path)
    bins = Path(storage.write_baseline("late", baseline)) / "bins.parquet"
    bins.write_bytes(b"kept")
    storage.write_baseline("late", baseline)
    assert bins.read_bytes() == b"kept"


def test_a_damaged_performance_profile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "late" / "performance" / "d.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no data")
    with pytest.raises(CorruptDataError, match=r"performance/d\.parquet can't be read"):
        ProfileStorage(tmp_path).read_performance("late", "d")


def test_the_root_may_be_any_folder(tmp_path: Path) -> None:
    path = ProfileStorage(tmp_path / "MAX").write("late", "b-1", "d", Profile())
    assert Path(path).is_relative_to(tmp_path / "MAX")
    with pytest.raises(SliceNotFoundError, match=re.escape(f"({os.sep}no model/profiles/b-1/d.")):
        ProfileStorage(os.sep).read("no model", "b-1", "d")
