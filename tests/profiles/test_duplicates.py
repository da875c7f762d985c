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
