"""A model in production, step by step and without Dagster: what its runs and ticks do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa

from dagster_monitoring.errors import DataError
from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.baselines import build_from_table, put_in_force
from dagster_monitoring.orchestration.counting import keep_slice
from dagster_monitoring.orchestration.declarations import Declarations, Declared
from dagster_monitoring.orchestration.judged_labels import outdated_days, outdated_slices
from dagster_monitoring.orchestration.judging import Judging
from dagster_monitoring.orchestration.marks import mark, unmark
from dagster_monitoring.orchestration.slices import profile_slice, register_slice
from dagster_monitoring.stores import Mark, MarkKind
from tests.orchestration.world import MOMENT, START, day_of, write

ROWS, DAYS = 24, 6
LEARNED = {"type": "learned", "slices": 4, "minimum_slices": 3}
MONITORS: list[dict[str, object]] = [
    {"type": "data_quality", "metrics": ["missing_share", "row_volume"]},
    {"type": "drift", "window": 2, "metrics": ["psi"], "segments": True},
    {"type": "drift", "name": "rolling", "window": 1, "baseline": {"rolling": 2},
     "columns": ["temp"], "metrics": ["mean_shift"], "threshold": LEARNED},
    {"type": "performance", "window": 2, "metrics": ["accuracy"], "minimum_labelled": 5},
    {"type": "performance", "name": "learned", "window": 1, "metrics": ["brier"],
     "minimum_labelled": 5, "threshold": LEARNED},
    {"type": "label_coverage"},
    {"type": "label_freshness"},
    {"type": "early_labels", "window": 3},
]  # fmt: skip
ASSETS = ("drift", "data_quality", "performance")


def declared(root: Path, name: str, *, storage: str, **changes: object) -> MonitoredModel:
    """The model, with its storage in a folder of its own."""
    fields = {
        "model": name,
        "task": {
            "type": "binary_classification",
            "label": "late",
            "prediction": "late_pred",
            "score": "late_proba",
        },
        "columns": {
            "id": "id",
            "timestamp": "at",
            "numeric": ["temp"],
            "categorical": ["city"],
        },
        "partitions": {"start": START},
        "baseline": {"type": "parquet", "path": "baseline.parquet"},
        "predictions": {"type": "parquet", "path": f"{name}/{{partition}}.parquet"},
        "ground_truth": {"type": "parquet", "path": "labels/*.parquet", "expected_delay_days": 2},
        "segments": ["city"],
        "monitors": MONITORS,
        "storage": {"path": storage},
        **changes,
    }
    return MonitoredModel.read(fields).rooted(root)


def any_monitors(draw: Random) -> list[dict[str, object]]:
    """Some of the monitors, with any windows and thresholds."""
    fixed = {"type": "absolute", "warn": {"upper": 0.2, "lower": 0.1}, "error": {"upper": 0.4}}
    found = []
    for monitor in draw.sample(MONITORS, draw.randint(3, len(MONITORS))):
        changes: dict[str, object] = {"window": draw.randint(1, 3)}
        if monitor["type"] in {"drift", "performance"}:
            changes["threshold"] = draw.choice([LEARNED, fixed])
        found.append({**monitor, **changes} if draw.random() < 0.7 else monitor)
    return found


@dataclass
class Production:
    """A model whose runs are made by hand; ``now`` is its time."""

    backend: Backend
    root: Path
    now: datetime = datetime(2024, 5, 1, tzinfo=UTC)
    deliveries: list[tuple[pa.Table, str]] = field(default_factory=list)

    def run(
        self,
        days: Sequence[str],
        assets: Sequence[str] = ASSETS,
        *,
        is_daily: bool = True,
        chosen: Declared | None = None,
    ) -> Iterator[str]:
        """A run's steps in the order of its assets; leave off anywhere, and it has crashed."""
        for day in days if is_daily or "performance" in assets else ():
            with suppress(DataError):
                register_slice(self.backend, day)
            yield "registered"
        for day in days if is_daily else ():
            baseline = self.backend.baseline_in_force(day)
            profile = profile_slice(self.backend, day, baseline)
            keep_slice(self.backend, baseline.version, day, profile)
            yield "profiled"
        for asset in assets:
            declarations = Declarations(backend=self.backend, now=self.now, chosen=chosen)
            judging = Judging(self.backend, asset, declarations, run_id=str(self.now), now=self.now)
            for day in days:
                judging.judge(day)
                yield "judged"

    def whole(
        self,
        days: Sequence[str],
        assets: Sequence[str] = ASSETS,
        *,
        chosen: Declared | None = None,
    ) -> None:
        """A daily run to its end."""
        for _ in self.run(days, assets, chosen=chosen):
            pass

    def tick(self) -> int:
        """What the sensors ask for, run; how many days that were."""
        slices = [*outdated_slices(self.backend, now=self.now)]
        for _ in self.run(slices, ASSETS[:2], is_daily=False):
            pass
        days = [*outdated_days(self.backend, now=self.now)]
        for _ in self.run(days, ASSETS[2:], is_daily=False):
            pass
        return len(slices) + len(days)

    def settle(self) -> None:
        """Ticks until nothing is asked for."""
        for _ in range(12):
            if not self.tick():
                return
        raise AssertionError("the sensors never come to rest")

    @property
    def name(self) -> str:
        return self.backend.model.model

    def verdicts(self) -> list[Evaluation]:
        """All there is, but for run and moment."""
        found = self.backend.store.evaluations.read(self.name)
        return [replace(e, run_id=None, evaluated_at=self.now) for e in found]

    def serve(self, number: int, seed: int) -> None:
        write(rows(number, seed), self.root / self.name / f"{day_of(number)}.parquet")

    def deliver(self, number: int, moment: datetime, only: Sequence[int], revision: int) -> None:
        """Labels of some rows of a day, available from a moment on."""
        picked = np.random.default_rng([number, revision]).integers(0, 2, ROWS)
        table = pa.table(
            {
                "prediction_id": [f"{number}-{i}" for i in only],
                "label": [int(picked[i]) for i in only],
                "event_time": pa.array([moment] * len(only), MOMENT),
                "available_at": pa.array([moment] * len(only), MOMENT),
                "revision": [revision] * len(only),
            }
        )
        self.take_in(table, f"{number}-{revision}-{moment}")

    def take_in(self, table: pa.Table, name: str) -> None:
        self.backend.store.labels.append(self.name, table, name)
        self.deliveries.append((table, name))

    def mark(self, first: int, last: int, kind: MarkKind = MarkKind.BAD) -> tuple[str, ...]:
        """What somebody says of days; gives those that are outdated by it."""
        one = Mark(
            model=self.name, first=day_of(first), last=day_of(last), kind=kind, note="",
            author="ada", at=self.now,
        )  # fmt: skip
        return mark(self.backend, one, now=self.now)

    def unmark(self, first: int, last: int) -> tuple[str, ...] | None:
        return unmark(self.backend, day_of(first), day_of(last), now=self.now)

    def promote(self, seed: int) -> None:
        """Another baseline, which judges what was not judged yet."""
        table = baseline_rows(seed)
        baseline = build_from_table(self.backend, table, model_version=f"v{seed}")
        put_in_force(self.backend, baseline, clock=lambda: self.now)


