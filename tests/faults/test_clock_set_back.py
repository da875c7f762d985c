"""A clock that was set back: nothing waits for the time that it showed before."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from tests.faults import acts
from tests.faults.conftest import Copy
from tests.faults.stopping import Point, killed
from tests.orchestration.world import labels, morning, rows

AHEAD = timedelta(days=2_000)


def test_labels_that_come_after_it_are_judged(copy: Copy):
    folder = copy("labelled")
    acts.judge(folder, AHEAD)
    with acts.world_in(folder) as world:
        world.label("corrected", labels(rows(1), morning(1), revision=2))
        before = world.cell(1, "performance", "accuracy")
        assert before.evaluated_at == morning(acts.DAYS) + AHEAD
        requests = world.tick("ground_truth_sensor").run_requests
        assert [r.tags["dagster_monitoring/cause"] for r in requests] == ["labels"]
        world.run("labels", requests[0])
        after = world.cell(1, "performance", "accuracy")
        assert after.value > before.value
        assert len(world.evaluations("performance", as_of=after.evaluated_at)) == len(
            world.evaluations("performance")
        ), "no verdict stands beside the one that replaced it"


def test_messages_do_not_wait_for_it(stages: dict[str, Path], copy: Copy):
    folder = copy("judged")
    queued = Point(at="dagster_monitoring.stores.outbox:Outbox.due", when="before")
    killed(acts.alert, folder, at=queued)
    taken = Point(at="dagster_monitoring.stores.outbox:Outbox.claim", when="after")
    killed(acts.alert, folder, AHEAD, at=taken)
    acts.alert(folder)
    opened = [m["dedup_key"] for m in acts.messages(folder) if m["transition"] == "OPENED"]
    assert len(opened) == len(acts.messages(stages["told"])) == 1


def test_label_files_that_are_older_than_it_are_found(copy: Copy):
    folder = copy("prepared")
    with acts.world_in(folder) as world:
        world.clock.now += AHEAD
        world.tick("ground_truth_sensor")
        world.clock.now -= AHEAD
        late = world.label("late", labels(rows(7), morning(1)))
        old = late.stat().st_mtime - 86_400
        os.utime(late, (old, old))
        world.tick("ground_truth_sensor")
        with world.store() as store:
            assert store.deliveries.count("late") == acts.DAYS + 1
