"""The sensor of ground truth: takes labels in, and asks for the days whose verdict they change."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.jobs import AssetJob, range_tags
from dagster_monitoring.orchestration.judged_labels import outdated_days
from dagster_monitoring.orchestration.label_intake import Bound, take_in_labels
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.schema import Partitions

# Bounds of one tick: the rest comes with the next, a minute later. Dagster gives up on a tick after
# a minute by default.
MAX_TICK = Bound(deliveries=50, seconds=20.0)
MAX_RUNS = 25
# When a day is asked for again that no run has judged since.
ASK_AGAIN = timedelta(hours=1)


def consecutive(days: Sequence[str], partitions: Partitions) -> list[tuple[str, str]]:
    """Days as ranges without a gap, oldest first.

    Example:
        >>> from dagster_monitoring.schema import Partitions
        >>> consecutive(["2013-06-01", "2013-06-02", "2013-06-04"], Partitions(start="2013-06-01"))
        [('2013-06-01', '2013-06-02'), ('2013-06-04', '2013-06-04')]
    """
    ranges: list[tuple[str, str]] = []
    for day in days:
        if ranges and partitions.shift(ranges[-1][1], 1) == day:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def build_ground_truth_sensor(
    model: MonitoredModel, job: AssetJob, *, clock: Clock
) -> dg.SensorDefinition:
    """Takes new labels in and asks for the days whose verdict they change.

    A day is asked for until a run has judged it with the labels there are: once, and again when
    an hour later no run has, because it failed or died. The cursor holds what was asked for, and
    run keys hold the state of the labels and the hour, so a replayed tick asks once.
    """

    @dg.sensor(
        name=job_name(model, "ground_truth_sensor"),
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Watches for labels of {model.model}: late ones, corrections, all.",
    )
    def ground_truth_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = clock()
        with open_backend(model) as backend:
            _take_in(context, backend, now=now)
            outdated = outdated_days(backend, now=now)
        asked = _still_asked(context.cursor, outdated, now=now)
        due = [day for day in outdated if day not in asked]
        cursor = json.dumps({**asked, **{day: [outdated[day], now.timestamp()] for day in due}})
        if not due:
            reason = (
                "the runs asked for are awaited" if asked else "no label of a judged day is new"
            )
            return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=cursor)
        ranges = _bounded(consecutive(due, model.partitions))
        return dg.SensorResult(
            run_requests=[_request(model, span, outdated, now) for span in ranges], cursor=cursor
        )

    return ground_truth_sensor


def _take_in(context: dg.SensorEvaluationContext, backend: Backend, *, now: datetime) -> None:
    """Takes labels in; those of an asset when it was materialized since, or an hour passed."""
    feed, cursors = backend.ground_truth, backend.store.cursors
    name = f"{backend.model.model}/labels-materialization"
    seen = _last_materialization(context.instance, feed.asset_key)
    known = cursors.get(name)
    if seen is not None and known is not None:
        storage_id, _, moment = known.partition(" ")
        if storage_id == seen and now - datetime.fromisoformat(moment) < ASK_AGAIN:
            return
    taken = take_in_labels(backend, now=now, bound=MAX_TICK)
    taken.report(context.log)
    if seen is not None and not taken.more and not taken.retried:
        cursors.set(name, f"{seen} {now.isoformat()}")


def _last_materialization(instance: dg.DagsterInstance, key: tuple[str, ...] | None) -> str | None:
    """The id of the last materialization of the asset that writes the labels."""
    if key is None:
        return None
    records = instance.fetch_materializations(dg.AssetKey(list(key)), limit=1).records
    return str(records[0].storage_id) if records else "none"


def _still_asked(
    cursor: str | None, outdated: Mapping[str, str], *, now: datetime
) -> dict[str, tuple[str, float]]:
    """The outdated days that were asked for within the hour, with their labels as they are."""
    found = json.loads(cursor) if cursor else {}
    if not isinstance(found, dict):
        return {}
    since = (now - ASK_AGAIN).timestamp()
    return {
        day: (labels, moment)
        for day, (labels, moment) in found.items()
        if outdated.get(day) == labels and moment > since
    }


def _bounded(runs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """At most ``MAX_RUNS`` ranges: when there are more, the nearest ones are put together."""
    if len(runs) <= MAX_RUNS:
        return list(runs)
    size = -(-len(runs) // MAX_RUNS)
    groups = [runs[i : i + size] for i in range(0, len(runs), size)]
    return [(group[0][0], group[-1][1]) for group in groups]


def _request(
    model: MonitoredModel, span: tuple[str, str], outdated: Mapping[str, str], now: datetime
) -> dg.RunRequest:
    first, last = span
    days = [f"{day}:{labels}" for day, labels in outdated.items() if first <= day <= last]
    state = blake2b(" ".join(days).encode(), digest_size=6).hexdigest()
    # A key is taken for good, also by a run that failed: the next hour has another.
    hour = int(now.timestamp() / ASK_AGAIN.total_seconds())
    key = f"{model.model}-labels-{first}-{state}-{hour}"
    tags = {"dagster_monitoring/cause": "labels"}
    if first == last:
        return dg.RunRequest(run_key=key, partition_key=first, tags=tags)
    return dg.RunRequest(run_key=key, tags={**tags, **range_tags(first, last)})
