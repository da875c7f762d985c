"""Pages of the default monitors on the flights that the demo carries: quiet days, known changes.

Rows are real, New York's flights of 2013. In the first table they are dealt out to days by chance,
so that nothing happens: half of the baseline's rows are the baseline, days of 400 rows are drawn
from the other half. After 90 quiet days the world changes, in one of four ways. In the second
table days are those of the calendar, April to November: storms that are known, and the seasons.

What is measured is the product: files, `init`'s monitors, profiles, store, `replay`.

    python benchmarks/real_alarms.py
    python benchmarks/real_alarms.py --models 1 --quiet 30 --calendar 20    # a smaller one
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, median

sys.path.insert(0, str(Path(__file__).parent))
import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from real_changes import CHANGES, Change, with_column
from report import table_lines

from dagster_monitoring.demo.definitions import read_model
from dagster_monitoring.demo.world import DAYS, FIRST_VERSION, LAST_DAY, World, lay_out
from dagster_monitoring.incidents import Group
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from dagster_monitoring.orchestration.label_intake import take_in_labels
from dagster_monitoring.orchestration.replay import replay
from dagster_monitoring.orchestration.running import run_setup

ROWS, CHANGED = 400, 28
MONTH = 365.25 / 12
START = datetime(2024, 1, 1, tzinfo=UTC)
AFTER_ALL = datetime(2030, 1, 1, tzinfo=UTC)
EVENTS = {
    "half were late": ("2013-04-22", "2013-04-26"),
    "storms of 23 May": ("2013-05-23", "2013-05-23"),
    "storms of 13 June": ("2013-06-13", "2013-06-13"),
    "storms of 1 July": ("2013-07-01", "2013-07-01"),
    "storms of 8 August": ("2013-08-08", "2013-08-09"),
    "storms of 12 September": ("2013-09-12", "2013-09-12"),
}
WORSE, RANKS = 1.25, 0.1
"""How much worse than the baseline's a real loss is: times its log loss, points of ROC AUC."""


@dataclass(frozen=True)
class Pages:
    """What a replay came to.

    Attributes:
        groups: the incidents.
        days: that were judged.
    """

    groups: Sequence[Group]
    days: Sequence[str]

    def first_in(self, first: str, last: str) -> str | None:
        """The partition at which the first incident that touches a span was told, within it."""
        hits = [max(g.fired, first) for g in self.groups if g.first <= last and g.last >= first]
        return min(hits, default=None)

    def count_in(self, first: str, last: str) -> int:
        """How many incidents touch a span."""
        return sum(g.first <= last and g.last >= first for g in self.groups)


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=6, help="models of each change")
    parser.add_argument("--quiet", type=int, default=90, help="quiet days of each")
    parser.add_argument("--calendar", type=int, default=244, help="days from 2013-04-01 on")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ["DAGSTER_HOME"] = ""
    with tempfile.TemporaryDirectory() as scratch:
        shuffled(Path(scratch), models=asked.models, quiet=asked.quiet)
        calendar(Path(scratch) / "flights", days=asked.calendar)


def shuffled(scratch: Path, *, models: int, quiet: int) -> None:
    """Prints pages on quiet days against the budget, and days from a change to the first page."""
    source = lay_out(scratch / "source") / "data" / "baseline.parquet"
    rows, rng = pq.read_table(source), np.random.default_rng(20240501)
    cells, quiet_pages = [], []
    for name, change in CHANGES.items():
        delays, counts = [], []
        for number in range(models):
            folder = scratch / f"{change.__name__}-{number}"
            found = _replayed(_dealt(folder, rows, change, quiet=quiet, rng=rng))
            first = found.days[quiet]
            quiet_pages.append(found.count_in(found.days[0], found.days[quiet - 1]))
            told = found.first_in(first, found.days[-1])
            counts.append(sum(g.last >= first for g in found.groups))
            delays.append(None if told is None else found.days.index(told) - quiet)
        hits = [delay for delay in delays if delay is not None]
        late = f"{median(hits):.0f}, at most {max(hits)}" if hits else ""
        cells.append([name, f"{len(hits)} of {models}", late, f"{fmean(counts):.1f}"])
    months = len(quiet_pages) * quiet / MONTH
    print(
        f"\n{len(quiet_pages)} models of real rows on {quiet} quiet days: {sum(quiet_pages)} pages "
        f"in {months:.1f} months, {sum(quiet_pages) / months:.2f} a month; the budget is 1\n"
    )
    heads = [f"change, {CHANGED} days of it", "found", "days to the first page", "incidents"]
    print("\n".join(table_lines(heads, cells)), flush=True)


def _dealt(
    folder: Path, rows: pa.Table, change: Change, *, quiet: int, rng: np.random.Generator
) -> MonitoredModel:
    """A model whose days are rows drawn by chance; the last ones are changed."""
    order = rng.permutation(rows.num_rows)
    half = rows.num_rows // 2
    ours, theirs = rows.take(order[:half]), rows.take(order[half:])
    (folder / "days").mkdir(parents=True)
    pq.write_table(ours, folder / "baseline.parquet")
    labels = []
    for day in range(quiet + CHANGED):
        drawn = theirs.take(rng.integers(0, theirs.num_rows, ROWS))
        drawn = drawn if day < quiet else change(drawn, rng)
        drawn = _dated(drawn, day, rng)
        pq.write_table(drawn.drop_columns(["delayed15"]), folder / "days" / f"{_key(day)}.parquet")
        arrived = pa.array([START + timedelta(days=day + 1, hours=6)] * ROWS)
        labels.append(drawn.select(["prediction_id", "delayed15"]).append_column("at", arrived))
    pq.write_table(pa.concat_tables(labels), folder / "labels.parquet")
    return _declared(folder, quiet + CHANGED)


