"""Every test of the label ledger runs the same on each place that labels can be kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagster_monitoring.stores import Store, open_store


@pytest.fixture(params=["sqlite", "postgres", "parquet"])
def label_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the store, each time the same."""
    url = f"sqlite:///{tmp_path / 'monitoring.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("emptied_postgres_store_url")
    folder = str(tmp_path / "labels") if request.param == "parquet" else None
    return lambda: open_store(url, label_folder=folder)


@pytest.fixture
def store(label_store: Callable[[], Store]) -> Iterator[Store]:
    with label_store() as opened:
        yield opened
