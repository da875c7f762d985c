"""What messages say of an incident's impact and of what was done, in words and on each channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dagster_monitoring.alerts import (
    AlertImpact,
    AlertMessage,
    AlertRealized,
    AlertStep,
    Background,
    channel_types,
    compose,
    impact_lines,
)
from dagster_monitoring.incidents import Transition
from tests.alerts.benches import message
from tests.alerts.conftest import evaluation, incident

SEEN = AlertRealized(
    partition="2013-06-12", estimate=0.021, value=0.0264, standard_error=0.004, n_labelled=2850
)
RATE = AlertImpact(
    metric="error_rate_change",
    partition="2013-06-13",
    estimate=0.0289,
    standard_error=0.007,
    n=2900,
    columns=(("temp", 0.0151), ("humid", 0.008)),
    realized=SEEN,
)
ASKED = AlertStep(
    key="r-1:REQUESTED",
    at=datetime(2013, 6, 14, 7, tzinfo=UTC),
    what="retraining asked for",
    why="incident inc-1: ERROR in drift",
    is_minor=True,
)
DONE = AlertStep(
    key="r-1:PROMOTED",
    at=datetime(2013, 6, 14, 7, 20, tzinfo=UTC),
    what="v2 passed the gate and is promoted",
    why="loss is lower by 0.0199",
)


@pytest.mark.parametrize(
    ("impact", "expected"),
    [
        (
            RATE,
            [
                # 1.96 * 0.7 points = 1.37 points
                ("error rate +2.9 points (95 %: +1.5 to +4.3), estimated on 2013-06-13; "
                "by temp +1.5, humid +0.8"),
                # 1.96 * 0.4 points = 0.78 points
                ("realized on 2013-06-12: +2.6 points (95 %: +1.9 to +3.4) by 2,850 labels; "
                "the estimate was +2.1"),
            ],
        ),
        (
            replace(RATE, estimate=0.002, columns=(), realized=None),
            [("error rate +0.2 points (95 %: -1.2 to +1.6), estimated on 2013-06-13, "
             "no more than chance")],
        ),
        (
            replace(RATE, metric="absolute_error_change", estimate=0.25, standard_error=None,
                    columns=(), realized=None),
            ["error +25.0 %, estimated on 2013-06-13"],
        ),
        (
            replace(RATE, realized=None, columns=tuple((f"c{i}", 0.01) for i in range(7))),
            [("error rate +2.9 points (95 %: +1.5 to +4.3), estimated on 2013-06-13; by c0 +1.0, "
             "c1 +1.0, c2 +1.0, c3 +1.0, c4 +1.0 and 2 more")],
        ),
    ],
    ids=["with labels", "chance", "of numbers", "many columns"],
)  # fmt: skip
def test_an_impact_in_words(impact: AlertImpact, expected: list[str]):
    assert impact_lines(impact) == expected


@pytest.mark.parametrize("kind", list(channel_types()))
def test_every_channel_tells_impact_and_what_was_done(bench_of, receiver, kind):
    bench = bench_of(kind)
    receiver.answer = bench.answer or receiver.answer
    bench.channel.send(replace(message(), impact=RATE, steps=(ASKED, DONE)))
    bench.channel.send(message())
    told, plain = bench.received()
    if kind in {"webhook", "file"}:
        assert AlertMessage.from_json(told).impact == RATE
        assert AlertMessage.from_json(told).steps == (ASKED, DONE)
        assert AlertMessage.from_json(plain).impact is None
        return
    said = " ".join(told.replace("│", " ").split())
    for line in impact_lines(RATE):
        assert line in said
    assert "2013-06-14 07:20 v2 passed the gate and is promoted: loss is lower by 0.0199" in said
    assert "points" not in plain


@pytest.mark.parametrize("kind", list(channel_types()))
def test_an_update_is_short_and_tells_one_thing(bench_of, receiver, kind):
    bench = bench_of(kind)
    receiver.answer = bench.answer or receiver.answer
    done = Background(steps=(ASKED, DONE), impact=RATE)
    about = incident(evaluation())
    bench.channel.send(compose(about, Transition.UPDATED, run_url=None, background=done))
    (told,) = bench.received()
    assert "flight_delay: v2 passed the gate and is promoted" in told
    assert "loss is lower by 0.0199" in told
    assert about.id in told
    assert "0.31" not in told, "what was said at its opening"


def test_each_step_is_told_once_and_another_one_too():
    about = incident(evaluation())
    keys = [
        compose(about, Transition.UPDATED, run_url=None, background=Background(steps=(step,)))
        for step in (ASKED, ASKED, DONE)
    ]
    assert len({one.dedup_key for one in keys}) == 2


def test_a_resolution_says_what_a_person_says():
    over = replace(incident(evaluation(), resolved="2013-06-14"), closed_by_hand=True)
    said = Background(said="ada: a vendor's fault")
    told = compose(over, Transition.RESOLVED, run_url=None, background=said)
    assert told.title == "Closed by hand: flight_delay"
    assert told.summary.startswith("A person closed it on 2013-06-14; it lasted")
    assert told.summary.endswith(" ada: a vendor's fault")