def _dated(rows: pa.Table, day: int, rng: np.random.Generator) -> pa.Table:
    seconds = np.sort(rng.integers(0, 86_400, rows.num_rows))
    moments = [START + timedelta(days=day, seconds=int(second)) for second in seconds]
    ids = [f"{day}-{row}" for row in range(rows.num_rows)]
    rows = with_column(rows, "timestamp", pa.array(moments, pa.timestamp("us", tz="UTC")))
    return with_column(rows, "prediction_id", pa.array(ids))


def _declared(folder: Path, days: int) -> MonitoredModel:
    """The demo's model over the files of a folder, with the default monitors and policy."""
    flights = read_model(folder.parent / "source")
    return MonitoredModel(
        model="flights",
        task=flights.task,
        columns=flights.columns,
        partitions={
            "start": _key(0),
            "end": _key(days - 1),
            "timezone": "UTC",
        },
        baseline={"type": "parquet", "path": str(folder / "baseline.parquet")},
        predictions={"type": "parquet", "path": str(folder / "days" / "{partition}.parquet")},
        ground_truth={
            "type": "parquet",
            "path": str(folder / "labels.parquet"),
            "available_at": "at",
            "expected_delay_days": 1,
        },
        storage={"path": str(folder / "monitoring")},
    )


def calendar(folder: Path, *, days: int) -> None:
    """Prints what the days of 2013 came to, event by event."""
    world = World(lay_out(folder))
    champion = world.train_first_champion()
    model = read_model(folder).model_copy(update={"segments": (), "retraining": None})
    chosen = [day for day in (DAYS.shift("2013-04-01", i) for i in range(days)) if day <= LAST_DAY]
    for day in chosen:
        world.serve(day, champion, FIRST_VERSION)
    world.deliver_labels(DAYS.bounds(chosen[-1])[1] + timedelta(days=60))
    found = _replayed(model, last=chosen[-1])
    known = {what: span for what, span in EVENTS.items() if span[1] <= chosen[-1]}
    cells = [_event(found, what, *span) for what, span in known.items()]
    print("\n" + "\n".join(table_lines(["2013", "first page after", "incidents"], cells)))
    spans = [(first, DAYS.shift(last, 2)) for first, last in known.values()]
    others = [
        g
        for g in found.groups
        if not any(g.first <= last and g.last >= first for first, last in spans)
    ]
    real = [g for g in others if _is_worse(folder, g)]
    idle = [
        f"{g.fired} {' and '.join(m.monitor for m in g.members)}" for g in others if g not in real
    ]
    print(
        f"\n{len(found.groups)} incidents in {len(chosen) / MONTH:.1f} months, {len(others)} "
        f"apart from these events: {len(real)} with a real loss (by scikit-learn, over three days, "
        f"log loss {WORSE} times the baseline's or ROC AUC {RANKS} less), others: "
        f"{', '.join(idle) or 'none'}"
    )


def _event(found: Pages, what: str, first: str, last: str) -> list[str]:
    # Windows hold three days.
    end = DAYS.shift(last, 2)
    told = found.first_in(first, end)
    late = "missed" if told is None else f"{DAYS.distance(first, told)} days"
    return [what, late, str(found.count_in(first, end))]


def _is_worse(folder: Path, group: Group) -> bool:
    """Whether realized performance was lost at one of an incident's days, by scikit-learn."""
    from sklearn.metrics import log_loss, roc_auc_score

    base = pq.read_table(folder / "data" / "baseline.parquet")
    truth, score = base["delayed15"].to_numpy(), base["delay15_proba"].to_numpy()
    usual, ranks = log_loss(truth, score), roc_auc_score(truth, score)
    for day in DAYS.between(group.first, group.last):
        own, said = _joined(folder, day)
        if log_loss(own, said) > WORSE * usual or roc_auc_score(own, said) < ranks - RANKS:
            return True
    return False


def _joined(folder: Path, last: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores of the three days up to one."""
    import pandas as pd

    labels = pd.concat(
        [pd.read_parquet(file) for file in sorted((folder / "data" / "labels").glob("*.parquet"))]
    )
    labels = labels.sort_values("revision").drop_duplicates("prediction_id", keep="last")
    files = [
        folder / "data" / "predictions" / f"day={DAYS.shift(last, -back)}" / "part-0.parquet"
        for back in range(3)
    ]
    scored = pd.concat([pd.read_parquet(file) for file in files if file.exists()])
    both = scored.merge(labels, on="prediction_id")
    return both["delayed15"].to_numpy(), both["delay15_proba"].to_numpy()


def _replayed(model: MonitoredModel, *, last: str | None = None) -> Pages:
    """The product's own replay of a model's days, after its own set-up."""
    with dg.DagsterInstance.ephemeral() as instance:
        run_setup(build_monitoring_defs(model), model, instance=instance)
    keys = model.partitions
    end = last or f"{keys.end:%Y-%m-%d}"
    with open_backend(model) as backend:
        take_in_labels(backend, now=AFTER_ALL)
        found = replay(backend, model, first=keys.first, last=end, now=AFTER_ALL)
    return Pages(groups=found.alarms, days=keys.between(keys.first, end))


def _key(day: int) -> str:
    return f"{START + timedelta(days=day):%Y-%m-%d}"


if __name__ == "__main__":
    main()
