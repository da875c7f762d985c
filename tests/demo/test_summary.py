"""What the demo shows of one incident at its end."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from dagster_monitoring.alerts import Background, compose
from dagster_monitoring.demo.definitions import read_model
from dagster_monitoring.demo.summary import one_told
from dagster_monitoring.demo.world import lay_out
from dagster_monitoring.incidents import Transition
from dagster_monitoring.orchestration.backend import Backend, open_backend
from tests.alerts.conftest import NOW, evaluation, incident
from tests.alerts.test_remarks import ASKED, DONE


def queue(backend: Backend, about, transition: Transition, *, steps=()) -> None:
    told = compose(about, transition, run_url=None, background=Background(steps=steps))
    backend.store.outbox.enqueue(
        model="flight_delay",
        incident_id=about.id,
        transition=transition,
        channel="console",
        dedup_key=told.dedup_key,
        payload=told.to_json(),
        now=NOW,
    )


def test_the_incident_that_was_told_of_most_is_shown_as_it_was_told(tmp_path):
    over = incident(evaluation(), resolved="2013-06-14")
    other = replace(over, id="inc-other")
    lasting = replace(incident(evaluation()), id="inc-lasting")
    with open_backend(read_model(lay_out(tmp_path / "flights"))) as backend:
        for about in (over, other, lasting):
            queue(backend, about, Transition.OPENED)
        queue(backend, over, Transition.UPDATED, steps=(ASKED,))
        queue(backend, over, Transition.UPDATED, steps=(DONE,))
        for about in (over, other):
            queue(backend, about, Transition.RESOLVED)
        for _ in range(5):
            queue(backend, lasting, Transition.REMINDED)
        console = Console(width=100)
        with console.capture() as captured:
            console.print(one_told(backend, [lasting, other, over]))
            console.print(one_told(backend, [lasting]))
    lines = [line.rstrip() for line in captured.get().splitlines() if line.strip()]
    assert lines[0].endswith("dagster-monitoring incidents show inc-0123456789ab")
    told = [line.strip() for line in lines if line.startswith("  2013")]
    assert told == [
        "2013-06-14 06:00  ERROR: flight_delay needs attention",
        "2013-06-14 07:00  flight_delay: retraining asked for",
        "2013-06-14 07:20  flight_delay: v2 passed the gate and is promoted",
        "2013-06-14 06:00  Resolved: flight_delay is healthy again",
    ]
