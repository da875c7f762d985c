"""Whatever came late, crashed or ran twice: in the end it is what one range run says."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dagster_monitoring.stores import MarkKind
from tests.orchestration.schedules import DAYS, ROWS, Production, any_monitors, like, production
from tests.orchestration.world import day_of, morning

END = DAYS + 4
# A schedule takes two seconds: some of them each time, any number of others when asked for, for
# instance SCHEDULES=300 SCHEDULES_FROM=60 pytest tests/orchestration/test_live_equals_backfill.py
SCHEDULES = int(os.environ.get("SCHEDULES", "30" if os.environ.get("CI") else "3"))
FIRST = int(os.environ.get("SCHEDULES_FROM", "0"))

Event = Callable[[Production], object]


def events(draw: random.Random) -> list[tuple[int, Event]]:
    """What happens to a model, by the morning of which day: slices, labels, marks, promotions."""
    found: list[tuple[int, Event]] = []
    for number in range(DAYS):
        arrives = number if draw.random() < 0.8 else number + draw.randint(1, 3)
        if draw.random() < 0.95:
            found.append((arrives, served(number, draw.randint(0, 5))))
        if draw.random() < 0.2:
            found.append((arrives + draw.randint(1, 3), served(number, draw.randint(0, 5))))
        for revision in range(1, draw.randint(1, 3) + 1):
            only = sorted(draw.sample(range(ROWS), draw.choice([2, 8, 15, ROWS])))
            at = number + draw.randint(0, 4)
            dated = morning(at) + timedelta(hours=draw.choice([-3, -1, 30]))
            found.append((at, delivered(number, dated, only, revision)))
    for _ in range(draw.randint(0, 3)):
        first, at = draw.randint(0, DAYS - 2), draw.randint(1, END)
        last = min(first + draw.choice([0, 0, 1]), DAYS - 1)
        found.append((at, marked(first, last, draw.choice([*MarkKind]))))
        if draw.random() < 0.5:
            found.append((at + draw.randint(0, 2), unmarked(first, last)))
    if draw.random() < 0.3:
        found.append((draw.randint(1, DAYS), lambda live: live.promote(1)))
    return sorted(found, key=lambda event: event[0])


def served(number: int, seed: int) -> Event:
    def serve(live: Production) -> None:
        live.serve(number, seed)
        judged = live.backend.store.evaluations.last_partition(live.name) or ""
        if day_of(number) <= judged:
            # Whoever writes a day again runs it again.
            live.whole([day_of(number)])

    return serve


def delivered(number: int, dated: datetime, only: list[int], revision: int) -> Event:
    return lambda live: live.deliver(number, dated, only, revision)


def marked(first: int, last: int, kind: MarkKind) -> Event:
    return lambda live: live.mark(first, last, kind)


def unmarked(first: int, last: int) -> Event:
    return lambda live: live.unmark(first, last)


def live_through(live: Production, draw: random.Random) -> None:
    """Each morning the day before is judged, and now and then a run dies or a tick is missed."""
    happening = events(draw)
    for today in range(END + 1):
        live.now = morning(today)
        for at, event in happening:
            if at == today:
                event(live)
        if today < DAYS:
            judge_the_day(live, today, draw)
        if draw.random() < 0.7:
            live.tick()
    live.now = morning(END + 5)
    live.settle()


def judge_the_day(live: Production, today: int, draw: random.Random) -> None:
    days = [day_of(today)]
    if draw.random() < 0.25:
        survived = draw.randint(0, 4)
        for step, _ in enumerate(live.run(days)):
            if step >= survived:
                break
    live.whole(days)


def in_one_range(other: Production) -> None:
    other.whole([day_of(n) for n in range(DAYS)])


def in_chunks(other: Production) -> None:
    for first in range(0, DAYS, 3):
        other.whole([day_of(n) for n in range(first, min(first + 3, DAYS))])


def shuffled(other: Production) -> None:
    for number in random.Random(1).sample(range(DAYS), DAYS):  # noqa: S311 - no secret
        other.whole([day_of(number)])


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SCHEDULES))
def test_live_is_what_a_backfill_gives(seed: int, tmp_path: Path):
    draw = random.Random(seed)  # noqa: S311 - no secret
    name, monitors = f"schedule_{seed}", any_monitors(draw)
    with (
        production(tmp_path, "live", name, monitors=monitors) as live,
        production(tmp_path, "other", name, monitors=monitors) as other,
    ):
        live_through(live, draw)
        like(live, other)
        expected, other.now = live.verdicts(), live.now
        (in_one_range, in_chunks, shuffled)[seed % 3](other)
        assert other.verdicts() == expected, f"schedule {seed}"
