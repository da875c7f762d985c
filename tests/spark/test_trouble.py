"""A machine that is lost in the middle of a scan, and a cluster that has no core to give."""

from __future__ import annotations

import threading
import time

import pytest

from dagster_monitoring.errors import EngineError
from dagster_monitoring.profiles.engine import LocalEngine
from dagster_monitoring.spark import spark_faults
from tests.spark.cluster import Cluster, descendants
from tests.spark.held import Gate, HeldRows, Mark
from tests.spark.slices import Rows, is_same, slice_rows, write_files


def test_a_scan_that_no_worker_takes_is_given_up(engine, plan, tmp_path):
    """Every core holds a task of an earlier job, which more tasks of it wait for."""
    source = write_files(tmp_path, [slice_rows(50, seed=1)])
    (tmp_path / "gate").mkdir()
    gate = Gate(tmp_path / "gate", free=0)
    with spark_faults("the other job"):
        busy = engine.open().range(0, 8, 1, 8).mapInArrow(gate.hold(), "id BIGINT")
    other = threading.Thread(target=busy.collect)
    other.start()
    try:
        gate.wait_for(bool)
        impatient = engine.model_copy(update={"wait_seconds": 1.0})
        start = time.monotonic()
        with pytest.raises(EngineError, match=r"no worker of spark://.* ran a task .* for 1 s"):
            impatient.profile(Rows(source), plan)
        assert time.monotonic() - start >= 1.0
    finally:
        gate.open()
        other.join()
    assert engine.open().sparkContext.getLocalProperty("spark.jobGroup.id") is None
    assert is_same(engine.profile(Rows(source), plan), LocalEngine().profile(Rows(source), plan))


def test_a_lost_machine_changes_nothing_in_the_result(cluster, engine, plan, tmp_path):
    """It is killed with a task done, whose output is lost too, and one in the middle."""
    source = write_files(tmp_path, [slice_rows(150, seed=s, first_id=20 * s) for s in range(5)])
    expected = LocalEngine().profile(Rows(source), plan)
    (tmp_path / "gate").mkdir()
    gate = Gate(tmp_path / "gate", free=2)
    lost: list[Mark] = []

    def lose_one() -> None:
        try:
            lost.extend(lose_a_machine(cluster, gate))
        finally:
            gate.open()

    killer = threading.Thread(target=lose_one)
    killer.start()
    found = engine.profile(HeldRows(source, gate), plan)
    killer.join()
    done, held = sorted(mark.partition for mark in lost)[:2]
    assert done < gate.free <= held
    again = {mark.partition for mark in gate.marks() if mark.daemon != lost[0].daemon}
    assert {done, held} <= again
    assert is_same(found, expected)


def lose_a_machine(cluster: Cluster, gate: Gate) -> list[Mark]:
    """Kill a worker that has a task done and one held; gives its tasks."""
    # Each executor has one core: who holds the second held task is not who holds the first.
    marks = gate.wait_for(lambda found: sum(m.partition >= gate.free for m in found) >= 2)
    daemon = next(m.daemon for m in marks if m.partition < gate.free)
    (place,) = [
        number
        for number, worker in enumerate(cluster.workers)
        if worker.poll() is None and daemon in descendants(worker.pid)
    ]
    cluster.kill_worker(place)
    return [mark for mark in marks if mark.daemon == daemon]
