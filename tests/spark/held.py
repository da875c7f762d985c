"""Rows that Spark hands out only once they are let go, with a mark of each task that started."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from dagster_monitoring.spark import SparkRows, StoredFrame
from tests.spark.slices import Rows

WAIT_SECONDS = 120


@dataclass(frozen=True)
class Mark:
    """A task that started, and the process that started its Python: one an executor."""

    partition: int
    daemon: int


@dataclass(frozen=True)
class Gate:
    """Tasks from partition ``free`` on wait until it is open."""

    folder: Path
    free: int

    def open(self) -> None:
        (self.folder / "open").touch()

    def marks(self) -> list[Mark]:
        names = [file.name.split("-") for file in self.folder.glob("*-*-*")]
        return [Mark(partition=int(place), daemon=int(daemon)) for place, daemon, _ in names]

    def wait_for(self, reached: Callable[[list[Mark]], bool]) -> list[Mark]:
        deadline = time.monotonic() + WAIT_SECONDS
        while not reached(self.marks()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"tasks that started: {self.marks()}")
            time.sleep(0.05)
        return self.marks()

    def hold(self) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
        """A function of a function is sent whole: executors do not know this folder."""
        folder, free, seconds = str(self.folder), self.free, WAIT_SECONDS

        def held(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            import os
            import pathlib
            import time

            from pyspark import TaskContext

            task = TaskContext.get()
            place = task.partitionId()
            where = pathlib.Path(folder)
            (where / f"{place}-{os.getppid()}-{task.taskAttemptId()}").touch()
            deadline = time.monotonic() + seconds
            while place >= free and not (where / "open").exists():
                if time.monotonic() > deadline:
                    raise TimeoutError("nobody opened the gate")
                time.sleep(0.05)
            yield from batches

        return held


@dataclass(frozen=True)
class HeldRows(Rows):
    """A slice whose rows go through a gate."""

    gate: Gate

    def through_spark(self, session) -> SparkRows:
        found = super().through_spark(session)
        return replace(found, frames=tuple(map(self.held, found.frames)))

    def held(self, stored: StoredFrame) -> StoredFrame:
        frame = stored.frame.mapInArrow(self.gate.hold(), stored.frame.schema)
        return replace(stored, open=lambda: frame, pieces=None)
