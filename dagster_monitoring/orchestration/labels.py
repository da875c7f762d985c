"""The sensor of ground truth: takes labels in, and asks for the days whose verdict they change."""

from datetime import datetime

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.asking import ASK_AGAIN, ask_for
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.jobs import AssetJob
from dagster_monitoring.orchestration.judged_labels import outdated_days
from dagster_monitoring.orchestration.label_intake import Bound, take_in_labels
from dagster_monitoring.orchestration.naming import job_name

# Bounds of one tick: the rest comes with the next, a minute later. Dagster gives up on a tick after
# a minute by default.
MAX_TICK = Bound(deliveries=50, seconds=20.0)


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
        return ask_for(model, outdated, cause="labels", cursor=context.cursor, now=now)

    return ground_truth_sensor


def _take_in(context: dg.SensorEvaluationContext, backend: Backend, *, now: datetime) -> None:
    """Takes labels in; those of an asset when it was materialized since, or an hour passed."""
    feed, cursors = backend.ground_truth, backend.store.cursors
    name = f"{backend.model.model}/labels-materialization"
    seen = _last_materialization(context.instance, feed.asset_key)
    known = cursors.get(name)
    if seen is not None and known is not None:
        storage_id, _, moment = known.partition(" ")
        if storage_id == seen and abs(now - datetime.fromisoformat(moment)) < ASK_AGAIN:
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
