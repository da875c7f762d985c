from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles import duplicates
from dagster_monitoring.profiles.duplicates import Duplicates

hashes = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 20), max_size=60)


@settings(max_examples=100, deadline=None)
@given(parts=st.lists(hashes, max_size=6), held=st.integers(1, 80))
def test_the_count_is_exact_in_memory_and_on_disk(parts: list[list[int]], held: int) -> None:
    values = [value for part in parts for value in part]
    with pytest.MonkeyPatch.context() as patch, Duplicates() as counted:
        patch.setattr(duplicates, "HELD", held)
        for part in parts:
            counted.add(np.array(part, dtype=np.uint64))
        assert counted.count() == len(values) - len(set(values))


@pytest.mark.parametrize("held", [2, 100])
def test_ids_whose_hashes_differ_by_one_are_two(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "HELD", held)
    with Duplicates() as counted:
        counted.add(np.array([2**63, 2**63 + 1, 2**64 - 1], dtype=np.uint64))
        counted.add(np.array([2**64 - 2], dtype=np.uint64))
        assert counted.count() == 0
        counted.add(np.array([2**63 + 1], dtype=np.uint64))
        assert counted.count() == 1


@pytest.mark.parametrize("held", [2, 100])
def test_hashes_that_would_be_no_numbers_are_equal_to_themselves(
    held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "HELD", held)
    with Duplicates() as counted:
        counted.add(np.array([0x7FF8_0000_0000_0001] * 3, dtype=np.uint64))
        assert counted.count() == 2


def test_a_file_is_begun_when_as_many_are_held_as_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duplicates, "HELD", 10)
    with Duplicates() as counted:
        counted.add(np.arange(9, dtype=np.uint64))
        assert counted._file is None
        counted.add(np.arange(1, dtype=np.uint64))
        assert counted._file is not None
        assert counted._file.tell() == 80
        counted.add(np.arange(9, dtype=np.uint64))
        assert counted._file.tell() == 80


def test_buckets_are_small_enough_to_be_counted_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duplicates, "HELD", 10_000)
    ids = np.random.default_rng(0).integers(0, 2**64, 25_600, dtype=np.uint64)
    with Duplicates() as counted:
        for part in np.split(ids, 8):
            counted.add(part)
        counted.count()
        sizes = [len(counted._bucket(place)) for place in range(256)]
    assert sum(sizes) == len(ids)
    assert max(sizes) < 160


def test_no_file_is_left_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "HELD", 10)
    monkeypatch.setattr("tempfile.tempdir", os.fspath(tmp_path))
    with pytest.raises(RuntimeError, match="a batch"):
        _add_and_fail()
    assert list(tmp_path.iterdir()) == []


def _add_and_fail() -> None:
    with Duplicates() as counted:
        counted.add(np.arange(50, dtype=np.uint64))
        raise RuntimeError("a batch that can't be read")
