"""A standalone Spark cluster on loopback: a master and workers, each a JVM of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

from dagster_monitoring.spark import java_home

SPARK_HOME = Path(pyspark.__file__).parent
START_SECONDS = 90
# Nothing here runs long enough to be worth the second compiler.
QUICK_START = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def scala_version() -> str:
    """Of ``spark-core_2.13-4.3.0.jar`` it is ``2.13``."""
    (core,) = (SPARK_HOME / "jars").glob("spark-core_*.jar")
    return core.name.removeprefix("spark-core_").partition("-")[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Cluster:
    """Processes that this class started, and their logs."""

    folder: Path
    port: int = field(default_factory=free_port)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def master(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    def start(self, kind: str, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "SPARK_HOME": str(SPARK_HOME),
            "SPARK_LOCAL_IP": "127.0.0.1",
            # What Spark's scripts would set, at the cost of another JVM each.
            "SPARK_SCALA_VERSION": scala_version(),
        }
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - PySpark's own classes
                [
                    *(java_home() or "java", *QUICK_START.split(), "-Xmx256m"),
                    *("-cp", f"{SPARK_HOME}/jars/*", f"org.apache.spark.deploy.{kind}"),
                    *arguments,
                ],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def add_worker(self) -> None:
        name = f"worker-{len(self.workers)}"
        self.workers.append(
            self.start(
                "worker.Worker",
                name,
                *("--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0"),
                *("--work-dir", str(self.folder / name), self.master),
            )
        )

    def wait_for(self, name: str, text: str) -> None:
        """Until a process has said something in its log."""
        deadline = time.monotonic() + START_SECONDS
        log = self.folder / f"{name}.log"
        while text not in log.read_text(errors="replace"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} said no {text!r}:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)

    def kill_worker(self, place: int) -> None:
        """As when a machine is lost: the worker, its executors and their Pythons at once."""
        worker = self.workers[place]
        kill_all([worker.pid, *descendants(worker.pid)])
        worker.wait()


def descendants(pid: int) -> list[int]:
    """The processes that it started, and that they started."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    own = []
    for file in found:
        # A thread may end between the listing and the look.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            own += [int(child) for child in file.read_text().split()]
    return [*own, *(below for child in own for below in descendants(child))]


def kill_all(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def running_cluster(folder: Path, *, workers: int) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    arguments = ("--host", "127.0.0.1", "--port", str(cluster.port), "--webui-port", "0")
    master = cluster.start("master.Master", "master", *arguments)
    try:
        cluster.wait_for("master", "New state: ALIVE")
        # Whoever opens a session starts a JVM meanwhile, and gets workers as they come.
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        started = [*cluster.workers, master]
        left = [pid for process in started for pid in descendants(process.pid)]
        for process in started:
            process.terminate()
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        kill_all([*(process.pid for process in started if process.poll() is None), *left])
        for process in started:
            process.wait()
