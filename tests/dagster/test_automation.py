"""Automation conditions see the checks of old partitions, however they were recorded."""

import dagster as dg
import pytest

from dagster_monitoring.orchestration.jobs import range_tags
from tests.dagster.location import KEY, REPEATED, defs, follow_up

DAYS = [f"2013-04-0{day}" for day in range(1, 8)]
BAD = {DAYS[2], DAYS[3], DAYS[5]}

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        yield found


def asked(instance) -> set[str]:
    found = dg.evaluate_automation_conditions(defs=defs, instance=instance)
    return set(found.get_requested_partitions(follow_up.key))


def test_a_failed_check_of_any_partition_is_seen(instance):
    job = defs.resolve_job_def("all")
    assert asked(instance) == set()
    job.execute_in_process(instance=instance, tags=range_tags(DAYS[0], DAYS[-1]))
    assert asked(instance) == BAD
    # Also after a run over an old day that gave the latest day's verdict again.
    job.execute_in_process(instance=instance, partition_key=DAYS[2], tags={REPEATED: DAYS[-1]})
    assert asked(instance) == BAD


def test_a_single_run_of_an_old_day_is_seen(instance):
    job = defs.resolve_job_def("all")
    job.execute_in_process(instance=instance, partition_key=DAYS[-1])
    job.execute_in_process(instance=instance, partition_key=DAYS[2])
    assert asked(instance) == {DAYS[2]}


def test_a_check_judged_alone_is_seen(instance):
    job = defs.resolve_job_def("all")
    key = dg.AssetCheckKey(KEY, "score")
    alone = job.get_subset(asset_selection=set(), asset_check_selection={key})
    assert alone.execute_in_process(instance=instance, partition_key=DAYS[3]).success
    assert asked(instance) == {DAYS[3]}
