"""The demo: months of production in a minute, with the real jobs and the real sensors."""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg

from dagster_monitoring.demo.definitions import DECLARATION, build, read_model
from dagster_monitoring.demo.world import DAYS, FIRST_VERSION, HOME, World, lay_out
from dagster_monitoring.incidents import IncidentStatus, Transition, acknowledge
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.incidents import act_by_hand
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.orchestration.running import run_job, run_range, run_setup
from dagster_monitoring.stores import Note

BACKFILL = ("2013-04-01", "2013-05-31")
LIVE = ("2013-06-01", "2013-07-06")
# Who answers, in place of `dagster-monitoring incidents ack`.
ON_CALL, ANSWER = "ada", "seen; let us wait for what the gate says of a challenger"
# One morning every so many days: a morning costs a second or two whatever it brings.
DAYS_A_MORNING = 3

_DAGSTER_YAML = "# This project's runs, checks and sensor ticks.\ntelemetry:\n  enabled: false\n"


@dataclass
class SimulatedClock:
    """The demo's time: 2013, a morning after the other."""

    now: datetime

    def __call__(self) -> datetime:
        """This moment."""
        return self.now


@dataclass
class Progress:
    """What the play tells as it goes on; the caller shows it."""

    total: int
    step: int = 0
    words: str = ""
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Adds the time that the block takes to a heading."""
        start = time.perf_counter()
        yield
        self.seconds[what] += time.perf_counter() - start


class Play:
    """Plays production from April to mid July 2013 in a folder.

    Args:
        folder: where the project is laid out; new, empty, or an earlier demo's.
        backfill: first and last day that are judged in one go.
        live: first and last day that are judged morning by morning.
    """

    def __init__(
        self,
        folder: Path,
        *,
        backfill: tuple[str, str] = BACKFILL,
        live: tuple[str, str] = LIVE,
    ) -> None:
        self.folder = folder
        self._backfilled = backfill
        self._lived = live
        total = 4 + len(DAYS.between(*backfill)) // 31 + len(DAYS.between(*live))
        self.progress = Progress(total=total)
        self._cursors: dict[str, str | None] = {}

    def run(self) -> Iterator[Progress]:
        """Each step as it is done."""
        yield from self._begin()
        with dg.DagsterInstance.get() as instance:
            yield from self._backfill(instance)
            yield from self._live(instance)

    def _begin(self) -> Iterator[Progress]:
        yield self._say(f"lay out the project in {self.folder}")
        with self.progress.timed("first champion"):
            lay_out(self.folder)
            if os.environ.get("SLACK_TOKEN"):
                declare_slack(self.folder)
            home = self.folder.resolve() / HOME
            home.mkdir(exist_ok=True)
            (home / "dagster.yaml").write_text(_DAGSTER_YAML)
            (self.folder / ".env").write_text(f"DAGSTER_HOME={home}\nPYTHONPATH=src\n")
            _use_home(home)
            sys.path.insert(0, str(self.folder.resolve() / "src"))
            self.world = World(self.folder)
            self.model: MonitoredModel = read_model(self.folder)
            self.clock = SimulatedClock(DAYS.bounds(self._lived[0])[0])
            self.definitions = build(self.folder, clock=self.clock)
            yield self._say("train the first champion on January to March")
            self.serving = self.world.train_first_champion()
            self.version = FIRST_VERSION
            with open_backend(self.model) as backend:
                backend.registry.register(
                    self.serving, version=FIRST_VERSION, metadata={"trainer": "first champion"}
                )

    def _backfill(self, instance: dg.DagsterInstance) -> Iterator[Progress]:
        yield self._say(f"serve {self._backfilled[0]} to {self._backfilled[1]}")
        with self.progress.timed("the world outside"):
            for day in DAYS.between(*self._backfilled):
                self.world.serve(day, self.serving, self.version)
            self._morning(self._backfilled[1])
            self.world.deliver_labels(self.clock.now)
        yield self._say("build the training baseline")
        with self.progress.timed("baseline"):
            run_setup(self.definitions, self.model, instance=instance)
        ranges = run_range(
            self.definitions,
            self.model,
            first=self._backfilled[0],
            last=self._backfilled[1],
            instance=instance,
            slices_per_run=31,
        )
        yield self._say(f"backfill {self._backfilled[0]} to {self._backfilled[1]}")
        while True:
            with self.progress.timed(f"backfill of {len(DAYS.between(*self._backfilled))} days"):
                done = next(ranges, None)
            if done is None:
                break
            yield self._say(f"backfilled {done[0]} to {done[1]}")
        self._ticks(instance)

    def _live(self, instance: dg.DagsterInstance) -> Iterator[Progress]:
        days = DAYS.between(*self._lived)
        for start in range(0, len(days), DAYS_A_MORNING):
            some = days[start : start + DAYS_A_MORNING]
            yield self._say(f"{some[-1]}: serve, judge, take labels in, alert", steps=len(some))
            with self.progress.timed("the world outside"):
                for day in some:
                    self.world.serve(day, self.serving, self.version)
                self._morning(some[-1])
                self.world.deliver_labels(self.clock.now)
            with self.progress.timed(f"{len(days)} days live"):
                list(
                    run_range(
                        self.definitions,
                        self.model,
                        first=some[0],
                        last=some[-1],
                        instance=instance,
                        slices_per_run=len(some),
                    )
                )
            self._ticks(instance)

    def _ticks(self, instance: dg.DagsterInstance) -> None:
        """Tick the three sensors as Dagster's daemon does, and run what they ask for."""
        with self.progress.timed("late labels"):
            for request in self._tick(instance, "ground_truth_sensor"):
                self._run(instance, "labels", request)
        self._alert(instance)
        with self.progress.timed("retraining"):
            requests = self._tick(instance, "retraining_sensor")
        if self._acknowledge():
            self._alert(instance)
        with self.progress.timed("retraining"):
            for request in requests:
                self._pass(minutes=9)
                self._run(instance, "retraining", request)
                self._serve_champion()
        if requests:
            self._alert(instance)

    def _alert(self, instance: dg.DagsterInstance) -> None:
        with self.progress.timed("alerts"):
            for request in self._tick(instance, "alert_sensor"):
                self._run(instance, "alerts", request)

    def _acknowledge(self) -> bool:
        """What the person on call does about what has just been told; whether there was any."""
        with open_backend(self.model) as backend:
            new = [
                one
                for one in backend.store.incidents.open_ones(self.model.model)
                if one.status is IncidentStatus.OPEN
            ]
            if new:
                self._pass(minutes=6)
            for one in new:
                now = self.clock.now
                after = acknowledge(one, by=ON_CALL, now=now)
                note = Note(at=now, author=ON_CALL, action="ack", text=ANSWER)
                act_by_hand(backend, after, note, transition=Transition.ACKNOWLEDGED)
        return bool(new)

    def _pass(self, *, minutes: int) -> None:
        self.clock.now += timedelta(minutes=minutes)

    def _tick(self, instance: dg.DagsterInstance, name: str) -> list[dg.RunRequest]:
        full = job_name(self.model, name)
        sensor = self.definitions.resolve_sensor_def(full)
        cursor = self._cursors.get(name)
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, definitions=self.definitions
        ) as context:
            tick = sensor.evaluate_tick(context)
        self._cursors[name] = tick.cursor or cursor
        return list(tick.run_requests or [])

    def _run(self, instance: dg.DagsterInstance, purpose: str, request: dg.RunRequest) -> None:
        run_job(
            self.definitions,
            job_name(self.model, purpose),
            instance=instance,
            partition_key=request.partition_key,
            tags=request.tags,
            run_config=request.run_config,
        )

    def _serve_champion(self) -> None:
        """What the outside world does after a promotion: serve the new champion."""
        with open_backend(self.model) as backend:
            champion = backend.registry.champion()
            if champion is not None and champion.version != self.version:
                self.version = champion.version
                self.serving = backend.registry.load(champion.version)

    def _morning(self, day: str) -> None:
        """The clock: seven in the morning after a day, when the first of its labels are in."""
        self.clock.now = DAYS.bounds(day)[1] + timedelta(hours=7)

    def _say(self, words: str, *, steps: int = 1) -> Progress:
        self.progress.step += steps
        self.progress.words = words
        return self.progress


def declare_slack(project: Path) -> None:
    """Take the comment sign off the Slack channel in the project's declaration."""
    file = project / DECLARATION
    commented = "    # - { type: slack"
    file.write_text(file.read_text().replace(commented, commented.replace("# ", "")))


def _use_home(home: Path) -> None:
    os.environ["DAGSTER_HOME"] = str(home)
