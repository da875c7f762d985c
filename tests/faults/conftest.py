"""Worlds to kill processes in: made once, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import acts

Copy = Callable[[str], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/faults" in str(item.path):
            for category in ("PreviewWarning", "BetaWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::dagster.{category}"))


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A world at each stage of its days, none of them disturbed."""
    folder = tmp_path_factory.mktemp("stages")
    found: dict[str, Path] = {}
    before: Path | None = None
    steps = {
        "prepared": acts.prepare,
        "labelled": acts.take_labels,
        "judged": acts.judge,
        "told": acts.alert,
    }
    for name, act in steps.items():
        place = folder / name
        if before is not None:
            shutil.copytree(before, place)
        act(place)
        found[name] = before = place
    return found


@pytest.fixture
def copy(stages: dict[str, Path], tmp_path: Path) -> Copy:
    """Copies a stage's world, to be disturbed."""

    def copied(stage: str) -> Path:
        return Path(shutil.copytree(stages[stage], tmp_path / stage))

    return copied
