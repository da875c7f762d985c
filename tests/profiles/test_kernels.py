"""Which kernel counts: a matter of speed, never of what is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from dagster_monitoring.profiles.bins import BinSet, build_numeric_bins
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engines.kernels import Kernel, Kernels
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.schema import Columns

BATCH = 20_000
COLUMNS = Columns(id="id", timestamp="at", numeric=("x",))

IN_A_PROCESS = """
import sys
from dagster_monitoring.profiles.engines.kernels import Counted, Kernels
from tests.profiles.test_kernels import BATCH, batches, profile_bytes

COMPILED = "dagster_monitoring.profiles.engines.compiled"
loaded = []

def watched():
    for batch in batches():
        yield batch
        loaded.append(COMPILED in sys.modules)

counted = Counted()
found = profile_bytes(watched(), Kernels("auto", counted=counted, worth=3 * BATCH))
assert loaded == [False, False, False, True, True, True], loaded
assert counted.values == 6 * BATCH
sys.stdout.buffer.write(found)
"""


def batches() -> list[pa.RecordBatch]:
    """Rows with nulls, far values and no numbers, the same in every process."""
    generator = np.random.default_rng(11)
    values = generator.standard_t(1.1, 6 * BATCH)
    values[generator.random(len(values)) < 0.01] = np.inf
    mask = generator.random(len(values)) < 0.05
    table = pa.record_batch({"x": pa.array(values, mask=mask)})
    return [table.slice(i, BATCH) for i in range(0, len(values), BATCH)]


def profile_bytes(rows: Iterable[pa.RecordBatch], kernel: Kernel | Kernels) -> bytes:
    """The profile of rows on bins that are the same in every process."""
    training = np.random.default_rng(12).standard_t(1.5, 10_000)
    bins = BinSet(columns={"x": build_numeric_bins(training)})
    return to_bytes(to_table(scan(rows, bins=bins, columns=COLUMNS, kernel=kernel)))


def _in_a_process(**environment: str) -> bytes:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(  # noqa: S603 - this very test
        [sys.executable, "-c", IN_A_PROCESS],
        env={**os.environ, "PYTHONPATH": root, **environment},
        cwd=root,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_a_kernel_that_changes_within_a_scan_leaves_no_trace() -> None:
    assert _in_a_process() == profile_bytes(batches(), "numpy")


def test_the_kernel_compiles_where_nothing_can_be_kept(tmp_path: Path) -> None:
    """No folder can be made below a file, not even by root."""
    file = tmp_path / "file"
    file.touch()
    found = _in_a_process(NUMBA_CACHE_DIR=str(file / "cache"))
    assert found == profile_bytes(batches(), "numpy")
