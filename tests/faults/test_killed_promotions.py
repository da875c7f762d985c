"""A retraining killed anywhere: champion, baseline and record agree when it was taken up again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults import acts
from tests.faults.conftest import Copy
from tests.faults.stopping import Point, killed

RETRAINING = "dagster_monitoring.retraining"
POINTS = {
    "the model's file": Point(at=f"{RETRAINING}._files:Folder.write", when="before", nth=2),
    "the champion's file": Point(at="os:fsync", when="after", nth=3),
    "the champion's place": Point(at=f"{RETRAINING}.registry:ModelRegistry.promote", when="after"),
    "the baseline": Point(
        at="dagster_monitoring.stores.baselines:BaselineStore.put_in_force", when="before"
    ),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_after_a_killed_promotion_champion_and_baseline_belong_together(copy: Copy, point: Point):
    folder = copy("told")
    killed(acts.retrain, folder, at=point)
    _read_what_serves(folder)
    for later in (timedelta(hours=1), timedelta(days=8)):
        acts.retrain(folder, later)
    assert acts.retrain(folder, timedelta(days=9)) == 0
    with acts.world_in(folder) as world, world.backend() as backend:
        serving = backend.registry.champion()
        assert serving is not None
        backend.registry.load(serving.version)
        judges = backend.store.baselines.list("late")
        assert judges[-1].version == serving.baseline_version
        assert judges[-1].model_version == serving.version
        assert len(backend.registry.history()) == 1, "promoted once"
        assert len({(b.version, b.valid_from) for b in judges}) == len(judges) == 2


def _read_what_serves(folder: Path) -> None:
    """Whatever is named as serving can be loaded, also just after the crash."""
    with acts.world_in(folder) as world, world.backend() as backend:
        for version in backend.registry.versions():
            backend.registry.load(version.version)
        serving = backend.registry.champion()
        if serving is not None:
            assert serving.version in {v.version for v in backend.registry.versions()}
            backend.baseline(serving.baseline_version)
        backend.baseline_in_force("2024-05-01")
