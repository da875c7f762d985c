"""A full disk, a folder that may not be written: the run says so, and the next one goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import acts
from tests.faults.conftest import Copy
from tests.faults.stopping import told
from tests.faults.test_killed_runs import every_file_is_whole


# What fills first: a profile's file, or the store's.
@pytest.mark.parametrize("size", [2_000, 40_000], ids=["small", "larger"])
def test_a_run_on_a_full_disk_is_made_up_for_when_there_is_space(
    stages: dict[str, Path], copy: Copy, size: int
):
    folder = copy("labelled")
    said = told(acts.with_little_space, acts.judge, folder, size)
    assert "full" in said or "too large" in said or "disk I/O" in said, said
    every_file_is_whole(folder)
    acts.judge(folder)
    assert acts.verdicts(folder) == acts.verdicts(stages["judged"])
    assert acts.rows_kept(folder) == acts.rows_kept(stages["judged"])


def test_labels_that_find_no_space_are_taken_in_later(stages: dict[str, Path], copy: Copy):
    folder = copy("prepared")
    said = told(acts.with_little_space, acts.take_labels, folder, 40_000)
    assert said != "done"
    acts.take_labels(folder)
    acts.judge(folder)
    assert acts.verdicts(folder) == acts.verdicts(stages["judged"])


def test_a_folder_that_may_not_be_written_is_named_and_left_as_it_was(
    stages: dict[str, Path], copy: Copy
):
    folder = copy("labelled")
    _allow(folder, folders=0o555, files=0o444)
    before = sorted(folder.rglob("*"))
    try:
        said = told(acts.without_powers, acts.judge_plainly, folder)
        assert any(word in said for word in ("readonly", "Permission denied", "unable to open"))
        assert str(folder) in said
        assert sorted(folder.rglob("*")) == before
    finally:
        _allow(folder, folders=0o755, files=0o644)
    acts.judge(folder)
    assert acts.verdicts(folder) == acts.verdicts(stages["judged"])


def _allow(folder: Path, *, folders: int, files: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(folders if path.is_dir() else files)
