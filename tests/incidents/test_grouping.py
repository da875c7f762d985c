"""What belongs to one incident: one cause, what follows from it, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Episode, group


def episode(
    monitor: str,
    cause: Cause,
    first: int,
    resolved: int | None = None,
    *,
    severity: Severity = Severity.ERROR,
    fired: int | None = None,
) -> Episode:
    last = first if resolved is None else resolved - 1
    return Episode(
        monitor=monitor,
        kind=monitor,
        cause=cause,
        severity=severity,
        first=f"{first:02}",
        fired=f"{first if fired is None else fired:02}",
        bad=tuple(f"{n:02}" for n in range(first, last + 1)),
        resolved=None if resolved is None else f"{resolved:02}",
    )


def shape(*episodes: Episode) -> list[tuple[str, list[str]]]:
    return [(g.cause.value, [e.monitor for e in g.episodes]) for g in group(episodes)]


MODEL, DATA, LABELS, PIPELINE = Cause.MODEL, Cause.DATA, Cause.LABELS, Cause.PIPELINE
TABLE = [
    ([], [], "nothing"),
    ([("drift", MODEL, 1), ("performance", MODEL, 1)], [("model", ["drift", "performance"])],
     "several monitors on one day"),
    ([("drift", MODEL, 1), ("performance", MODEL, 5)], [("model", ["drift", "performance"])],
     "what joins while it lasts"),
    ([("drift", MODEL, 1, 4), ("performance", MODEL, 5)],
     [("model", ["drift"]), ("model", ["performance"])], "what comes after it was over is another"),
    ([("drift", MODEL, 1, 4), ("performance", MODEL, 4)], [("model", ["drift", "performance"])],
     "what begins on the day that ends it is the same"),
    ([("drift", MODEL, 1), ("quality", DATA, 1)], [("data", ["quality", "drift"])],
     "rows that are broken drift too: the cause is upstream"),
    ([("drift", MODEL, 2), ("quality", DATA, 1, 4)], [("data", ["quality", "drift"])],
     "also a day later, while it lasts"),
    ([("drift", MODEL, 1), ("quality", DATA, 3)], [("model", ["drift"]), ("data", ["quality"])],
     "what was there before can't come of it"),
    ([("quality", DATA, 1), ("labels", LABELS, 1)], [("data", ["quality"]), ("labels", ["labels"])],
     "labels do not come of broken rows"),
    ([("labels", LABELS, 1), ("drift", MODEL, 1)], [("labels", ["labels"]), ("model", ["drift"])],
     "nor drift of labels"),
    ([("slice", PIPELINE, 1), ("quality", DATA, 1), ("labels", LABELS, 1), ("drift", MODEL, 1)],
     [("pipeline", ["slice", "quality", "labels", "drift"])], "a pipeline explains them all"),
    ([("a", Cause.ALERTING, 1), ("drift", MODEL, 1)], [("model", ["drift"]), ("alerting", ["a"])],
     "a dead channel has nothing to do with a model"),
    ([("drift", MODEL, 1), ("quality", DATA, 2, 9), ("performance", MODEL, 3)],
     [("model", ["drift", "performance"]), ("data", ["quality"])],
     "its own cause goes before one that would explain it"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"), [pytest.param(*row[:2], id=row[2]) for row in TABLE]
)
def test_groups(given, expected):
    made = [episode(*fields) for fields in given]
    assert shape(*made) == expected
    for seed in range(5):
        np.random.default_rng(seed).shuffle(made)
        assert shape(*made) == expected, "whatever the order"


def test_forty_columns_that_move_together_are_one_incident():
    found = group(episode(f"drift_{n:02}", MODEL, 1) for n in range(40))
    assert len(found) == 1
    assert len(found[0].members) == 40


def test_a_group_tells_its_beginning_end_and_worst():
    (found,) = group(
        [
            episode("drift", MODEL, 2, 6, severity=Severity.WARN),
            episode("performance", MODEL, 4, 9, fired=5),
        ]
    )
    assert (found.first, found.fired, found.last, found.resolved) == ("02", "02", "08", "09")
    assert found.severity is Severity.ERROR
    assert [(m.monitor, m.first, m.last) for m in found.members] == [
        ("drift", "02", "05"),
        ("performance", "04", "08"),
    ]


def test_a_monitor_that_was_well_between_is_one_member():
    (found,) = group(
        [episode("drift", MODEL, 1, 3), episode("mean", MODEL, 2), episode("drift", MODEL, 5)]
    )
    assert [(m.monitor, m.first, m.last) for m in found.members] == [
        ("drift", "01", "05"),
        ("mean", "02", "02"),
    ]


def test_what_is_left_after_a_partition():
    (found,) = group([episode("drift", MODEL, 1, 6), episode("mean", MODEL, 2, 4)])
    left = found.after("03")
    assert left is not None
    assert [(e.monitor, e.bad) for e in left.episodes] == [("drift", ("04", "05"))]
    assert found.after("05") is None
