"""A year of the flights model judged by one command, its time split by what it is spent on.

    python benchmarks/backfill_year.py
    python benchmarks/backfill_year.py --days 4    # a smaller one

The demo carries April to November 2013, 244 days. Later days are these again: the same flights,
ids and labels, moved by whole local days under new ids. The days are laid out before; then
`dagster-monitoring backfill` runs in this process, and its thread is looked at every 4 ms. A part's
seconds are its share of the samples, times the CPU seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "contestants"))
sys.path.insert(0, str(Path(__file__).parents[1]))
import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from contestant import cpu_seconds
from report import machine_lines, table_lines
from sampler import Sampler

import dagster_monitoring
from dagster_monitoring.demo.definitions import DECLARATION, read_model
from dagster_monitoring.demo.world import DAYS, FIRST_VERSION, LAST_DAY, World, lay_out
from dagster_monitoring.orchestration.backend import open_backend

OURS = str(Path(dagster_monitoring.__file__).parent)
PARTS = {
    "store": tuple(
        f"{OURS}/{part}"
        for part in (
            "stores/",
            "profiles/storage",
            "profiles/serialization",
            "profiles/performance_serialization",
            "profiles/encoding",
        )
    ),
    "scan": (f"{OURS}/profiles/", f"{OURS}/sources/"),
    "metrics": (f"{OURS}/monitors/", f"{OURS}/statistics/"),
    "our assets and checks": (f"{OURS}/",),
    "Dagster": (str(Path(dg.__file__).parent),),
}


def main() -> None:
    """Lay out, judge, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=365, help="days from 2013-04-01 on")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        folder = lay_out(Path(scratch) / "flights")
        home = folder / ".dagster"
        home.mkdir()
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        os.environ["DAGSTER_HOME"] = str(home)
        os.environ["PYTHONPATH"] = str(folder / "src")
        sys.path.insert(0, str(folder / "src"))
        days = [DAYS.shift("2013-04-01", i) for i in range(options.days)]
        rows = _play(folder, days)
        sampler = Sampler(PARTS, rest="the rest")
        before = cpu_seconds()
        with sampler.running():
            _backfill(folder, days)
        seconds = cpu_seconds() - before
    cells = [
        [part, f"{share * seconds:.1f}", f"{share:.0%}"] for part, share in sampler.shares().items()
    ]
    cells.append(["all", f"{seconds:.1f}", "100%"])
    print(f"\n{options.days} days, {rows:,} flights, 16 features, 2 segment columns\n")
    print("\n".join(table_lines(["", "CPU seconds", "share"], cells)))
    print(f"\n- a day: {1000 * seconds / options.days:.0f} ms")
    print("\n" + "\n".join(machine_lines(("dagster", "numpy", "pyarrow"))))


def _play(folder: Path, days: list[str]) -> int:
    """Scores and labels of every day; gives the rows."""
    attributes = yaml.safe_load((folder / DECLARATION).read_text())
    attributes["attributes"]["partitions"]["end"] = max(days[-1], LAST_DAY)
    (folder / DECLARATION).write_text(yaml.safe_dump(attributes))
    world = World(folder)
    champion = world.train_first_champion()
    with open_backend(read_model(folder)) as backend:
        backend.registry.register(champion, version=FIRST_VERSION, metadata={})
    own = [day for day in days if day <= LAST_DAY]
    files = {day: world.serve(day, champion, FIRST_VERSION) for day in own}
    world.deliver_labels(DAYS.bounds(own[-1])[1] + timedelta(days=60))
    labels = pa.concat_tables(
        [pq.read_table(path) for path in sorted((folder / "data" / "labels").glob("*.parquet"))]
    )
    for i, day in enumerate(days[len(own) :]):
        again = own[i % len(own)]
        files[day] = _moved(folder, files[again], labels, again, day)
    return sum(pq.read_metadata(path).num_rows for path in files.values())


def _moved(folder: Path, source: Path, labels: pa.Table, then: str, day: str) -> Path:
    """The slice of a day under a later one, with its labels."""
    days = read_model(folder).partitions
    by = days.bounds(day)[0] - days.bounds(then)[0]
    rows = pq.ParquetFile(source).read()
    path = folder / "data" / "predictions" / f"day={day}" / "part-0.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(_later(rows, by, "timestamp"), path)
    own = labels.filter(pc.is_in(labels["prediction_id"], rows["prediction_id"].combine_chunks()))
    pq.write_table(_later(own, by, "available_at"), folder / "data" / "labels" / f"{day}.parquet")
    return path


def _later(rows: pa.Table, by: timedelta, column: str) -> pa.Table:
    kind = rows.schema.field(column).type
    moved = pc.add(rows[column], pa.scalar(by, pa.duration(kind.unit)))
    ids = pc.binary_join_element_wise(rows["prediction_id"], f"+{by.days}", "")
    return rows.set_column(rows.column_names.index(column), column, moved.cast(kind)).set_column(
        rows.column_names.index("prediction_id"), "prediction_id", ids
    )


def _backfill(folder: Path, days: list[str]) -> None:
    from dagster_monitoring.cli.main import commands

    arguments = ["backfill", "flight_delay", "--from", days[0], "--to", days[-1]]
    commands([*arguments, "--project", str(folder)], standalone_mode=False)


if __name__ == "__main__":
    main()
