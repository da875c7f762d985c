"""A limit to waiting for a worker: Spark itself waits without end."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagster_monitoring.errors import EngineError

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.session import SparkSession as ConnectSession

_GROUP = ("spark.jobGroup.id", "spark.job.description")


@contextmanager
def no_endless_wait(session: SparkSession | ConnectSession, *, seconds: float) -> Iterator[None]:
    """Give up what this thread runs inside once none of its tasks has run for so long.

    A cluster whose cores are all taken, or that has no worker, starts no task. A Spark Connect
    client can't see tasks: its server's cluster is waited for without end.

    Args:
        session: what runs it.
        seconds: from the moment when a stage has tasks to run and none runs.

    Raises:
        EngineError: nothing ran.
    """
    from pyspark.sql import SparkSession as Classic

    if not isinstance(session, Classic):
        yield
        return
    context = session.sparkContext
    before = [context.getLocalProperty(name) for name in _GROUP]
    watch = _Watch(context=context, seconds=seconds)
    context.setJobGroup(watch.group, "a scan of dagster-monitoring")
    watcher = threading.Thread(target=watch.run, daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        if watch.gave_up:
            raise EngineError(
                f"no worker of {context.master} ran a task of the scan for {seconds:g} s: all its "
                "cores are taken, or it has no worker that gives spark.executor.cores and "
                "spark.executor.memory. Look at the cluster, or raise engine.wait_seconds, then "
                "run the partition again"
            ) from error
        raise
    finally:
        watch.done.set()
        watcher.join()
        for name, value in zip(_GROUP, before, strict=True):
            context.setLocalProperty(name, value)  # type: ignore[arg-type] # None unsets it


@dataclass
class _Watch:
    """Looks at the tasks of one job group, from a thread of its own."""

    context: SparkContext
    seconds: float
    group: str = field(default_factory=lambda: f"dagster-monitoring-{uuid.uuid4().hex}")
    done: threading.Event = field(default_factory=threading.Event)
    gave_up: bool = False

    def run(self) -> None:
        """Until it is done, or given up."""
        from py4j.protocol import Py4JError

        running_at = time.monotonic()
        completed = 0
        while not self.done.wait(min(self.seconds / 4, 1.0)):
            try:
                waits, now_completed = self._look()
                if not waits or now_completed != completed:
                    running_at, completed = time.monotonic(), now_completed
                elif time.monotonic() - running_at >= self.seconds:
                    self.gave_up = True
                    self.context.cancelJobGroup(self.group)
                    return
            except (Py4JError, ConnectionError):
                # The session is gone; the scan itself says so.
                return

    def _look(self) -> tuple[bool, int]:
        """Whether all its tasks wait, and how many are completed."""
        tracker = self.context.statusTracker()
        stages = [
            stage
            for job in map(tracker.getJobInfo, tracker.getJobIdsForGroup(self.group))
            if job is not None and job.status == "RUNNING"
            for stage in map(tracker.getStageInfo, job.stageIds)
            if stage is not None and stage.numCompletedTasks < stage.numTasks
        ]
        active = sum(stage.numActiveTasks for stage in stages)
        completed = sum(stage.numCompletedTasks for stage in stages)
        return bool(stages) and not active, completed
