"""One cluster and one session for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dagster_monitoring.profiles.engine import ScanPlan, SparkEngine
from dagster_monitoring.spark import close_sessions, java_home
from tests.spark.cluster import QUICK_START, Cluster, free_port, running_cluster
from tests.spark.slices import plan_for, training_baseline


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/spark" in str(item.path):
            for category in ("PreviewWarning", "BetaWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::dagster.{category}"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if java_home() is None:
        pytest.skip("no Java on this machine: Spark can't run")
    with running_cluster(tmp_path_factory.mktemp("spark"), workers=2) as running:
        yield running


@pytest.fixture(scope="session")
def plan() -> ScanPlan:
    return plan_for(training_baseline())


@pytest.fixture(scope="session")
def connect_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def engine(
    cluster: Cluster, connect_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkEngine]:
    """An engine whose session is open, with a Spark Connect server in its driver."""
    declared = SparkEngine(
        master=cluster.master,
        wait_seconds=120,
        config={
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": connect_port,
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.extraJavaOptions": QUICK_START,
            "spark.driver.memory": "512m",
            "spark.executor.extraJavaOptions": QUICK_START,
            "spark.executor.memory": "512m",
            # Every file is a partition of its own.
            "spark.sql.files.maxPartitionBytes": "64k",
            "spark.sql.files.openCostInBytes": "64k",
            "spark.sql.shuffle.partitions": 2,
            # Plans of a few rows are not worth compiling, nor planning anew.
            "spark.sql.adaptive.enabled": False,
            "spark.sql.codegen.wholeStage": False,
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            # A lost machine's tasks start anew at once.
            "spark.task.maxFailures": 8,
            "spark.stage.maxConsecutiveAttempts": 8,
            "spark.shuffle.io.maxRetries": 1,
            "spark.shuffle.io.retryWait": "100ms",
            "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
            "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        },
    )
    declared.open()
    yield declared
    close_sessions()
