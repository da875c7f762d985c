"""The sensor of late slices: asks for the days whose windows hold rows that changed."""

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.asking import ask_for
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.jobs import AssetJob
from dagster_monitoring.orchestration.judged_labels import outdated_slices
from dagster_monitoring.orchestration.naming import job_name


def build_late_slices_sensor(
    model: MonitoredModel, job: AssetJob, *, clock: Clock
) -> dg.SensorDefinition:
    """Asks for days that were judged before a slice they look back on came, or came anew.

    Or was marked, where limits had learned from it. It reads no slice: a slice is known to have
    changed once its own day was run again, or once a window found it.
    """

    @dg.sensor(
        name=job_name(model, "late_slices_sensor"),
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Watches for slices of {model.model} that came late, or again.",
    )
    def late_slices_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = clock()
        with open_backend(model) as backend:
            outdated = outdated_slices(backend, now=now)
        return ask_for(model, outdated, cause="slices", cursor=context.cursor, now=now)

    return late_slices_sensor
