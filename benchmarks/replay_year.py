"""A year of a hundred columns replayed: what other monitors would have alarmed on.

    python benchmarks/replay_year.py
    python benchmarks/replay_year.py --rows 200 --days 40    # a smaller one

Profiles are kept beforehand, seven different days in turn. The default monitors judge every day
again, limits learned from the days before included, and what they say is put together to incidents.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "contestants"))
sys.path.insert(0, str(Path(__file__).parents[1]))
import pyarrow as pa
import pyarrow.parquet as pq
from report import at_most, machine_lines, table_lines
from rows import write_days
from shape import CATEGORICAL, DAY, ID, NUMERIC, TIMESTAMP

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.baselines import build_declared, put_in_force
from dagster_monitoring.orchestration.replay import replay
from dagster_monitoring.orchestration.slices import profile_slice

LIMIT_SECONDS = 30
DIFFERENT = 7
TIMES = 5
"""How often each of the twenty columns is there, each time from another day's rows."""


def main() -> None:
    """Keep profiles, replay them, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=10_000, help="rows a day")
    parser.add_argument("--days", type=int, default=365, help="days")
    parser.add_argument("--rounds", type=int, default=3, help="replays; the median is judged")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name, open_backend(_model(Path(name))) as backend:
        _keep(backend, Path(name), rows=options.rows, days=options.days)
        found = sorted(_replayed(backend, options.days) for _ in range(options.rounds))
    seconds, alarms = found[len(found) // 2]
    columns = TIMES * len((*NUMERIC, *CATEGORICAL))
    row = [
        f"{options.days} days x {columns} columns",
        f"{seconds:.1f}",
        f"{seconds / options.days * 1e3:.0f}",
        f"{alarms}",
    ]
    heads = ["CPU seconds", "all", "ms a day", "alarms"]
    print("\n".join(table_lines(heads, [row])))
    print("\n- CPU seconds: " + at_most(seconds, LIMIT_SECONDS, " s"))
    print("\n" + "\n".join(machine_lines()))


def _replayed(backend: Backend, days: int) -> tuple[float, int]:
    """CPU seconds, and how many alarms there were."""
    begun, now = time.process_time(), datetime(2026, 1, 1, tzinfo=UTC)
    found = replay(backend, backend.model, first=DAY, last=_key(days - 1), now=now)
    return time.process_time() - begun, len(found.alarms)


def _key(number: int) -> str:
    return (date.fromisoformat(DAY) + timedelta(days=number)).isoformat()


def _model(folder: Path) -> MonitoredModel:
    wide = {
        kind: [f"{name}_{i}" for i in range(TIMES) for name in names]
        for kind, names in (("numeric", NUMERIC), ("categorical", CATEGORICAL))
    }
    return MonitoredModel.read(
        {
            "model": "bench",
            "task": {"type": "regression", "label": "label", "prediction": wide["numeric"].pop()},
            "columns": {"id": ID, "timestamp": TIMESTAMP, **wide},
            "partitions": {"start": DAY, "timezone": "UTC"},
            "baseline": {"type": "parquet", "path": "training.parquet"},
            "predictions": {"type": "parquet", "path": "{partition}.parquet"},
            "storage": {"path": "monitoring"},
        },
        where="bench: ",
    ).rooted(folder)


def _keep(backend: Backend, folder: Path, *, rows: int, days: int) -> None:
    """A baseline, and profiles of all days; those of the first seven come round."""
    source = folder / "rows"
    write_days(source, rows=rows, different=DIFFERENT)
    _widen([source / "training.parquet"], folder / "training.parquet")
    clock = datetime(2024, 1, 1, tzinfo=UTC)
    baseline = build_declared(backend)
    put_in_force(backend, baseline, clock=lambda: clock)
    kept: list[str] = []
    for number in range(days):
        if number < DIFFERENT:
            files = [source / f"day-{(number + i) % DIFFERENT}.parquet" for i in range(TIMES)]
            _widen(files, folder / f"{_key(number)}.parquet")
            profile = profile_slice(backend, _key(number), baseline)
            path = backend.storage.write("bench", baseline.version, _key(number), profile)
            kept.append(path)
            continue
        same = Path(kept[number % DIFFERENT])
        shutil.copyfile(same, same.with_name(f"{_key(number)}.parquet"))


def _widen(paths: Sequence[Path], wide: Path) -> None:
    """The columns of the files in turn, five times."""
    tables = [pq.read_table(path) for path in paths]
    columns = {name: tables[0][name] for name in (ID, TIMESTAMP)}
    for i in range(TIMES):
        for name in (*NUMERIC, *CATEGORICAL):
            columns[f"{name}_{i}"] = tables[i % len(tables)][name]
    pq.write_table(pa.table(columns), wide)


if __name__ == "__main__":
    main()