@contextmanager
def production(
    root: Path, storage: str, name: str = "late", **changes: object
) -> Iterator[Production]:
    with open_backend(declared(root, name, storage=storage, **changes)) as backend:
        found = Production(backend, root)
        if not backend.store.baselines.list(name):
            found.promote(0)
        yield found


def like(known: Production, other: Production) -> None:
    """Gives the other store the same baselines and settings, labels and marks."""
    name = known.name
    for baseline in known.backend.store.baselines.list(name):
        stored = known.backend.baseline(baseline.version)
        other.backend.storage.write_baseline(name, stored)
        other.backend.store.baselines.put_in_force(baseline)
    theirs, mine = known.backend.store.declarations, other.backend.store.declarations
    for version in theirs.list(name):
        mine.keep(name, version.version, theirs.settings(name, version.version) or "")
        mine.put_in_force(version)
    for delivery in known.deliveries:
        other.take_in(*delivery)
    for one in known.backend.store.marks.list(name):
        other.backend.store.marks.add(one)


def rows(number: int, seed: int) -> pa.Table:
    """A day's rows; another seed gives other values to the same ids, and other ids too."""
    source = np.random.default_rng([number, seed])
    n = ROWS - 3 * (seed % 2)
    temp = source.normal(loc=3.0 * (seed % 3 == 2), size=n)
    score = 1 / (1 + np.exp(-temp))
    start = datetime.fromisoformat(day_of(number)).replace(tzinfo=UTC)
    return pa.table(
        {
            "id": [f"{number}-{i}" for i in range(n)],
            "at": pa.array([start + timedelta(minutes=i) for i in range(n)], MOMENT),
            "temp": temp,
            "city": source.choice(["Oslo", "Rome"], size=n).tolist(),
            "late_proba": score,
            "late_pred": (score > 0.5).astype(np.int64),
        }
    )


def baseline_rows(seed: int) -> pa.Table:
    table = pa.concat_tables([rows(900 + n, 2 * seed) for n in range(5)])
    labels = np.random.default_rng(seed).integers(0, 2, len(table))
    return table.append_column("late", pa.array(labels))
